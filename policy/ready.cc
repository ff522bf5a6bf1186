// Making routes ready, members before the routes that name them. See ready.h; cost is paid at every
// publication. Thread rule: pure.
#include "policy/ready.h"

#include <limits>

#include "policy/evaluate.h"

namespace steerd::policy {

using config::index;
using config::Policy;
using How = Ready::How;

namespace {

constexpr std::uint64_t kMostWeight = std::numeric_limits<std::uint32_t>::max();

constexpr std::array<Judge, ReadyRoutes::kWays> kJudgeOfWay = {Judge::V4, Judge::V6, Judge::V4,
                                                               Judge::V6, Judge::Both};

}  // namespace

class ReadyMaker {
  public:
    ReadyMaker(const Plan& plan, const HealthState& health, ReadyRoutes& out)
        : plan_(plan),
          health_(health),
          out_(out),
          done_(health.routes.size()),
          region_(health.routes.size(), kNone),
          seen_(plan.endpoints.size()) {}

    void run() {
        std::array<bool, ReadyRoutes::kWays> used{};
        for (const SteeredName& name : plan_.steered) {
            for (const Judge judge : {Judge::V4, Judge::V6}) {
                used[static_cast<std::size_t>(column_of(judge, name.families))] = true;
            }
            used[static_cast<std::size_t>(Column::Both)] |= plan_.trees[index(name.tree)].has_cname;
        }
        for (std::size_t way = 0; way < ReadyRoutes::kWays; ++way) {
            if (used[way]) {
                way_ = way;
                done_.assign(health_.routes.size(), false);
                out_.routes_[way].resize(health_.routes.size());
                make_all();
            }
        }
    }

  private:
    void make_all() {
        for (const Tree& tree : plan_.trees) {
            const Scene scene{.plan = plan_,
                              .health = health_,
                              .tree = tree,
                              .client = {},
                              .column = static_cast<Column>(way_),
                              .judge = kJudgeOfWay[way_]};
            make(Evaluator(scene), 0);
        }
    }

    Ready& ready_of(const TreeRoute& route) { return out_.routes_[way_][index(route.route)]; }

    void make(const Evaluator& look, std::uint32_t at) {
        const Tree& tree = look.scene().tree;
        const TreeRoute& route = tree.routes[at];
        if (done_[index(route.route)]) {
            return;
        }
        done_[index(route.route)] = true;
        bool by_client = false;  // a client may find nothing under some member
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            const TreeMember& member = look.member(route, i);
            if (!member.is_endpoint) {
                make(look, member.target);
                by_client = by_client || depends_on_client(health_, tree, member);
            }
        }
        make_by_policy(look, route, by_client);
        region_[index(route.route)] = region_of(tree, route);
    }

    void make_by_policy(const Evaluator& look, const TreeRoute& route, bool by_client) {
        Ready& ready = ready_of(route);
        switch (route.policy) {
            case Policy::Geo:
                ready.how = How::Places;
                return;
            case Policy::Failover:
                make_failover(look, route, by_client, health_, ready);
                return;
            case Policy::Weighted:
                if (!by_client && !route.sticky) {
                    make_draw(look, route, ready);
                }
                return;
            case Policy::Latency:
                if (!by_client) {
                    make_nearest(look, route, ready);
                }
                return;
            case Policy::Multivalue:
                if (!by_client) {
                    make_ring(look, route, ready);
                }
                return;
        }
    }

    [[nodiscard]] static bool depends_on_client(const HealthState& health, const Tree& tree,
                                                const TreeMember& member) {
        return !member.is_endpoint &&
               health.routes[index(tree.routes[member.target].route)].client_dependent;
    }

    /// A member that some client finds empty may still be taken: who finds nothing there walks.
    static void make_failover(const Evaluator& look, const TreeRoute& route, bool by_client,
                              const HealthState& health, Ready& ready) {
        if (by_client && route.remembers) {
            return;
        }
        std::uint32_t best = kNone;
        Tier best_tier = Tier::Out;
        for (std::uint32_t i = 0; best_tier != Tier::Good && i < route.member_count; ++i) {
            const TreeMember& member = look.member(route, i);
            const Tier tier = look.tier_by_rank(member);
            if (tier == Tier::Out && depends_on_client(health, look.scene().tree, member)) {
                return;  // a fence may stand there
            }
            if (tier < best_tier) {
                best_tier = tier;
                best = i;
            }
        }
        const std::uint32_t held = look.held(route);
        if (held != kNone) {
            best = held;
        }
        if (best != kNone) {
            ready = {How::Take, best, 1};
        }
    }

