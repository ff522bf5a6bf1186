// Ranks of members: read from the compiled state, or, when something is supposed to be otherwise,
// worked out from what changed. product.md §4.4. Thread rule: as evaluate.h.
#include <array>

#include "policy/evaluate.h"

namespace steerd::policy {

using config::index;

Rank Evaluator::rank(const TreeMember& m) const noexcept {
    return m.is_endpoint ? endpoint_rank(m.target) : route_rank(m.target);
}

Rank Evaluator::endpoint_rank(std::uint32_t endpoint) const noexcept {
    if (dynamic_) {
        Rank changed = Rank::Down;
        if (scene_.last != nullptr) {
            return scene_.last->endpoint(endpoint);
        }
        if (scene_.overlay->endpoint(endpoint, scene_.column, changed)) {
            return changed;
        }
    }
    return scene_.health.endpoints[endpoint].rank.at(scene_.column);
}

Rank Evaluator::route_rank(std::uint32_t at) const noexcept {
    const TreeRoute& route = scene_.tree.routes[at];
    if (!dynamic_) {
        return scene_.health.routes[index(route.route)].rank.at(scene_.column);
    }
    Rank best = Rank::Drained;
    for (std::uint32_t i = 0; i < route.member_count && best != Rank::Up; ++i) {
        best = std::min(best, rank(member(route, i)));
    }
    return best;
}

bool Evaluator::lacking(const TreeMember& m) const noexcept {
    if (m.is_endpoint) {
        return false;
    }
    const TreeRoute& route = scene_.tree.routes[m.target];
    if (route.min_available <= 1) {
        return false;
    }
    return dynamic_ ? !has_available(m.target, route.min_available)
                    : scene_.health.routes[index(route.route)].lacks(scene_.column);
}

namespace {

/// Distinct endpoints, as many as have to be told apart in practice.
struct Seen {
    std::array<std::uint32_t, 256> ids;
    std::uint32_t count = 0;

    [[nodiscard]] bool has(std::uint32_t id) const noexcept {
        const auto end = ids.begin() + std::min<std::size_t>(count, ids.size());
        return std::find(ids.begin(), end, id) != end;
    }

    void add(std::uint32_t id) noexcept {
        if (count < ids.size()) {
            ids[count] = id;
        }
        ++count;
    }
};

template <typename RankOf>
void count_available(const Tree& tree, std::uint32_t at, std::uint32_t wanted,
                     const RankOf& rank_of, Seen& seen) noexcept {
    const TreeRoute& route = tree.routes[at];
    for (std::uint32_t i = 0; i < route.member_count && seen.count < wanted; ++i) {
        const TreeMember& m = tree.members[route.first_member + i];
        if (!m.is_endpoint) {
            count_available(tree, m.target, wanted, rank_of, seen);
        } else if (available(rank_of(m.target)) && !seen.has(m.target)) {
            seen.add(m.target);
        }
    }
}

}  // namespace

bool Evaluator::has_available(std::uint32_t at, std::uint32_t wanted) const noexcept {
    Seen seen;
    count_available(
        scene_.tree, at, wanted, [this](std::uint32_t e) { return endpoint_rank(e); }, seen);
    return seen.count >= wanted;
}

Tier Evaluator::tier_by_rank(const TreeMember& m) const noexcept {
    const Rank r = rank(m);
    if (!available(r)) {
        return Tier::Out;
    }
    const bool degraded = r == Rank::Degraded;
    if (lacking(m)) {
        return degraded ? Tier::LackingDegraded : Tier::LackingGood;
    }
    return degraded ? Tier::Degraded : Tier::Good;
}

Tier Evaluator::tier(const TreeMember& m) const noexcept {
    const Tier by_rank = tier_by_rank(m);
    if (by_rank == Tier::Out || m.is_endpoint) {
        return by_rank;
    }
    const TreeRoute& route = scene_.tree.routes[m.target];
    if (!scene_.health.routes[index(route.route)].client_dependent) {
        return by_rank;
    }
    return choose(m.target).status == Choice::Status::None ? Tier::Out : by_rank;
}

}  // namespace steerd::policy
