// Facts to ranks. Cost is linear in endpoints, slots and route members, and no more than that,
// since it is paid at every publication: a route is computed once however many trees it stands in,
// because its rank depends on nothing but its members. Load and control plane: allocates. Thread
// rule: pure.
#include "policy/health_state.h"
#include "policy/health_state_table.h"

namespace steerd::policy {
namespace {

using config::index;
using health::Health;

template <typename T>
const T& fact(const std::vector<T>& facts, std::size_t i, const T& otherwise) noexcept {
    return i < facts.size() ? facts[i] : otherwise;
}

class Compiler {
  public:
    Compiler(const Plan& plan, const HealthFacts& facts)
        : plan_(plan), facts_(facts), state_(std::make_shared<HealthState>()) {}

    std::shared_ptr<const HealthState> run() {
        compile_endpoints();
        compile_routes();
        compile_holds();
        compile_pending();
        compile_last();
        state_->ready = ReadyRoutes::make(plan_, *state_);
        return std::move(state_);
    }

  private:
    void compile_endpoints() {
        const std::size_t count = plan_.endpoints.size();
        state_->endpoints.resize(count);
        state_->orders.resize(count);
        state_->slots.resize(plan_.slots.size());
        state_->slot_health.resize(plan_.slots.size());
        for (std::size_t i = 0; i < count; ++i) {
            const Endpoint& endpoint = plan_.endpoints[i];
            const auto order = fact(facts_.orders, i, OrderFacts{}).state;
            const std::size_t slots = slots_of(endpoint);
            for (std::size_t s = endpoint.first_slot; s < endpoint.first_slot + slots; ++s) {
                state_->slot_health[s] = fact(facts_.slots, s, SlotFacts{}).health;
                state_->slots[s] = slot_rank(state_->slot_health[s], order, endpoint.probed);
            }
            EndpointRow& row = state_->endpoints[i];
            row.rank = endpoint_ranks(
                endpoint, std::span(state_->slots).subspan(endpoint.first_slot, slots), order);
            row.first_slot = endpoint.first_slot;
            row.region = endpoint.region;
            row.v4_count = endpoint.v4_count;
            row.v6_count = endpoint.v6_count;
            row.cname = endpoint.cname;
            state_->orders[i] = order;
        }
    }

    static std::size_t slots_of(const Endpoint& endpoint) noexcept {
        return endpoint.cname ? 1U : std::size_t{endpoint.v4_count} + endpoint.v6_count;
    }

    void compile_routes() {
        std::size_t count = plan_.model == nullptr ? 0 : plan_.model->routes.size();
        for (const Tree& tree : plan_.trees) {
            for (const TreeRoute& route : tree.routes) {
                count = std::max(count, index(route.route) + 1);
            }
        }
        RouteRow untouched;
        untouched.rank.by_column.fill(Rank::Drained);
        state_->routes.assign(count, untouched);
        done_.assign(count, false);
        for (const Tree& tree : plan_.trees) {
            for (std::size_t i = 0; i < tree.routes.size(); ++i) {
                compile_route(tree, i);
            }
        }
    }

    const RouteRow& compile_route(const Tree& tree, std::size_t at) {
        const TreeRoute& route = tree.routes[at];
        RouteRow& row = state_->routes[index(route.route)];
        if (done_[index(route.route)]) {
            return row;
        }
        done_[index(route.route)] = true;
        row.client_dependent = route.policy == config::Policy::Geo;
        for (std::size_t m = 0; m < route.member_count; ++m) {
            const TreeMember& member = tree.members[route.first_member + m];
            if (member.is_endpoint) {
                improve(row.rank, state_->endpoints[member.target].rank);
            } else {
                const RouteRow& below = compile_route(tree, member.target);
                improve(row.rank, below.rank);
                row.client_dependent = row.client_dependent || below.client_dependent;
            }
        }
        if (route.min_available > 1) {
            row.lacking = lacking(tree, at);
        }
        return row;
    }

    static void improve(RankRow& row, const RankRow& other) noexcept {
        for (std::size_t c = 0; c < row.by_column.size(); ++c) {
            row.by_column[c] = std::min(row.by_column[c], other.by_column[c]);
        }
    }