    void make_draw(const Evaluator& look, const TreeRoute& route, Ready& ready) {
        const Ballot ballot = look.ballot(route);
        if (ballot.total == 0 || ballot.total > kMostWeight) {
            return;
        }
        const std::size_t first = out_.shares_.size();
        std::uint32_t end = 0;
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            const std::uint64_t weight = look.weight(ballot, look.member(route, i));
            if (weight != 0) {
                end += static_cast<std::uint32_t>(weight);
                out_.shares_.push_back({end, i});
            }
        }
        ready = listed(How::Draw, first, out_.shares_.size());
    }

    void make_nearest(const Evaluator& look, const TreeRoute& route, Ready& ready) {
        const Tree& tree = look.scene().tree;
        Tier best = Tier::Out;
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            best = std::min(best, look.tier_by_rank(look.member(route, i)));
        }
        const std::size_t first = out_.runners_.size();
        for (std::uint32_t i = 0; best != Tier::Out && i < route.member_count; ++i) {
            if (look.tier_by_rank(look.member(route, i)) != best) {
                continue;
            }
            const std::uint32_t region = region_under(tree, look.member(route, i));
            std::size_t place = i;  // regions stand in the order first met
            if (place >= route.regions.size() || index(route.regions[place]) != region) {
                for (place = 0; place < route.regions.size(); ++place) {
                    if (index(route.regions[place]) == region) {
                        break;
                    }
                }
            }
            if (place == route.regions.size()) {
                out_.runners_.resize(first);
                return;
            }
            out_.runners_.push_back({static_cast<std::uint32_t>(place), i});
        }
        if (out_.runners_.size() > first) {
            ready = listed(How::Nearest, first, out_.runners_.size());
        }
    }

    [[nodiscard]] std::uint32_t region_under(const Tree& tree, const TreeMember& member) const {
        return member.is_endpoint ? health_.endpoints[member.target].region
                                  : region_[index(tree.routes[member.target].route)];
    }

    /// The region in which whatever is chosen stands, or kNone where that is not one for certain:
    /// under a latency route all members of a draw or a ring stand in one.
    /// REQUIRES: the route is ready, and those of its members.
    [[nodiscard]] std::uint32_t region_of(const Tree& tree, const TreeRoute& route) const {
        const Ready& ready = out_.routes_[way_][index(route.route)];
        const bool one = ready.how == How::Take || ready.how == How::Draw || ready.how == How::Ring;
        const std::uint32_t i = ready.how == How::Take ? ready.first : 0;
        return one ? region_under(tree, tree.members[route.first_member + i]) : kNone;
    }

    void make_ring(const Evaluator& look, const TreeRoute& route, Ready& ready) {
        const Ballot ballot = look.ballot(route);
        if (ballot.total == 0 || !plan_.distinct_addresses) {
            return;
        }
        const std::size_t first = out_.slots_.size();
        ++round_;
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            const TreeMember* member = &look.member(route, i);
            if (look.weight(ballot, *member) == 0) {
                continue;
            }
            while (!member->is_endpoint) {
                const TreeRoute& below = look.scene().tree.routes[member->target];
                const Ready& taken = ready_of(below);
                if (taken.how != How::Take) {
                    out_.slots_.resize(first);
                    return;
                }
                member = &look.member(below, taken.first);
            }
            SlotList list;
            look.collect_endpoint(member->target, list);
            if (seen_[member->target] == round_) {  // an address stands in an answer once
                out_.slots_.resize(first);
                return;
            }
            seen_[member->target] = round_;
            out_.slots_.insert(out_.slots_.end(), list.slots.begin(),
                               list.slots.begin() + static_cast<std::ptrdiff_t>(list.count));
        }
        if (out_.slots_.size() > first) {
            ready = listed(How::Ring, first, out_.slots_.size());
        }
    }

    static Ready listed(How how, std::size_t first, std::size_t end) {
        return {how, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first)};
    }

    const Plan& plan_;
    const HealthState& health_;
    ReadyRoutes& out_;
    std::size_t way_ = 0;
    std::vector<bool> done_;             // by RouteId
    std::vector<std::uint32_t> region_;  // by RouteId, see region_of()
    std::vector<std::uint32_t> seen_;    // by EndpointId, in which round
    std::uint32_t round_ = 0;
};

ReadyRoutes ReadyRoutes::make(const Plan& plan, const HealthState& health) {
    ReadyRoutes out;
    ReadyMaker(plan, health, out).run();
    return out;
}

}  // namespace steerd::policy
