// enumerate(): every outcome with its exact share. Where a route does not draw, the Evaluator
// itself is asked which member it takes; where it does (weighted without sticky, the windows of
// multivalue), the same ballots and rings that a query draws from are listed whole. Where the
// members of one multivalue route draw in more than kMaxCombinations ways, that many draws are
// counted instead. Load plane: allocates. Thread rule: pure.
#include <map>
#include <utility>

#include "base/rng.h"
#include "policy/decide_resolve.h"

namespace steerd::policy {
namespace {

using config::index;
using config::Policy;
using Status = Choice::Status;

constexpr std::size_t kMaxCombinations = 4096;

struct Branch {
    Status status = Status::None;
    std::uint32_t endpoint = kNone;    // when one endpoint was chosen
    std::vector<std::uint32_t> slots;  // in the order of the ring
    double share = 1;
};

using Branches = std::vector<Branch>;

class Distribution {
  public:
    explicit Distribution(const Evaluator& evaluator) : it_(evaluator) {}

    Branches of_route(std::uint32_t at) const {
        const TreeRoute& route = it_.scene().tree.routes[at];
        if (route.policy == Policy::Multivalue) {
            return windows(at);
        }
        if (route.policy == Policy::Weighted && !route.sticky) {
            return drawn(route);
        }
        const Choice choice = it_.choose(at);
        if (choice.member == kNone) {
            return {{.status = choice.status, .slots = {}}};
        }
        return of_member(it_.member(route, choice.member));
    }

  private:
    Branches of_member(const TreeMember& member) const {
        if (!member.is_endpoint) {
            return of_route(member.target);
        }
        Branch branch;
        branch.status = Status::Picked;
        branch.endpoint = member.target;
        SlotList list;
        it_.collect_endpoint(member.target, list);
        branch.slots.assign(list.slots.begin(),
                            list.slots.begin() + static_cast<std::ptrdiff_t>(list.count));
        return {branch};
    }

    Branches drawn(const TreeRoute& route) const {
        const Ballot votes = it_.ballot(route);
        Branches out;
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            const std::uint64_t weight = it_.weight(votes, it_.member(route, i));
            if (weight > 0) {
                for (Branch& branch : of_member(it_.member(route, i))) {
                    branch.share *= static_cast<double>(weight) / static_cast<double>(votes.total);
                    out.push_back(std::move(branch));
                }
            }
        }
        return out.empty() ? Branches{Branch{}} : out;
    }

    Branches windows(std::uint32_t at) const {
        const TreeRoute& route = it_.scene().tree.routes[at];
        const Ballot votes = it_.ballot(route);
        Branches rings = {{.status = Status::None, .slots = {}}};
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            if (it_.weight(votes, it_.member(route, i)) == 0) {
                continue;
            }
            const Branches parts = of_member(it_.member(route, i));
            if (rings.size() * parts.size() > kMaxCombinations) {
                return counted(at);
            }
            rings = extended(rings, parts);
        }
        Branches out;
        for (const Branch& ring : rings) {
            add_windows(ring, route.max_answers, out);
        }
        return out;
    }

    static Branches extended(const Branches& rings, const Branches& parts) {
        Branches out;
        for (const Branch& ring : rings) {
            for (const Branch& part : parts) {
                Branch next = ring;
                next.share *= part.share;
                next.slots.insert(next.slots.end(), part.slots.begin(), part.slots.end());
                if (next.status != Status::Picked) {
                    next.status = part.status;
                }
                out.push_back(std::move(next));
            }
        }
        return out;
    }

    static void add_windows(const Branch& ring, std::uint32_t most, Branches& out) {
        const std::size_t size = ring.slots.size();
        if (size <= most) {
            out.push_back(ring);
            return;
        }
        for (std::size_t start = 0; start < size; ++start) {
            Branch window = ring;
            window.share /= static_cast<double>(size);
            window.slots.clear();
            for (std::size_t i = 0; i < most; ++i) {
                window.slots.push_back(ring.slots[(start + i) % size]);
            }
            out.push_back(std::move(window));
        }
    }

