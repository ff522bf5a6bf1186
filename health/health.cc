// The one table of words beside the enums of health.h. Thread rule: pure functions.
#include "health/health.h"

namespace steerd::health {

std::string_view to_text(Health health) noexcept {
    switch (health) {
        case Health::Up:
            return "up";
        case Health::Unknown:
            return "unknown";
        case Health::Degraded:
            return "degraded";
        case Health::Down:
            return "down";
    }
    return "unknown";
}

std::optional<Health> parse_health(std::string_view text) noexcept {
    for (const Health health : {Health::Up, Health::Unknown, Health::Degraded, Health::Down}) {
        if (text == to_text(health)) {
            return health;
        }
    }
    return std::nullopt;
}

std::string_view to_text(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::Pass:
            return "pass";
        case Outcome::Slow:
            return "slow";
        case Outcome::Fail:
            return "fail";
        case Outcome::Inconclusive:
            return "inconclusive";
    }
    return "inconclusive";
}

std::string_view to_text(OrderState state) noexcept {
    switch (state) {
        case OrderState::Drain:
            return "drain";
        case OrderState::Up:
            return "up";
        case OrderState::Down:
            return "down";
    }
    return "drain";
}

std::optional<OrderState> parse_order_state(std::string_view text) noexcept {
    for (const OrderState state : {OrderState::Drain, OrderState::Up, OrderState::Down}) {
        if (text == to_text(state)) {
            return state;
        }
    }
    return std::nullopt;
}

}  // namespace steerd::health
