// The five policies of product.md §4.5: choosing. Ranks come from evaluate_ranks.cc, addresses from
// evaluate_slots.cc; knows nothing of TTLs or of what happens when all are down (decide.cc).
// Thread rule: as evaluate.h.
#include "policy/evaluate.h"

#include "base/rng.h"
#include "policy/rendezvous.h"

namespace steerd::policy {

using config::index;
using config::Policy;
using Status = Choice::Status;

namespace {

constexpr std::uint8_t bit(Tier tier) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(tier));
}

}  // namespace

Choice Evaluator::choose(std::uint32_t route) const noexcept {
    const TreeRoute& it = tree_routes_[route];
    switch (it.policy) {
        case Policy::Failover:
            return failover(it);
        case Policy::Weighted:
            return weighted(route);
        case Policy::Latency:
            return latency(it);
        case Policy::Geo:
            return geo(it);
        case Policy::Multivalue:
            return multivalue(route);
    }
    return {};
}

Choice Evaluator::take(const TreeRoute& route, std::uint32_t i) const noexcept {
    const TreeMember& chosen = member(route, i);
    Choice choice;
    if (chosen.is_endpoint) {
        choice.status = Status::Picked;
        choice.endpoint = chosen.target;
    } else {
        choice = choose(chosen.target);
    }
    choice.member = i;
    return choice;
}

std::uint64_t Evaluator::draw_of(std::uint32_t at) const noexcept {
    return route_draw(scene_.draw, at);
}

std::uint32_t Evaluator::held(const TreeRoute& route) const noexcept {
    const std::size_t id = index(route.route);
    if (!route.remembers || is_all_up(scene_.column) || id >= scene_.health.holds.size()) {
        return kNone;
    }
    const std::uint32_t i = scene_.health.holds[id][static_cast<std::size_t>(scene_.judge)];
    if (i >= route.member_count ||
        (scene_.overlay != nullptr &&
         scene_.overlay->hold_ended(static_cast<std::uint32_t>(id), scene_.judge))) {
        return kNone;
    }
    const Tier held_tier = tier(member(route, i));
    if (held_tier < Tier::LackingGood) {
        return i;
    }
    if (held_tier == Tier::Out) {
        return kNone;
    }
    for (std::uint32_t other = 0; other < route.member_count; ++other) {
        if (tier(member(route, other)) < Tier::LackingGood) {
            return kNone;  // passed over while a sibling has its own
        }
    }
    return i;
}

Choice Evaluator::failover(const TreeRoute& route) const noexcept {
    const std::uint32_t hold = held(route);
    if (hold != kNone) {
        const Choice choice = take(route, hold);
        if (choice.status != Status::None) {
            return choice;
        }
    }
    unsigned present = bit(Tier::Good);  // what the first round met
    std::uint32_t end = route.member_count;
    for (unsigned t = 0; t < kTiers; ++t) {
        if ((present >> t & 1U) == 0) {
            continue;
        }
        for (std::uint32_t i = 0; i < end; ++i) {
            const Tier found = tier_by_rank(member(route, i));
            present |= bit(found);
            if (found == Tier::Out && is_dead_fence(member(route, i))) {
                end = i;  // met in the first round, before anything behind it could be taken
                break;
            }
            if (static_cast<unsigned>(found) == t) {
                const Choice choice = take(route, i);
                if (choice.status != Status::None) {
                    return choice;
                }
            }
        }
    }
    return {.status = end < route.member_count ? Status::Fenced : Status::None};
}

/// Nothing under it is available, and a fence keeps this client from everything else.
/// REQUIRES: the member's tier is Out.
bool Evaluator::is_dead_fence(const TreeMember& m) const noexcept {
    return !m.is_endpoint && choose(m.target).status == Status::Fenced;
}

/// What a route without any available member comes to.
Choice Evaluator::nothing_or_fence(const TreeRoute& route) const noexcept {
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        const TreeMember& m = member(route, i);
        if (tier_by_rank(m) == Tier::Out && is_dead_fence(m)) {
            return {.status = Status::Fenced};
        }
    }
    return {};
}

