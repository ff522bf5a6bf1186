// The rules of health in one place: what an order does to a slot, by which slots an endpoint is
// judged, what control may ask of a compiled state. Compiling is health_state_compile.cc.
// product.md §2 (orders), §4.2, §4.4. Thread rule: pure.
#include "policy/health_state.h"

#include "policy/health_state_table.h"

namespace steerd::policy {
namespace {

using config::index;
using health::Health;
using health::OrderState;

constexpr RankRow kNothing = [] {
    RankRow row{};
    row.by_column.fill(Rank::Drained);
    return row;
}();

Rank best_of(std::span<const Rank> ranks) noexcept {
    Rank best = Rank::Drained;
    for (const Rank rank : ranks) {
        best = std::min(best, rank);
    }
    return best;
}

/// For words and for control a CNAME target has one rank, whoever judges.
Column shown_column(const Plan& plan, EndpointId endpoint, Judge judge) noexcept {
    return plan.endpoints[index(endpoint)].cname ? Column::Both
                                                 : column_of(judge, config::Families::Same);
}

}  // namespace

std::string_view to_text(Rank rank) noexcept {
    switch (rank) {
        case Rank::Up:
            return "up";
        case Rank::Unknown:
            return "unknown";
        case Rank::Degraded:
            return "degraded";
        case Rank::Down:
            return "down";
        case Rank::Drained:
            return "drained";
    }
    return "";
}

Rank slot_rank(Health health, std::optional<OrderState> order, bool probed) noexcept {
    if (order.has_value()) {
        switch (*order) {
            case OrderState::Up:
                return Rank::Up;
            case OrderState::Drain:
                return Rank::Drained;
            case OrderState::Down:
                return Rank::Down;
        }
    }
    // Nobody looks after it, so nothing speaks against it; but who says that it is down (explain,
    // forecast) is believed.
    if (!probed && health == Health::Unknown) {
        return Rank::Up;
    }
    switch (health) {
        case Health::Up:
            return Rank::Up;
        case Health::Unknown:
            return Rank::Unknown;
        case Health::Degraded:
            return Rank::Degraded;
        case Health::Down:
            return Rank::Down;
    }
    return Rank::Down;
}

RankRow endpoint_ranks(const Endpoint& endpoint, std::span<const Rank> slots,
                       std::optional<OrderState> order) noexcept {
    RankRow row = kNothing;
    const auto set = [&row](Column column, Rank rank, Rank when_up) {
        row.by_column[static_cast<std::size_t>(column)] = rank;
        row.by_column[static_cast<std::size_t>(all_up_column(column))] = when_up;
    };
    const bool out = order == OrderState::Drain || order == OrderState::Down;
    const Rank when_up = !out ? Rank::Up : slot_rank(Health::Up, order, true);
    set(Column::Both, best_of(slots), when_up);
    if (endpoint.cname) {
        for (const Column c : {Column::V4Same, Column::V6Same, Column::V4Any, Column::V6Any}) {
            set(c, Rank::Down, Rank::Down);
        }
        return row;
    }
    const auto v4 = slots.first(endpoint.v4_count);
    const auto v6 = slots.subspan(endpoint.v4_count);
    set(Column::V4Same, best_of(v4.empty() ? v6 : v4), when_up);
    set(Column::V6Same, best_of(v6.empty() ? v4 : v6), when_up);
    set(Column::V4Any, v4.empty() ? Rank::Down : best_of(v4), v4.empty() ? Rank::Down : when_up);
    set(Column::V6Any, v6.empty() ? Rank::Down : best_of(v6), v6.empty() ? Rank::Down : when_up);
    return row;
}

Rank LastRanks::endpoint(std::uint32_t id) const noexcept {
    const auto at = std::lower_bound(
        endpoints.begin(), endpoints.end(), id,
        [](const OfEndpoint& e, std::uint32_t value) { return e.endpoint < value; });
    return at != endpoints.end() && at->endpoint == id ? at->rank : Rank::Down;
}

Rank LastRanks::slot(std::uint32_t id) const noexcept {
    const auto at =
        std::lower_bound(slots.begin(), slots.end(), id,
                         [](const OfSlot& s, std::uint32_t value) { return s.slot < value; });
    return at != slots.end() && at->slot == id ? at->rank : Rank::Down;
}

HealthFacts all_up(const Plan& plan) {
    HealthFacts facts;
    facts.slots.assign(plan.slots.size(), {.health = Health::Up, .next = Health::Up});
    facts.orders.resize(plan.endpoints.size());
    facts.holds.resize(plan.model == nullptr ? 0 : plan.model->routes.size());
    facts.last_good.resize(plan.steered.size());
    return facts;
}

Rank endpoint_rank(const Plan& plan, const HealthState& health, EndpointId endpoint,
                   Judge judge) noexcept {
    return health.endpoints[index(endpoint)].rank.at(shown_column(plan, endpoint, judge));
}

std::vector<Rank> member_ranks(const Plan& plan, const HealthState& health, RouteId route,
                               Judge judge) {
    const Column column = column_of(judge, config::Families::Same);
    const auto& members = plan.model->route(route).members;
    std::vector<Rank> ranks;
    std::vector<bool> lacks;
    bool another = false;  // a sibling has its own min_available
    for (const config::MemberConfig& member : members) {
        if (const auto* endpoint = std::get_if<EndpointId>(&member.to)) {
            ranks.push_back(health.endpoints[index(*endpoint)].rank.at(column));
            lacks.push_back(false);
        } else {
            const RouteRow& row = health.routes[index(std::get<RouteId>(member.to))];
            ranks.push_back(row.rank.at(column));
            lacks.push_back(row.lacks(column));
        }
        another = another || (available(ranks.back()) && !lacks.back());
    }
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        if (another && lacks[i] && available(ranks[i])) {
            ranks[i] = Rank::Down;
        }
    }
    return ranks;
}

bool root_available(const Plan& plan, const HealthState& health, SteeredId steered,
                    Judge judge) noexcept {
    const SteeredName& name = plan.steered[index(steered)];
    const Tree& tree = plan.trees[index(name.tree)];
    const Judge by = tree.has_addresses ? judge : Judge::Both;
    return available(health.routes[index(tree.root)].rank.at(column_of(by, name.families)));
}

}  // namespace steerd::policy
