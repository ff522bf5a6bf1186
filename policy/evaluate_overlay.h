// A health state with some of its pending changes supposed to have happened, for the countdown:
// what would the answer be then? Holds ranks of what changed alone, so nothing is copied or
// allocated. Thread rule: one owner, on a stack.
#pragma once

#include <array>
#include <cstdint>

#include "policy/health_state_table.h"

namespace steerd::policy {

/// More pending changes than this are not played through for one answer.
inline constexpr std::size_t kMaxOverlay = 16;

/// Some pending changes supposed to have happened.
class Overlay {
  public:
    Overlay(const Plan& plan, const HealthState& health) noexcept
        : plan_(&plan), health_(&health) {}

    /// REQUIRES: at most kMaxOverlay times.
    void apply(const Pending& pending) noexcept;
    /// False: not concerned, `out` is as it was.
    bool endpoint(std::uint32_t id, Column column, Rank& out) const noexcept;
    [[nodiscard]] Rank slot(std::uint32_t id) const noexcept;
    [[nodiscard]] bool hold_ended(std::uint32_t route, Judge judge) const noexcept;

  private:
    [[nodiscard]] std::optional<health::OrderState> order_of(std::uint32_t endpoint) const noexcept;

    struct Changed {
        std::uint32_t endpoint = 0;
        RankRow rank{};
    };

    const Plan* plan_;
    const HealthState* health_;
    std::array<const Pending*, kMaxOverlay> applied_{};
    std::array<Changed, kMaxOverlay> changed_{};
    std::size_t applied_count_ = 0;
    std::size_t changed_count_ = 0;
};

}  // namespace steerd::policy