Ballot Evaluator::ballot(const TreeRoute& route) const noexcept {
    std::array<std::uint64_t, kTiers + 1> weights{};
    std::array<std::uint32_t, kTiers + 1> counts{};
    std::uint64_t all = 0;
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        const TreeMember& m = member(route, i);
        const auto t = static_cast<std::size_t>(tier(m));
        weights[t] += m.weight;
        ++counts[t];
        all += m.weight;
    }
    const std::size_t good = counts[0] + counts[1] > 0 ? 0 : 2;
    Ballot out;
    // Degraded members stay out only while the rest hold at least half of the weight.
    if (weights[good] > 0 && 2 * weights[good] >= all) {
        out.tiers = static_cast<std::uint8_t>(1U << good);
        out.total = weights[good];
        out.everyone = counts[good] == route.member_count;
        return out;
    }
    out.tiers = static_cast<std::uint8_t>(3U << good);
    out.total = weights[good] + weights[good + 1];
    if (out.total == 0) {
        out.weightless = true;
        out.total = counts[good] + counts[good + 1];
    }
    return out;
}

std::uint64_t Evaluator::weight(const Ballot& ballot, const TreeMember& m) const noexcept {
    if (!ballot.weightless && m.weight == 0) {
        return 0;
    }
    const bool takes_part = ballot.everyone || (ballot.tiers & bit(tier(m))) != 0;
    return !takes_part ? 0 : ballot.weightless ? 1 : m.weight;
}

Choice Evaluator::weighted(std::uint32_t at) const noexcept {
    const TreeRoute& route = tree_routes_[at];
    const Ballot votes = ballot(route);
    if (votes.total == 0) {
        return nothing_or_fence(route);
    }
    Lot best;
    std::uint32_t winner = kNone;
    std::uint64_t left = route.sticky ? 0 : base::Rng(draw_of(at)).below(votes.total);
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        const TreeMember& m = member(route, i);
        const std::uint64_t w = weight(votes, m);
        if (w == 0) {
            continue;
        }
        if (route.sticky) {
            const Lot lot = draw_lot(m.name_hash, scene_.client.hash_key, w);
            if (beats(lot, best)) {
                best = lot;
                winner = i;
            }
        } else if (left < w) {
            return take(route, i);
        } else {
            left -= w;
        }
    }
    return winner == kNone ? Choice{} : take(route, winner);
}

std::uint32_t Evaluator::region_of(const Choice& choice) const noexcept {
    if (choice.endpoint != kNone) {
        return endpoints_[choice.endpoint].region;
    }
    // All endpoints of a multivalue route under `latency` stand in one region.
    const TreeMember* m = &member(tree_routes_[choice.ring], 0);
    while (!m->is_endpoint) {
        m = &member(tree_routes_[m->target], 0);
    }
    return endpoints_[m->target].region;
}

std::uint32_t Evaluator::region_rank(const TreeRoute& route, std::uint32_t i,
                                     const Choice& choice) const noexcept {
    if (view_ == nullptr || route.view_slot == kNone) {
        return 0;
    }
    const std::uint32_t region = region_of(choice);
    const auto& regions = route.regions;
    std::size_t at = i;  // regions stand in the order first met, so most members find theirs here
    if (at >= regions.size() || index(regions[at]) != region) {
        at = 0;
        while (at < regions.size() && index(regions[at]) != region) {
            ++at;
        }
    }
    if (at == regions.size()) {
        return kNone - 1;  // behind every rank, and yet a candidate
    }
    return view_->latency(scene_.client.cls, route.view_slot).rank_of_region[at];
}

std::uint32_t Evaluator::latency_rank(const TreeRoute& route, std::uint32_t i) const noexcept {
    const Choice choice = take(route, i);
    return choice.picked() ? region_rank(route, i, choice) : kUnranked;
}

std::uint32_t Evaluator::latency_region(const TreeRoute& route, std::uint32_t i) const noexcept {
    const Choice choice = take(route, i);
    return choice.picked() ? region_of(choice) : kNone;
}

