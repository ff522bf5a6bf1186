// Orders against a plan: which names may be ordered, which order would leave a steered name without
// a candidate, what holds for each endpoint. The book itself is in health/. Thread rule: one owner.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "health/orders.h"
#include "policy/health_state.h"
#include "policy/plan.h"

namespace steerd::control {

class OrderDesk {
  public:
    void adopt(const policy::Plan& plan);

    /// Whether the plan has an endpoint, or a region as "region:NAME", of this name.
    [[nodiscard]] bool knows(std::string_view name) const;
    /// Steered names that have a candidate now and would have none with `order` in force:
    /// everything under their route would be drained or ordered down.
    [[nodiscard]] std::vector<std::string> left_without(const policy::Plan& plan,
                                                        const health::NamedOrder& order) const;

    /// The order in force for an endpoint, with the name that was ordered; nullopt: none.
    [[nodiscard]] std::optional<health::NamedOrder> effective(policy::EndpointId endpoint) const;
    /// By EndpointId, for compile_health, from the book as it is now.
    [[nodiscard]] std::vector<policy::OrderFacts> facts(base::Now now) const;
    /// Orders for names that the plan does not have.
    [[nodiscard]] std::vector<health::NamedOrder> absent() const;

    [[nodiscard]] health::OrderBook& book() noexcept { return book_; }

    [[nodiscard]] const health::OrderBook& book() const noexcept { return book_; }

  private:
    struct Names {
        std::string endpoint;
        std::string region;  // "": none
    };

    [[nodiscard]] std::vector<bool> ordered_out(const health::OrderBook& book) const;

    health::OrderBook book_;
    std::vector<Names> endpoints_;      // by EndpointId
    std::vector<std::string> ordered_;  // sorted: every name that may be ordered
};

}  // namespace steerd::control
