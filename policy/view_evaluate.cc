// The five policies over shapes; each function has its twin of the same name in evaluate.cc.
// Thread rule: see view_evaluate.h.
#include "policy/view_evaluate.h"

#include <algorithm>
#include <array>
#include <utility>

namespace steerd::policy {

using config::Policy;

namespace {

void mark_below(const ViewShape& shape, std::size_t route, std::vector<bool>& marks) {
    const ShapeRoute& r = shape.routes[route];
    for (std::uint32_t i = 0; i < r.member_count; ++i) {
        const ShapeMember& member = shape.members[r.first_member + i];
        if (!member.is_endpoint && !marks[member.target]) {
            marks[member.target] = true;
            mark_below(shape, member.target, marks);
        }
    }
}

}  // namespace

ShapeEvaluator::ShapeEvaluator(const ViewShape& shape, Outcomes& outcomes)
    : shape_(shape),
      outcomes_(outcomes),
      route_tiers_(shape.routes.size()),
      under_latency_(shape.routes.size()) {
    for (std::uint32_t i = 0; i < shape.routes.size(); ++i) {
        below_.push_back(endpoints_under(shape, i));
        if (shape.routes[i].policy == Policy::Latency) {
            mark_below(shape, i, under_latency_);
        }
    }
}

void ShapeEvaluator::suppose(const Supposed& supposed) {
    supposed_ = &supposed;
    for (std::size_t i = 0; i < shape_.routes.size(); ++i) {
        std::uint32_t count[3] = {0, 0, 0};
        for (const std::uint32_t endpoint : below_[i]) {
            ++count[static_cast<std::size_t>(supposed.endpoints[endpoint])];
        }
        const bool lacking = count[0] + count[1] < shape_.routes[i].min_available;
        route_tiers_[i] = count[0] > 0   ? (lacking ? Tier::LackingGood : Tier::Good)
                          : count[1] > 0 ? (lacking ? Tier::LackingDegraded : Tier::Degraded)
                                         : Tier::Out;
    }
}

Outcomes::Id ShapeEvaluator::evaluate(std::span<const ClassWord> words) {
    words_ = words;
    chosen_.assign(shape_.routes.size(), kNone);
    return choose(0);
}

Outcomes::Id ShapeEvaluator::choose(std::uint32_t route) {
    if (chosen_[route] == kNone) {
        const ShapeRoute& it = shape_.routes[route];
        Id id = Outcomes::kNothing;
        switch (it.policy) {
            case Policy::Failover:
                id = failover(it);
                break;
            case Policy::Weighted:
                id = weighted(it);
                break;
            case Policy::Latency:
                id = latency(it);
                break;
            case Policy::Geo:
                id = geo(it);
                break;
            case Policy::Multivalue:
                id = multivalue(it);
                break;
        }
        chosen_[route] = id;
    }
    return chosen_[route];
}

Outcomes::Id ShapeEvaluator::take(const ShapeMember& member) {
    return member.is_endpoint ? outcomes_.endpoint(member.target) : choose(member.target);
}

ShapeEvaluator::Tier ShapeEvaluator::tier_by_rank(const ShapeMember& member) const noexcept {
    if (!member.is_endpoint) {
        return route_tiers_[member.target];
    }
    switch (supposed_->endpoints[member.target]) {
        case Condition::Up:
            return Tier::Good;
        case Condition::Degraded:
            return Tier::Degraded;
        case Condition::Out:
            return Tier::Out;
    }
    return Tier::Out;
}

ShapeEvaluator::Tier ShapeEvaluator::tier(const ShapeMember& member) {
    const Tier by_rank = tier_by_rank(member);
    const bool finds_nothing = by_rank != Tier::Out && take(member) == Outcomes::kNothing;
    return finds_nothing ? Tier::Out : by_rank;
}

std::uint32_t ShapeEvaluator::held(const ShapeRoute& route) {
    const auto index = static_cast<std::size_t>(&route - shape_.routes.data());
    const std::uint32_t hold = route.remembers ? supposed_->holds[index] : kNone;
    if (hold == kNone) {
        return kNone;
    }
    const Tier held_tier = tier(members(route)[hold]);
    if (held_tier < Tier::LackingGood) {
        return hold;
    }
    if (held_tier == Tier::Out) {
        return kNone;
    }
    for (const ShapeMember& other : members(route)) {
        if (tier(other) < Tier::LackingGood) {
            return kNone;
        }
    }
    return hold;
}

Outcomes::Id ShapeEvaluator::failover(const ShapeRoute& route) {
    const std::uint32_t hold = held(route);
    if (hold != kNone) {
        const Id id = take(members(route)[hold]);
        if (id != Outcomes::kNothing) {
            return id;
        }
    }
    const auto all = members(route);
    std::size_t end = all.size();
    for (unsigned t = 0; t < kTiers; ++t) {
        for (std::size_t i = 0; i < end; ++i) {
            const Tier found = tier_by_rank(all[i]);
            if (found == Tier::Out && is_dead_fence(all[i])) {
                end = i;
                break;
            }
            if (found == static_cast<Tier>(t)) {
                const Id id = take(all[i]);
                if (id != Outcomes::kNothing) {
                    return id;
                }
            }
        }
    }
    return end < all.size() ? Outcomes::kFenced : Outcomes::kNothing;
}

bool ShapeEvaluator::is_dead_fence(const ShapeMember& member) {
    return !member.is_endpoint && choose(member.target) == Outcomes::kFenced;
}

Outcomes::Id ShapeEvaluator::nothing_or_fence(const ShapeRoute& route) {
    for (const ShapeMember& member : members(route)) {
        if (tier_by_rank(member) == Tier::Out && is_dead_fence(member)) {
            return Outcomes::kFenced;
        }
    }
    return Outcomes::kNothing;
}

std::vector<std::uint64_t> ShapeEvaluator::votes(const ShapeRoute& route) {
    std::array<std::uint64_t, kTiers + 1> weights{};
    std::array<std::uint32_t, kTiers + 1> counts{};
    std::vector<std::size_t> tiers;
    std::uint64_t all = 0;
    for (const ShapeMember& member : members(route)) {
        tiers.push_back(static_cast<std::size_t>(tier(member)));
        weights[tiers.back()] += member.weight;
        ++counts[tiers.back()];
        all += member.weight;
    }
    const std::size_t good = counts[0] + counts[1] > 0 ? 0 : 2;
    const bool good_alone = weights[good] > 0 && 2 * weights[good] >= all;
    const bool weightless = weights[good] + weights[good + 1] == 0;
    std::vector<std::uint64_t> out;
    for (std::size_t i = 0; i < tiers.size(); ++i) {
        const bool in = tiers[i] == good || (tiers[i] == good + 1 && !good_alone);
        out.push_back(!in ? 0 : weightless ? 1 : members(route)[i].weight);
    }
    return out;
}

Outcomes::Id ShapeEvaluator::weighted(const ShapeRoute& route) {
    const std::vector<std::uint64_t> weights = votes(route);
    std::vector<Outcomes::Branch> branches;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] > 0) {
            const ShapeMember& member = members(route)[i];
            branches.push_back({weights[i], name_of(member), take(member)});
        }
    }
    if (branches.empty()) {
        return nothing_or_fence(route);
    }
    return route.sticky ? outcomes_.hash(std::move(branches)) : outcomes_.draw(std::move(branches));
}

