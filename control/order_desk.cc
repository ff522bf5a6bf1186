// See order_desk.h. Thread rule: one owner.
#include "control/order_desk.h"

#include <algorithm>

namespace steerd::control {

using health::Order;
using health::OrderState;

void OrderDesk::adopt(const policy::Plan& plan) {
    endpoints_.clear();
    ordered_.clear();
    const config::Model& model = *plan.model;
    for (const config::EndpointConfig& endpoint : model.endpoints) {
        endpoints_.push_back(
            {endpoint.name,
             endpoint.region ? model.regions[config::index(*endpoint.region)].name : ""});
        ordered_.push_back(endpoint.name);
    }
    for (const config::RegionConfig& region : model.regions) {
        ordered_.push_back(std::string(health::kRegionPrefix) + region.name);
    }
    std::ranges::sort(ordered_);
}

bool OrderDesk::knows(std::string_view name) const {
    return std::ranges::binary_search(ordered_, name);
}

std::vector<bool> OrderDesk::ordered_out(const health::OrderBook& book) const {
    std::vector<bool> out;
    for (const Names& names : endpoints_) {
        const Order* order = book.effective(names.endpoint, names.region);
        out.push_back(order != nullptr && order->state != OrderState::Up);
    }
    return out;
}

std::vector<std::string> OrderDesk::left_without(const policy::Plan& plan,
                                                 const health::NamedOrder& order) const {
    health::OrderBook with = book_;
    with.set(order.name, order.order);
    const std::vector<bool> before = ordered_out(book_);
    const std::vector<bool> after = ordered_out(with);
    const auto has_candidate = [](const policy::Tree& tree, const std::vector<bool>& out) {
        return std::ranges::any_of(tree.endpoints, [&](policy::EndpointId endpoint) {
            return !out[config::index(endpoint)];
        });
    };
    std::vector<bool> loses;
    for (const policy::Tree& tree : plan.trees) {
        loses.push_back(has_candidate(tree, before) && !has_candidate(tree, after));
    }
    std::vector<std::string> names;
    for (const policy::SteeredName& steered : plan.steered) {
        if (loses[static_cast<std::size_t>(steered.tree)]) {
            names.push_back(steered.owner.to_text());
        }
    }
    return names;
}

std::optional<health::NamedOrder> OrderDesk::effective(policy::EndpointId endpoint) const {
    const Names& names = endpoints_[config::index(endpoint)];
    const Order* order = book_.effective(names.endpoint, names.region);
    if (order == nullptr) {
        return std::nullopt;
    }
    const bool own = book_.find(names.endpoint) != nullptr;
    return health::NamedOrder{
        own ? names.endpoint : std::string(health::kRegionPrefix) + names.region, *order};
}

std::vector<policy::OrderFacts> OrderDesk::facts(base::Now now) const {
    std::vector<policy::OrderFacts> facts;
    for (const Names& names : endpoints_) {
        const Order* order = book_.effective(names.endpoint, names.region);
        policy::OrderFacts fact;
        if (order != nullptr) {
            fact.state = order->state;
            if (order->until) {
                fact.until = now.mono + (*order->until - now.wall);
            }
        }
        facts.push_back(fact);
    }
    return facts;
}

std::vector<health::NamedOrder> OrderDesk::absent() const {
    std::vector<health::NamedOrder> absent;
    for (const auto& [name, order] : book_.all()) {
        if (!knows(name)) {
            absent.push_back({name, order});
        }
    }
    return absent;
}

}  // namespace steerd::control
