// Ranks of members when something is supposed to be otherwise than it is: worked out from what
// changed. Ranks as they are stand in the compiled state and are read there (evaluate.h).
// product.md §4.4. Thread rule: as evaluate.h.
#include <array>

#include "policy/evaluate.h"

namespace steerd::policy {

Rank Evaluator::changed_rank(const TreeMember& m) const noexcept {
    if (m.is_endpoint) {
        return changed_endpoint_rank(m.target);
    }
    const TreeRoute& route = scene_.tree.routes[m.target];
    Rank best = Rank::Drained;
    for (std::uint32_t i = 0; i < route.member_count && best != Rank::Up; ++i) {
        best = std::min(best, changed_rank(member(route, i)));
    }
    return best;
}

Rank Evaluator::changed_endpoint_rank(std::uint32_t endpoint) const noexcept {
    if (scene_.last != nullptr) {
        return scene_.last->endpoint(endpoint);
    }
    Rank changed = Rank::Down;
    return scene_.overlay->endpoint(endpoint, scene_.column, changed)
               ? changed
               : scene_.health.endpoints[endpoint].rank.at(scene_.column);
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

bool Evaluator::lacking_changed(std::uint32_t at) const noexcept {
    const std::uint32_t wanted = scene_.tree.routes[at].min_available;
    if (wanted <= 1) {
        return false;
    }
    Seen seen;
    const auto rank_of = [this](std::uint32_t e) { return changed_endpoint_rank(e); };
    count_available(scene_.tree, at, wanted, rank_of, seen);
    return seen.count < wanted;
}

}  // namespace steerd::policy