std::uint32_t Evaluator::last_equal(const TreeRoute& route, std::uint32_t rank) const noexcept {
    if (view_ == nullptr || route.view_slot == kNone) {
        return rank;
    }
    const LatencyOrder order = view_->latency(scene_.client.cls, route.view_slot);
    return rank < order.last_equal.size() ? order.last_equal[rank] : rank;
}

Choice Evaluator::latency(const TreeRoute& route) const noexcept {
    unsigned present = 0;
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        present |= bit(tier_by_rank(member(route, i)));
    }
    for (unsigned t = 0; t < kTiers; ++t) {
        if ((present >> t & 1U) != 0) {
            const Choice choice = latency_in_tier(route, static_cast<Tier>(t));
            if (choice.status != Status::None) {
                return choice;
            }
        }
    }
    return nothing_or_fence(route);
}

Choice Evaluator::latency_in_tier(const TreeRoute& route, Tier t) const noexcept {
    Choice best;
    std::uint32_t best_rank = kUnranked;
    std::uint32_t next_rank = kUnranked;  // of the best but one
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        if (tier_by_rank(member(route, i)) != t) {
            continue;
        }
        const Choice choice = take(route, i);
        if (!choice.picked()) {
            if (choice.status == Status::Fenced && !best.picked()) {
                best = choice;  // without an estimate it comes last; it ends the walk if it is all
            }
            continue;
        }
        const std::uint32_t rank = region_rank(route, i, choice);
        if (!best.picked() || rank < best_rank) {
            next_rank = best_rank;
            best_rank = rank;
            best = choice;
        } else {
            next_rank = std::min(next_rank, rank);
        }
    }
    if (!best.picked() || next_rank == kUnranked) {
        return best;
    }
    const std::uint32_t limit = last_equal(route, best_rank);
    if (next_rank > limit) {
        return best;
    }
    Lot best_lot;
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        const TreeMember& m = member(route, i);
        const Lot lot = draw_lot(m.name_hash, scene_.client.hash_key, 1);
        if (tier_by_rank(m) != t || !beats(lot, best_lot)) {
            continue;
        }
        const Choice choice = take(route, i);
        if (choice.picked() && region_rank(route, i, choice) <= limit) {
            best_lot = lot;
            best = choice;
        }
    }
    return best;
}

GeoWalk Evaluator::walk(const TreeRoute& route) const noexcept {
    if (view_ == nullptr || route.view_slot == kNone) {
        return {};
    }
    return view_->geo(scene_.client.cls, route.view_slot);
}

Choice Evaluator::geo(const TreeRoute& route) const noexcept {
    const GeoWalk steps = walk(route);
    std::size_t end = steps.members.size();
    for (const bool lacking_round : {false, true}) {
        for (std::size_t step = 0; step < end; ++step) {
            const ClassWord i = steps.members[step];
            const Tier t = tier_by_rank(member(route, i));
            if (t == Tier::Out && is_dead_fence(member(route, i))) {
                end = step;
                break;
            }
            if (t == Tier::Out || (t >= Tier::LackingGood) != lacking_round) {
                continue;
            }
            const Choice choice = take(route, i);
            if (choice.status != Status::None) {
                return choice;
            }
        }
    }
    const bool fenced = steps.fenced || end < steps.members.size();
    return {.status = fenced ? Status::Fenced : Status::None};
}

Choice Evaluator::multivalue(std::uint32_t at) const noexcept {
    const TreeRoute& route = tree_routes_[at];
    const Ballot votes = ballot(route);
    if (votes.total == 0) {
        return nothing_or_fence(route);
    }
    Choice out;
    for (std::uint32_t i = 0; i < route.member_count && !out.picked(); ++i) {
        const TreeMember& m = member(route, i);
        if (weight(votes, m) > 0) {
            out.status = take(route, i).status;  // None is not possible here, Fenced is
        }
    }
    out.ring = at;
    return out;
}

}  // namespace steerd::policy
