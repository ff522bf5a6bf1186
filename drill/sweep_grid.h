// The grid of a sweep: which values of TTL and probing are tried against each other, from the
// command line ("ttl=5s,30s interval=1s,5s") or a scenario's [sweep]. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace steerd::drill {

/// An empty list leaves the configuration's own value.
struct SweepGrid {
    std::vector<base::Duration> ttl;      // whole seconds, at least one
    std::vector<base::Duration> ttl_min;  // zero: no countdown
    std::vector<base::Duration> interval;
    std::vector<std::uint32_t> fall;

    [[nodiscard]] bool empty() const noexcept {
        return ttl.empty() && ttl_min.empty() && interval.empty() && fall.empty();
    }
};

inline constexpr std::size_t kMostSweepPoints = 256;

/// Adds `values` ("5s,30s") under `key`; the error says what is wrong with them.
[[nodiscard]] base::Result<bool, std::string> add_sweep_values(SweepGrid& grid,
                                                               std::string_view key,
                                                               std::string_view values);
/// The whole of a command line's grid; also refuses more than kMostSweepPoints.
[[nodiscard]] base::Result<SweepGrid, std::string> parse_sweep(std::string_view text);
[[nodiscard]] std::size_t points_of(const SweepGrid& grid) noexcept;

}  // namespace steerd::drill