    /// Counts each endpoint under the route once, however many ways lead to it.
    std::uint16_t lacking(const Tree& tree, std::size_t at) {
        seen_.assign(plan_.endpoints.size(), false);
        visited_.assign(tree.routes.size(), false);
        std::array<std::uint32_t, kColumns> count{};
        count_available(tree, at, count);
        std::uint16_t bits = 0;
        for (std::size_t c = 0; c < kColumns; ++c) {
            if (count[c] < tree.routes[at].min_available) {
                bits = static_cast<std::uint16_t>(bits | 1U << c);
            }
        }
        return bits;
    }

    void count_available(const Tree& tree, std::size_t at,
                         std::array<std::uint32_t, kColumns>& count) {
        if (visited_[at]) {
            return;
        }
        visited_[at] = true;
        const TreeRoute& route = tree.routes[at];
        for (std::size_t m = 0; m < route.member_count; ++m) {
            const TreeMember& member = tree.members[route.first_member + m];
            if (!member.is_endpoint) {
                count_available(tree, member.target, count);
            } else if (!seen_[member.target]) {
                seen_[member.target] = true;
                for (std::size_t c = 0; c < kColumns; ++c) {
                    count[c] +=
                        available(state_->endpoints[member.target].rank.by_column[c]) ? 1U : 0U;
                }
            }
        }
    }

    void compile_holds() {
        if (facts_.holds.empty()) {
            return;
        }
        state_->holds.assign(state_->routes.size(), {kNone, kNone, kNone});
        for (std::size_t i = 0; i < std::min(facts_.holds.size(), state_->holds.size()); ++i) {
            state_->holds[i] = facts_.holds[i].member;
        }
    }

    struct Filed {
        std::uint32_t tree;
        Pending pending;
    };

    void compile_pending() {
        std::vector<Filed> filed;
        for (std::size_t i = 0; i < plan_.endpoints.size(); ++i) {
            file_endpoint(filed, i);
        }
        file_holds(filed);
        if (filed.empty()) {
            return;
        }
        std::sort(filed.begin(), filed.end(), [](const Filed& a, const Filed& b) {
            return a.tree != b.tree ? a.tree < b.tree : a.pending.earliest < b.pending.earliest;
        });
        state_->pending_of_tree.assign(plan_.trees.size() + 1, 0);
        state_->pending.reserve(filed.size());
        for (const Filed& entry : filed) {
            ++state_->pending_of_tree[entry.tree + 1];
            state_->pending.push_back(entry.pending);
        }
        for (std::size_t t = 0; t < plan_.trees.size(); ++t) {
            state_->pending_of_tree[t + 1] += state_->pending_of_tree[t];
        }
    }

    void file_endpoint(std::vector<Filed>& filed, std::size_t i) {
        const Endpoint& endpoint = plan_.endpoints[i];
        const std::size_t end = endpoint.first_slot + slots_of(endpoint);
        for (std::size_t s = endpoint.first_slot; endpoint.probed && s < end; ++s) {
            const SlotFacts slot = fact(facts_.slots, s, SlotFacts{});
            if (slot.earliest != base::kNever && slot.next != slot.health) {
                file_in_trees(filed, i,
                              {.earliest = slot.earliest,
                               .id = static_cast<std::uint32_t>(s),
                               .kind = Pending::Kind::SlotHealth,
                               .next = slot.next});
            }
        }
        const OrderFacts order = fact(facts_.orders, i, OrderFacts{});
        if (order.state.has_value() && order.until != base::kNever) {
            file_in_trees(filed, i,
                          {.earliest = order.until,
                           .id = static_cast<std::uint32_t>(i),
                           .kind = Pending::Kind::OrderEnds});
        }
    }

    void file_in_trees(std::vector<Filed>& filed, std::size_t endpoint, const Pending& pending) {
        if (endpoint < plan_.trees_of_endpoint.size()) {
            for (const TreeId tree : plan_.trees_of_endpoint[endpoint]) {
                filed.push_back({static_cast<std::uint32_t>(index(tree)), pending});
            }
        }
    }

