// Writing each outcome in one way. Thread rule: see view_outcome.h.
#include "policy/view_outcome.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <tuple>
#include <utility>

namespace steerd::policy {

Outcomes::Outcomes(const ViewShape& shape) : shape_(shape), nodes_(3), keys_(3, &special_) {
    nodes_[kFenced].may_end = true;
    for (std::uint32_t i = 0; i < shape.endpoints.size(); ++i) {
        of_endpoint_.push_back(set_of({i}));
    }
}

Outcomes::Id Outcomes::intern(Key key, Node node) {
    const auto [at, fresh] = ids_.try_emplace(std::move(key), static_cast<Id>(nodes_.size()));
    if (fresh) {
        nodes_.push_back(std::move(node));
        keys_.push_back(&at->first);
    }
    return at->second;
}

void Outcomes::join(Node& node, Id part) const {
    const Node& other = nodes_[part];
    node.hashed |= other.hashed;
    node.cname |= other.cname;
    node.may_end |= other.may_end;
    node.most = std::max(node.most, other.most);
    std::vector<std::uint32_t> endpoints;
    std::set_union(node.endpoints.begin(), node.endpoints.end(), other.endpoints.begin(),
                   other.endpoints.end(), std::back_inserter(endpoints));
    node.endpoints = std::move(endpoints);
    if (other.region != kNone) {
        node.region =
            node.region == kNone || node.region == other.region ? other.region : kMixedRegions;
    }
}

Outcomes::Id Outcomes::set_of(std::vector<std::uint32_t> endpoints) {
    std::sort(endpoints.begin(), endpoints.end());
    endpoints.erase(std::unique(endpoints.begin(), endpoints.end()), endpoints.end());
    Key key{Kind::Set, 0, {}};
    Node node;
    node.set = true;
    for (const std::uint32_t i : endpoints) {
        const ShapeEndpoint& endpoint = shape_.endpoints[i];
        key.branches.push_back({0, i, kNothing});
        node.cname |= endpoint.cname;
        node.most += endpoint.addresses;
        if (node.region == kNone) {
            node.region = endpoint.region;
        } else if (endpoint.region != node.region) {
            node.region = kMixedRegions;
        }
    }
    node.endpoints = std::move(endpoints);
    return intern(std::move(key), std::move(node));
}

Outcomes::Id Outcomes::endpoint(std::uint32_t endpoint) { return of_endpoint_[endpoint]; }

Outcomes::Id Outcomes::choice(Kind kind, std::vector<Branch> branches) {
    std::sort(branches.begin(), branches.end(), [](const Branch& a, const Branch& b) {
        return std::tie(a.outcome, a.name, a.weight) < std::tie(b.outcome, b.name, b.weight);
    });
    if (branches.front().outcome == branches.back().outcome) {
        return branches.front().outcome;  // whatever is drawn
    }
    std::uint64_t divisor = 0;
    Node node;
    node.hashed = kind == Kind::Hash;
    for (const Branch& branch : branches) {
        divisor = std::gcd(divisor, branch.weight);
        join(node, branch.outcome);
    }
    for (Branch& branch : branches) {
        branch.weight /= divisor;
    }
    return intern({kind, 0, std::move(branches)}, std::move(node));
}

Outcomes::Id Outcomes::draw(std::vector<Branch> branches) {
    std::map<Id, std::uint64_t> weights;
    for (const Branch& branch : branches) {
        weights[branch.outcome] += branch.weight;
    }
    branches.clear();
    for (const auto& [outcome, weight] : weights) {
        branches.push_back({weight, 0, outcome});
    }
    return choice(Kind::Draw, std::move(branches));
}

Outcomes::Id Outcomes::hash(std::vector<Branch> branches) {
    return choice(Kind::Hash, std::move(branches));
}

/// A draw or hash between what `fn` makes of its branches; anything else as it is.
template <typename Fn>
Outcomes::Id Outcomes::for_branches(Id id, const Fn& fn) {
    const Kind kind = keys_[id]->kind;
    if (kind != Kind::Draw && kind != Kind::Hash) {
        return id;
    }
    std::vector<Branch> branches = keys_[id]->branches;
    for (Branch& branch : branches) {
        branch.outcome = fn(branch.outcome);
    }
    return kind == Kind::Draw ? draw(std::move(branches)) : hash(std::move(branches));
}

/// The same without these endpoints, when something else hands them out anyway.
Outcomes::Id Outcomes::without(Id id, const std::vector<std::uint32_t>& endpoints) {
    const Kind kind = keys_[id]->kind;
    if (id == kFenced && !endpoints.empty()) {
        return set_of({});  // a fence keeps others' addresses from nobody
    }
    if (kind == Kind::Set) {
        std::vector<std::uint32_t> rest;
        std::set_difference(nodes_[id].endpoints.begin(), nodes_[id].endpoints.end(),
                            endpoints.begin(), endpoints.end(), std::back_inserter(rest));
        return set_of(std::move(rest));
    }
    return for_branches(id, [&](Id branch) { return without(branch, endpoints); });
}

/// The window is the whole ring, so it hands out the union of its members, and what a member could
/// only add again does not matter.
Outcomes::Id Outcomes::whole_ring(std::vector<Id> members) {
    std::vector<std::uint32_t> sure;
    std::vector<Id> open;
    for (bool more = true; more;) {
        more = false;
        open.clear();
        for (const Id member : members) {
            const Id rest = without(member, sure);
            if (!nodes_[rest].set) {
                open.push_back(rest);
            } else if (!nodes_[rest].endpoints.empty()) {
                const auto& endpoints = nodes_[rest].endpoints;
                sure.insert(sure.end(), endpoints.begin(), endpoints.end());
                std::sort(sure.begin(), sure.end());
                more = true;
            }
        }
        members = open;
    }
    std::sort(open.begin(), open.end());
    open.erase(std::unique(open.begin(), open.end()), open.end());
    if (open.empty() || !sure.empty()) {
        open.push_back(set_of(std::move(sure)));
    }
    if (open.size() == 1) {
        return open.front();
    }
    Key key{Kind::Whole, 0, {}};
    Node node;
    std::uint32_t most = 0;
    for (const Id member : open) {
        key.branches.push_back({0, 0, member});
        join(node, member);
        most += nodes_[member].most;
    }
    node.most = most;
    return intern(std::move(key), std::move(node));
}

/// Of all ways to write a ring the least: it has no beginning, and windows are sets, so where each
/// member has one address it has no direction either.
std::vector<Outcomes::Id> Outcomes::least_ring(std::vector<Id> members,
                                               std::uint32_t max_answers) const {
    const bool all_sets =
        std::all_of(members.begin(), members.end(), [&](Id member) { return nodes_[member].set; });
    if (max_answers == 1 && all_sets) {
        // One address of all, each as often as it stands there.
        std::map<Id, std::size_t> counts;
        std::size_t divisor = 0;
        for (const Id member : members) {
            ++counts[member];
        }
        for (const auto& [member, count] : counts) {
            divisor = std::gcd(divisor, count);
        }
        members.clear();
        for (const auto& [member, count] : counts) {
            members.insert(members.end(), count / divisor, member);
        }
        return members;
    }
    const bool single = std::all_of(members.begin(), members.end(), [&](Id member) {
        return nodes_[member].set && nodes_[member].most == 1;
    });
    std::vector<Id> best = members;
    for (const bool backwards : {false, true}) {
        for (std::size_t i = 0; i < members.size() && (single || !backwards); ++i) {
            std::rotate(members.begin(), members.begin() + 1, members.end());
            best = std::min(best, members);
        }
        std::reverse(members.begin(), members.end());
    }
    return best;
}

Outcomes::Id Outcomes::ring(std::vector<Id> members, std::uint32_t max_answers) {
    const Kind first = keys_[members.front()]->kind;
    if (members.size() == 1 && (first == Kind::Draw || first == Kind::Hash)) {
        return for_branches(members.front(), [&](Id branch) {
            return branch == kFenced ? branch : ring({branch}, max_answers);
        });
    }
    Node node;
    std::uint32_t addresses = 0;
    for (const Id member : members) {
        join(node, member);
        addresses += nodes_[member].most;
    }
    // The same over and over: a window holds it once at least.
    const bool repeated = nodes_[members.front()].most <= max_answers &&
                          (members.size() == 1 || nodes_[members.front()].set) &&
                          std::equal(members.begin() + 1, members.end(), members.begin());
    if (!node.cname && (addresses <= max_answers || repeated)) {
        return repeated ? members.front() : whole_ring(std::move(members));
    }
    Key key{Kind::Ring, max_answers, {}};
    for (const Id member : least_ring(std::move(members), max_answers)) {
        key.branches.push_back({0, 0, member});
    }
    node.most = max_answers;
    return intern(std::move(key), std::move(node));
}

Outcomes::Id Outcomes::open(std::vector<Branch> branches, std::span<const ClassWord> decides) {
    Node node;
    node.hashed = branches.size() > 1;
    for (const Branch& branch : branches) {
        join(node, branch.outcome);
    }
    for (const ClassWord word : decides) {
        branches.push_back({1, word, kNothing});
    }
    return intern({Kind::Open, 0, std::move(branches)}, std::move(node));
}

}  // namespace steerd::policy