std::uint32_t ShapeEvaluator::rank_of(const ShapeRoute& route, Id outcome) {
    const std::uint32_t region = outcomes_.region(outcome);
    const auto at = std::find(route.regions.begin(), route.regions.end(), region);
    if (region == kNone || at == route.regions.end()) {
        return kNone - 1;  // behind every rank, and yet a candidate
    }
    const std::size_t offset = shape_.slots[route.view_slot].offset;
    return words_[offset + static_cast<std::size_t>(at - route.regions.begin())];
}

Outcomes::Id ShapeEvaluator::latency(const ShapeRoute& route) {
    for (unsigned t = 0; t < kTiers; ++t) {
        const Id id = latency_in_tier(route, static_cast<Tier>(t));
        if (id != Outcomes::kNothing) {
            return id;
        }
    }
    return nothing_or_fence(route);
}

Outcomes::Id ShapeEvaluator::latency_in_tier(const ShapeRoute& route, Tier tier) {
    std::vector<Candidate> candidates;
    bool fenced = false;
    bool open = false;
    std::uint32_t best = kNone;
    for (const ShapeMember& member : members(route)) {
        if (tier_by_rank(member) != tier) {
            continue;
        }
        const Id id = take(member);
        fenced |= id == Outcomes::kFenced;
        if (id != Outcomes::kNothing && id != Outcomes::kFenced) {
            open |= outcomes_.may_end(id) || outcomes_.region(id) == Outcomes::kMixedRegions;
            candidates.push_back({rank_of(route, id), name_of(member), id});
            best = std::min(best, candidates.back().rank);
        }
    }
    if (candidates.empty()) {
        return fenced ? Outcomes::kFenced : Outcomes::kNothing;
    }
    if (open) {
        return left_open(route, candidates);
    }
    const SlotLayout& slot = shape_.slots[route.view_slot];
    const std::size_t regions = slot.size / 2;
    const std::uint32_t last = best < regions ? words_[slot.offset + regions + best] : best;
    std::vector<Outcomes::Branch> ties;
    for (const Candidate& candidate : candidates) {
        if (candidate.rank <= last) {
            ties.push_back({1, candidate.name, candidate.outcome});
        }
    }
    if (!supposed_->preference.empty()) {
        drop_beaten(ties);
    }
    return outcomes_.hash(std::move(ties));
}