    void file_holds(std::vector<Filed>& filed) {
        const auto ends = [](const HoldFacts& hold, std::size_t judge) {
            return hold.member[judge] != kNone && hold.until[judge] != base::kNever;
        };
        const bool any = std::any_of(
            facts_.holds.begin(), facts_.holds.end(),
            [&](const HoldFacts& hold) { return ends(hold, 0) || ends(hold, 1) || ends(hold, 2); });
        if (!any) {
            return;
        }
        for (std::size_t t = 0; t < plan_.trees.size(); ++t) {
            for (const TreeRoute& route : plan_.trees[t].routes) {
                const HoldFacts hold = fact(facts_.holds, index(route.route), HoldFacts{});
                for (std::size_t j = 0; route.remembers && j < kJudges; ++j) {
                    if (ends(hold, j)) {
                        filed.push_back({static_cast<std::uint32_t>(t),
                                         {.earliest = hold.until[j],
                                          .id = static_cast<std::uint32_t>(index(route.route)),
                                          .kind = Pending::Kind::HoldEnds,
                                          .judge = static_cast<Judge>(j)}});
                    }
                }
            }
        }
    }

    void compile_last() {
        for (std::size_t i = 0; i < std::min(facts_.last_good.size(), plan_.steered.size()); ++i) {
            if (facts_.last_good[i] != nullptr &&
                plan_.steered[i].when_all_down == config::WhenAllDown::ServeLast) {
                compile_last_of(i, *facts_.last_good[i]);
            }
        }
    }

    /// Nothing is kept while something is available: then nobody asks.
    void compile_last_of(std::size_t steered, const LastGood& good) {
        auto ranks = std::make_unique<std::array<LastRanks, kJudges>>();
        bool any = false;
        for (std::size_t j = 0; j < kJudges; ++j) {
            if (!good.slots[j].empty() &&
                !root_available(plan_, *state_, static_cast<SteeredId>(steered),
                                static_cast<Judge>(j))) {
                (*ranks)[j] = last_ranks(plan_.steered[steered], static_cast<Judge>(j), good);
                any = true;
            }
        }
        if (any) {
            state_->last.resize(plan_.steered.size());
            state_->last[steered] = std::move(ranks);
        }
    }

    LastRanks last_ranks(const SteeredName& name, Judge judge, const LastGood& good) const {
        const std::vector<Health>& healths = good.slots[static_cast<std::size_t>(judge)];
        const Column column = column_of(judge, name.families);
        LastRanks out;
        std::size_t next = 0;
        std::vector<Rank> slots;
        for (const EndpointId id : plan_.trees[index(name.tree)].endpoints) {
            const Endpoint& endpoint = plan_.endpoints[index(id)];
            const auto order = state_->orders[index(id)];
            slots.clear();
            for (std::size_t s = 0; s < slots_of(endpoint); ++s, ++next) {
                slots.push_back(
                    slot_rank(fact(healths, next, Health::Down), order, endpoint.probed));
                out.slots.push_back(
                    {static_cast<std::uint32_t>(endpoint.first_slot + s), slots.back()});
            }
            out.endpoints.push_back({static_cast<std::uint32_t>(index(id)),
                                     endpoint_ranks(endpoint, slots, order).at(column)});
        }
        std::sort(out.endpoints.begin(), out.endpoints.end(),
                  [](const auto& a, const auto& b) { return a.endpoint < b.endpoint; });
        std::sort(out.slots.begin(), out.slots.end(),
                  [](const auto& a, const auto& b) { return a.slot < b.slot; });
        return out;
    }

    const Plan& plan_;
    const HealthFacts& facts_;
    std::shared_ptr<HealthState> state_;
    std::vector<bool> done_;     // by RouteId
    std::vector<bool> seen_;     // by EndpointId
    std::vector<bool> visited_;  // by place in a tree
};

}  // namespace

std::shared_ptr<const HealthState> compile_health(const Plan& plan, const HealthFacts& facts) {
    return Compiler(plan, facts).run();
}

}  // namespace steerd::policy
