// How long clients may stay on a dead endpoint, for each steered name: what `check` prints.
// product.md §5, last paragraph. Thread rule: pure functions.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "config/model.h"

namespace steerd::config {

struct WorstCase {
    base::Duration detect{};                                  // until the probe's verdict is down
    base::Duration publish = std::chrono::milliseconds(100);  // until no answer names it
    base::Duration ttl{};  // what a cache may still hold at the switch

    [[nodiscard]] base::Duration total() const noexcept { return detect + publish + ttl; }
};

/// Of the probe under its route that makes the longest total; nullopt where nothing is probed.
[[nodiscard]] std::optional<WorstCase> worst_case(const Model& model, const SteerConfig& steer);

struct NamedWorstCase {
    dns::Name owner;
    std::optional<WorstCase> worst;
};

/// For all steered names, in the order of the file.
[[nodiscard]] std::vector<NamedWorstCase> worst_cases(const Model& model);

}  // namespace steerd::config