/// Of those whose preference is supposed, only the first can win.
void ShapeEvaluator::drop_beaten(std::vector<Outcomes::Branch>& ties) const {
    const std::vector<std::uint32_t>& preference = supposed_->preference;
    std::uint32_t best = kNone;
    for (const Outcomes::Branch& tie : ties) {
        best = std::min(best, preference[tie.name]);
    }
    std::erase_if(ties, [&](const Outcomes::Branch& tie) {
        return preference[tie.name] != kNone && preference[tie.name] != best;
    });
}

Outcomes::Id ShapeEvaluator::left_open(const ShapeRoute& route,
                                       std::span<const Candidate> candidates) {
    std::vector<Outcomes::Branch> branches;
    for (const Candidate& candidate : candidates) {
        branches.push_back({0, candidate.name, candidate.outcome});
    }
    const SlotLayout& slot = shape_.slots[route.view_slot];
    return outcomes_.open(std::move(branches), words_.subspan(slot.offset, slot.size));
}

Outcomes::Id ShapeEvaluator::geo(const ShapeRoute& route) {
    const auto walk = words_.subspan(shape_.slots[route.view_slot].offset);
    std::size_t end = walk[0];
    for (const bool lacking_round : {false, true}) {
        for (std::size_t step = 0; step < end; ++step) {
            const ShapeMember& member = members(route)[walk[2 + step]];
            const Tier t = tier_by_rank(member);
            if (t == Tier::Out && is_dead_fence(member)) {
                end = step;
                break;
            }
            if (t == Tier::Out || (t >= Tier::LackingGood) != lacking_round) {
                continue;
            }
            const Id id = take(member);
            if (id != Outcomes::kNothing) {
                return id;
            }
        }
    }
    return walk[1] != 0 || end < walk[0] ? Outcomes::kFenced : Outcomes::kNothing;
}

Outcomes::Id ShapeEvaluator::multivalue(const ShapeRoute& route) {
    const std::vector<std::uint64_t> weights = votes(route);
    std::vector<Id> ring;
    bool fenced = false;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) {
            continue;
        }
        const Id id = take(members(route)[i]);
        fenced |= id == Outcomes::kFenced;
        if (id != Outcomes::kNothing && id != Outcomes::kFenced) {
            ring.push_back(id);
        }
    }
    if (ring.empty()) {
        return fenced ? Outcomes::kFenced : nothing_or_fence(route);
    }
    return outcomes_.ring(std::move(ring), route.max_answers);
}

}  // namespace steerd::policy
