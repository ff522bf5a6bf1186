// What operators ordered, by name ("tokyo" or "region:tokyo"): which order holds for an endpoint,
// and when orders end. An order whose name is gone is kept, so that it holds again when the name
// returns (product.md §2). Pure. Deliberately does not judge whether an order leaves a steered name
// without a candidate: that needs the plan, see control/. Thread rule: one owner.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "health/health.h"

namespace steerd::health {

inline constexpr std::string_view kRegionPrefix = "region:";

struct NamedOrder {
    std::string name;
    Order order;
};

class OrderBook {
  public:
    using Map = std::map<std::string, Order, std::less<>>;

    /// Replaces an order of the same name.
    void set(std::string name, Order order);
    /// The order that was taken back, if there was one.
    std::optional<Order> release(std::string_view name);
    /// Takes out and returns the orders that are over at `now`.
    [[nodiscard]] std::vector<NamedOrder> expire(base::Wall now);
    /// When the next order ends; nullopt: none does.
    [[nodiscard]] std::optional<base::Wall> next_expiry() const noexcept;
    [[nodiscard]] const Order* find(std::string_view name) const noexcept;
    /// The order in force for an endpoint: its own, else its region's ("" for none), else nullptr.
    [[nodiscard]] const Order* effective(std::string_view endpoint, std::string_view region) const;

    [[nodiscard]] const Map& all() const noexcept { return orders_; }

  private:
    Map orders_;
};

}  // namespace steerd::health