    Branches counted(std::uint32_t at) const {
        Branches out;
        base::Rng rng(it_.scene().draw);
        for (std::size_t i = 0; i < kMaxCombinations; ++i) {
            Scene scene = it_.scene();
            scene.draw = rng.next();
            const Evaluator evaluator(scene);
            const Choice choice = evaluator.choose(at);
            SlotList list;
            if (choice.picked()) {
                evaluator.collect(choice, list);
            }
            out.push_back({.status = choice.status,
                           .endpoint = kNone,
                           .slots = {list.slots.begin(),
                                     list.slots.begin() + static_cast<std::ptrdiff_t>(list.count)},
                           .share = 1.0 / static_cast<double>(kMaxCombinations)});
        }
        return out;
    }

    const Evaluator& it_;
};

Branches look(const DecideInput& input, const Look& where) {
    const Scene scene = scene_of(input, where);
    const Evaluator evaluator(scene);
    return Distribution(evaluator).of_route(0);
}

Possible possible(const DecideInput& input, const Branch& branch, bool fail_open, double share) {
    Possible out;
    out.fail_open = fail_open;
    out.share = branch.share * share;
    out.kind = branch.slots.empty() ? DecisionKind::NoData : DecisionKind::Addresses;
    for (const std::uint32_t slot : branch.slots) {
        out.slots.push_back(static_cast<SlotId>(slot));
        out.endpoints.push_back(input.plan.slots[slot].endpoint);
    }
    if (branch.endpoint != kNone) {
        out.endpoints.push_back(static_cast<EndpointId>(branch.endpoint));
        if (input.health.endpoints[branch.endpoint].cname) {
            out.kind = DecisionKind::Cname;
        }
    }
    const auto tidy = [](auto& list) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    };
    tidy(out.slots);
    tidy(out.endpoints);
    return out;
}

/// Adds what was picked; returns the share for which nothing was.
double add_picked(const DecideInput& input, const Look& where, double share,
                  std::vector<Possible>& out) {
    double left = 0;
    for (const Branch& branch : look(input, where)) {
        if (branch.status == Status::Picked) {
            out.push_back(possible(input, branch, where.fail_open, share));
        } else {
            left += branch.share * share;
        }
    }
    return left;
}

std::vector<Possible> outcomes(const DecideInput& input, Judge judge) {
    std::vector<Possible> out;
    double left = add_picked(input, live_look(input, judge), 1, out);
    if (left <= 0) {
        return out;
    }
    AllDown next = all_down(input, judge, nullptr);
    if (next.kind == DecisionKind::Addresses) {
        left = add_picked(input, next.look, left, out);
        if (left > 0 && next.look.last != nullptr) {
            next.look.last = nullptr;
            next.look.column = all_up_column(next.look.column);
            left = add_picked(input, next.look, left, out);
        }
        next.kind = DecisionKind::NoData;
    }
    if (left > 0) {
        out.push_back(
            {.kind = next.kind, .endpoints = {}, .slots = {}, .share = left, .fail_open = true});
    }
    return out;
}

std::vector<Possible> merged(std::vector<Possible> list) {
    const auto key = [](const Possible& p) {
        return std::tie(p.kind, p.endpoints, p.slots, p.fail_open);
    };
    std::sort(list.begin(), list.end(),
              [&](const Possible& a, const Possible& b) { return key(a) < key(b); });
    std::vector<Possible> out;
    for (Possible& p : list) {
        if (!out.empty() && key(out.back()) == key(p)) {
            out.back().share += p.share;
        } else {
            out.push_back(std::move(p));
        }
    }
    return out;
}

}  // namespace

std::vector<Possible> enumerate(const DecideInput& input) {
    std::vector<Possible> out;
    double address_share = 1;
    if (tree_of(input).has_cname) {
        address_share = 0;
        for (Possible& p : outcomes(input, Judge::Both)) {
            if (p.kind == DecisionKind::Addresses) {
                address_share += p.share;
            } else {
                out.push_back(std::move(p));
            }
        }
    }
    if (address_share > 0 && input.ask == Ask::Other) {
        Possible no;
        no.kind = DecisionKind::NotCname;
        no.share = address_share;
        out.push_back(no);
    } else if (address_share > 0) {
        for (Possible& p : outcomes(input, judge_of(input.ask))) {
            p.share *= address_share;
            out.push_back(std::move(p));
        }
    }
    return merged(std::move(out));
}

}  // namespace steerd::policy
