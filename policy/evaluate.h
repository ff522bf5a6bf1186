// One tree, one client, one draw, one look at health: which endpoint? The five policies of
// product.md §4.5, the same code for answers, explain, enumerate and the countdown. Everything is a
// pure function of the Scene: each route has a draw of its own made from the query's, so that
// nothing depends on the way by which a route was reached, and asking twice gives the same. No
// allocation, lock or clock. Recursion is as deep as routes are nested, which the configuration
// bounds. Thread rule: one owner, on a stack.
#pragma once

#include <cstdint>

#include "policy/evaluate_types.h"

namespace steerd::policy {

class Evaluator {
  public:
    explicit Evaluator(const Scene& scene) noexcept
        : scene_(scene),
          view_(scene.tree.view == kNone ? nullptr : scene.plan.views[scene.tree.view].get()),
          endpoints_(scene.health.endpoints.data()),
          routes_(scene.health.routes.data()),
          tree_routes_(scene.tree.routes.data()),
          members_(scene.tree.members.data()),
          column_(scene.column),
          dynamic_(scene.overlay != nullptr || scene.last != nullptr) {}

    /// The choice of a route of the tree (0 is the root).
    [[nodiscard]] Choice choose(std::uint32_t route) const noexcept;
    /// The addresses of a choice, of the family asked for. REQUIRES: choice.picked().
    void collect(const Choice& choice, SlotList& out) const noexcept;

    // The parts, for explain and enumerate.

    [[nodiscard]] Rank rank(const TreeMember& member) const noexcept {
        if (dynamic_) {
            return changed_rank(member);
        }
        return member.is_endpoint ? endpoints_[member.target].rank.at(column_)
                                  : row_of(member.target).rank.at(column_);
    }

    /// Whatever the client.
    [[nodiscard]] Tier tier_by_rank(const TreeMember& member) const noexcept {
        const Rank found = rank(member);
        if (!available(found)) {
            return Tier::Out;
        }
        const unsigned lacks = !member.is_endpoint && lacking(member) ? 2U : 0U;
        return static_cast<Tier>(lacks + (found == Rank::Degraded ? 1U : 0U));
    }

    /// As it is for this client: a route that finds nothing for it is Out.
    [[nodiscard]] Tier tier(const TreeMember& member) const noexcept {
        const Tier by_rank = tier_by_rank(member);
        const bool certain =
            by_rank == Tier::Out || member.is_endpoint || !row_of(member.target).client_dependent;
        return certain || choose(member.target).status != Choice::Status::None ? by_rank
                                                                               : Tier::Out;
    }

    [[nodiscard]] Ballot ballot(const TreeRoute& route) const noexcept;
    [[nodiscard]] std::uint64_t weight(const Ballot& ballot,
                                       const TreeMember& member) const noexcept;
    /// The member that a remembering failover stays on, or kNone.
    [[nodiscard]] std::uint32_t held(const TreeRoute& route) const noexcept;
    /// Where a latency member stands in the client's order, or kUnranked when it finds nothing.
    [[nodiscard]] std::uint32_t latency_rank(const TreeRoute& route,
                                             std::uint32_t member) const noexcept;
    /// The region that this estimate is for (RegionId), or kNone.
    [[nodiscard]] std::uint32_t latency_region(const TreeRoute& route,
                                               std::uint32_t member) const noexcept;
    /// The last rank that counts as equal to this one.
    [[nodiscard]] std::uint32_t last_equal(const TreeRoute& route,
                                           std::uint32_t rank) const noexcept;
    [[nodiscard]] GeoWalk walk(const TreeRoute& route) const noexcept;
    /// The available addresses of an endpoint.
    void collect_endpoint(std::uint32_t endpoint, SlotList& out) const noexcept;

    [[nodiscard]] const Scene& scene() const noexcept { return scene_; }

    [[nodiscard]] const TreeMember& member(const TreeRoute& route, std::uint32_t i) const noexcept {
        return members_[route.first_member + i];
    }

    static constexpr std::uint32_t kUnranked = kNone;

  private:
    using SlotFn = void (*)(void* context, std::uint32_t slot);

    [[nodiscard]] Choice failover(const TreeRoute& route) const noexcept;
    [[nodiscard]] bool is_dead_fence(const TreeMember& m) const noexcept;
    [[nodiscard]] Choice nothing_or_fence(const TreeRoute& route) const noexcept;
    [[nodiscard]] Choice weighted(std::uint32_t at) const noexcept;
    [[nodiscard]] Choice latency(const TreeRoute& route) const noexcept;
    [[nodiscard]] Choice latency_in_tier(const TreeRoute& route, Tier tier) const noexcept;
    [[nodiscard]] Choice geo(const TreeRoute& route) const noexcept;
    [[nodiscard]] Choice multivalue(std::uint32_t at) const noexcept;
    [[nodiscard]] Choice take(const TreeRoute& route, std::uint32_t i) const noexcept;

    [[nodiscard]] const RouteRow& row_of(std::uint32_t at) const noexcept {
        return routes_[config::index(tree_routes_[at].route)];
    }

    [[nodiscard]] bool lacking(const TreeMember& member) const noexcept {
        return dynamic_ ? lacking_changed(member.target) : row_of(member.target).lacks(column_);
    }

    // evaluate_ranks.cc: when something is supposed to be otherwise than it is
    [[nodiscard]] Rank changed_rank(const TreeMember& member) const noexcept;
    [[nodiscard]] Rank changed_endpoint_rank(std::uint32_t endpoint) const noexcept;
    [[nodiscard]] bool lacking_changed(std::uint32_t at) const noexcept;
    [[nodiscard]] bool usable(std::uint32_t slot) const noexcept;
    [[nodiscard]] std::uint64_t draw_of(std::uint32_t at) const noexcept;
    [[nodiscard]] std::uint32_t region_rank(const TreeRoute& route, std::uint32_t i,
                                            const Choice& choice) const noexcept;
    [[nodiscard]] std::uint32_t region_of(const Choice& choice) const noexcept;
    void for_ring(std::uint32_t at, SlotFn fn, void* context) const noexcept;
    void for_window(std::uint32_t at, SlotFn fn, void* context) const noexcept;
    void for_endpoint(std::uint32_t endpoint, SlotFn fn, void* context) const noexcept;

    const Scene& scene_;
    const View* view_;
    // What every step reads, without the way there.
    const EndpointRow* endpoints_;
    const RouteRow* routes_;
    const TreeRoute* tree_routes_;
    const TreeMember* members_;
    Column column_;
    bool dynamic_;  // ranks are not those of the health state as it is
};

}  // namespace steerd::policy
