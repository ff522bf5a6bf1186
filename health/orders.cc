// See orders.h. Thread rule: one owner.
#include "health/orders.h"

#include <utility>

namespace steerd::health {

void OrderBook::set(std::string name, Order order) {
    orders_.insert_or_assign(std::move(name), std::move(order));
}

std::optional<Order> OrderBook::release(std::string_view name) {
    const auto it = orders_.find(name);
    if (it == orders_.end()) {
        return std::nullopt;
    }
    Order order = std::move(it->second);
    orders_.erase(it);
    return order;
}

std::vector<NamedOrder> OrderBook::expire(base::Wall now) {
    std::vector<NamedOrder> over;
    for (auto it = orders_.begin(); it != orders_.end();) {
        if (it->second.until && *it->second.until <= now) {
            over.push_back({it->first, std::move(it->second)});
            it = orders_.erase(it);
        } else {
            ++it;
        }
    }
    return over;
}

std::optional<base::Wall> OrderBook::next_expiry() const noexcept {
    std::optional<base::Wall> next;
    for (const auto& [name, order] : orders_) {
        if (order.until && (!next || *order.until < *next)) {
            next = order.until;
        }
    }
    return next;
}

const Order* OrderBook::find(std::string_view name) const noexcept {
    const auto it = orders_.find(name);
    return it == orders_.end() ? nullptr : &it->second;
}

const Order* OrderBook::effective(std::string_view endpoint, std::string_view region) const {
    if (const Order* own = find(endpoint); own != nullptr || region.empty()) {
        return own;
    }
    return find(std::string(kRegionPrefix).append(region));
}

}  // namespace steerd::health
