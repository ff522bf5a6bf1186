// Matches by what they ask for. Thread rule: see walk_index.h.
#include "policy/walk_index.h"

#include <algorithm>

#include "policy/view_cells.h"
#include "policy/view_shape.h"

namespace steerd::policy {

namespace {

using config::Match;

void append(const WalkIndex::Members& from, WalkIndex::Members& to) {
    to.insert(to.end(), from.begin(), from.end());
}

template <typename Map, typename Key>
void append_at(const Map& map, const Key& key, WalkIndex::Members& to) {
    if (map.empty()) {
        return;
    }
    if (const auto found = map.find(key); found != map.end()) {
        append(found->second, to);
    }
}

template <typename Map>
std::size_t most_in(const Map& map) {
    std::size_t most = 0;
    for (const auto& [key, members] : map) {
        most = std::max(most, members.size());
    }
    return most;
}

}  // namespace

WalkIndex::WalkIndex(std::span<const ShapeMember> members) {
    Members networks;
    std::unordered_map<std::uint64_t, std::uint32_t> first;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        const ShapeMember& member = members[i];
        const Match& match = member.match;
        const std::uint64_t target =
            std::uint64_t{member.target} << 1 | (member.is_endpoint ? 1U : 0U);
        first_.push_back(first.try_emplace(target, i).first->second);
        switch (match.kind) {
            case Match::Kind::Network:
                networks.push_back(i);
                break;
            case Match::Kind::Asn:
                asns_[match.asn].push_back(i);
                break;
            case Match::Kind::Subdivision:
                subdivisions_[match.code].push_back(i);
                break;
            case Match::Kind::Country:
                countries_[match.code].push_back(i);
                break;
            case Match::Kind::Continent:
                continents_[match.code].push_back(i);
                break;
            case Match::Kind::Any:
                any_.push_back(i);
                break;
        }
    }
    add_networks(members, std::move(networks));
    measure(first.size());
}

void WalkIndex::add_networks(std::span<const ShapeMember> members, Members networks) {
    networks_ = std::move(networks);
    std::stable_sort(networks_.begin(), networks_.end(), [&](std::uint32_t a, std::uint32_t b) {
        return members[a].match.prefix < members[b].match.prefix;
    });
    for (std::uint32_t at = 0; at < networks_.size(); ++at) {
        const base::IpPrefix& prefix = members[networks_[at]].match.prefix;
        if (prefixes_.empty() || prefixes_.back() != prefix) {
            prefixes_.push_back(prefix);
            begins_.push_back(at);
        }
    }
    begins_.push_back(static_cast<std::uint32_t>(networks_.size()));
    parents_ = parents_of(prefixes_);
}

void WalkIndex::measure(std::size_t targets) {
    std::vector<std::size_t> around;  // matches of a client in exactly this network
    std::size_t most = 0;
    for (std::size_t i = 0; i < prefixes_.size(); ++i) {
        const std::size_t wider = parents_[i] == kNone ? 0 : around[parents_[i]];
        around.push_back(wider + begins_[i + 1] - begins_[i]);
        most = std::max(most, around.back());
    }
    most += most_in(asns_) + most_in(subdivisions_) + most_in(countries_) + most_in(continents_) +
            any_.size();
    most_steps_ = std::min(most, targets);
}

void WalkIndex::find(const geo::Facts& facts, const base::IpPrefix* within, Members& out) const {
    if (within != nullptr && !prefixes_.empty()) {
        for (std::uint32_t at = longest_match(prefixes_, parents_, *within); at != kNone;
             at = parents_[at]) {
            out.insert(out.end(), networks_.begin() + begins_[at],
                       networks_.begin() + begins_[at + 1]);
        }
    }
    if (facts.asn) {
        append_at(asns_, *facts.asn, out);
    }
    if (facts.subdivision) {
        append_at(subdivisions_, std::string(facts.subdivision->view()), out);
    }
    if (facts.country) {
        append_at(countries_, std::string(facts.country->view()), out);
    }
    if (facts.continent) {
        append_at(continents_, std::string(facts.continent->view()), out);
    }
    append(any_, out);
}

}  // namespace steerd::policy
