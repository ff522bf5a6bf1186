// The words of health and their values: outcome of one check, what we believe, what an operator
// ordered. Pure. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace steerd::health {

/// What we believe of an address after hysteresis.
enum class Health : std::uint8_t { Up, Unknown, Degraded, Down };

[[nodiscard]] std::string_view to_text(Health health) noexcept;
[[nodiscard]] std::optional<Health> parse_health(std::string_view text) noexcept;

enum class Outcome : std::uint8_t {
    Pass,
    Slow,  // a pass slower than slow_after, or exec's exit 1
    Fail,
    Inconclusive,  // our own fault, nothing was sent: no descriptor, no local route; moves nothing
};

[[nodiscard]] std::string_view to_text(Outcome outcome) noexcept;

/// The result of one check.
struct Verdict {
    Outcome outcome = Outcome::Inconclusive;
    std::string
        reason;  // "http 200", "connection refused", "timeout after 2s"; bounded (<= 200 octets)
    base::Duration latency{};                       // from start to verdict
    std::optional<base::Wall> certificate_expires;  // https only
};

/// What an operator ordered; kept apart from health.
enum class OrderState : std::uint8_t { Drain, Up, Down };

[[nodiscard]] std::string_view to_text(OrderState state) noexcept;
[[nodiscard]] std::optional<OrderState> parse_order_state(std::string_view text) noexcept;

struct Order {
    OrderState state = OrderState::Drain;
    std::string reason;
    std::string who;
    base::Wall since{};
    std::optional<base::Wall> until;  // nullopt: until released
};

}  // namespace steerd::health
