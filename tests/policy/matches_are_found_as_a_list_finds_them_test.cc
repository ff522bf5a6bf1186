// The index of a geo route's matches against a look at each of them: the same members, most
// specific first, equals in the order of the list; and never more than it promised.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "policy/view_shape.h"

namespace steerd::policy::testing {
namespace {

using config::Match;

constexpr std::array<const char*, 3> kCountries = {"DE", "JP", "US"};
constexpr std::array<const char*, 3> kContinents = {"EU", "AS", "NA"};

base::IpPrefix random_network(base::Rng& rng) {
    const auto length = static_cast<unsigned>(rng.below(13));
    const auto value = static_cast<std::uint32_t>(rng.below(16)) << 28 |
                       static_cast<std::uint32_t>(rng.below(8)) << 20;
    if (rng.below(8) == 0) {
        return {base::IpAddress::v6({static_cast<std::uint8_t>(value >> 24),
                                     static_cast<std::uint8_t>(value >> 16)}),
                length};
    }
    return {base::IpAddress::v4(value), length};
}

ShapeMember random_member(base::Rng& rng) {
    ShapeMember member;
    member.target = static_cast<std::uint32_t>(rng.below(40));
    member.is_endpoint = rng.below(2) == 0;
    Match& match = member.match;
    match.kind = rng.below(2) == 0 ? Match::Kind::Network : static_cast<Match::Kind>(rng.below(6));
    match.asn = static_cast<std::uint32_t>(rng.below(4));
    if (match.kind == Match::Kind::Network) {
        match.prefix = random_network(rng);
    } else if (match.kind == Match::Kind::Continent) {
        match.code = kContinents[static_cast<std::size_t>(rng.below(3))];
    } else if (match.kind == Match::Kind::Country || match.kind == Match::Kind::Subdivision) {
        match.code = kCountries[static_cast<std::size_t>(rng.below(3))];
    }
    return member;
}

geo::Facts random_facts(base::Rng& rng) {
    const auto one_of = [&](const auto& codes) {
        return std::string_view(codes[static_cast<std::size_t>(rng.below(3))]);
    };
    geo::Facts facts;
    if (rng.below(3) != 0) {
        facts.asn = static_cast<std::uint32_t>(rng.below(5));
    }
    if (rng.below(3) != 0) {
        facts.country = decltype(facts.country)::value_type::from(one_of(kCountries));
    }
    if (rng.below(3) != 0) {
        facts.continent = decltype(facts.continent)::value_type::from(one_of(kContinents));
    }
    if (rng.below(3) != 0) {
        facts.subdivision = decltype(facts.subdivision)::value_type::from(one_of(kCountries));
    }
    return facts;
}

bool matches(const Match& match, const geo::Facts& facts, const base::IpPrefix* within) {
    switch (match.kind) {
        case Match::Kind::Network:
            return within != nullptr && match.prefix.contains(*within);
        case Match::Kind::Asn:
            return facts.asn == match.asn;
        case Match::Kind::Subdivision:
            return facts.subdivision && facts.subdivision->view() == match.code;
        case Match::Kind::Country:
            return facts.country && facts.country->view() == match.code;
        case Match::Kind::Continent:
            return facts.continent && facts.continent->view() == match.code;
        case Match::Kind::Any:
            return true;
    }
    return false;
}

std::vector<std::uint32_t> listed(const std::vector<ShapeMember>& members, const geo::Facts& facts,
                                  const base::IpPrefix* within) {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        if (matches(members[i].match, facts, within)) {
            out.push_back(i);
        }
    }
    const auto rank = [&](std::uint32_t i) {
        const Match& match = members[i].match;
        return match.kind == Match::Kind::Network ? 128 - match.prefix.length()
                                                  : 128 + static_cast<unsigned>(match.kind);
    };
    std::stable_sort(out.begin(), out.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
    return out;
}

TEST(Matches, AreFoundAsAListFindsThem) {
    base::Rng rng(3);
    std::size_t networks_met = 0;
    for (int round = 0; round < 200 && !::testing::Test::HasFailure(); ++round) {
        std::vector<ShapeMember> members(static_cast<std::size_t>(rng.below(60)));
        std::generate(members.begin(), members.end(), [&] { return random_member(rng); });
        const WalkIndex index{members};
        for (int i = 0; i < 50; ++i) {
            const geo::Facts facts = random_facts(rng);
            const base::IpPrefix network = random_network(rng);
            const base::IpPrefix* const within = rng.below(5) == 0 ? nullptr : &network;
            WalkIndex::Members found;
            index.find(facts, within, found);
            EXPECT_EQ(found, listed(members, facts, within));
            std::vector<std::uint32_t> targets;
            for (const std::uint32_t member : found) {
                const std::uint32_t first = index.first_of(member);
                EXPECT_EQ(members[first].target, members[member].target);
                EXPECT_EQ(members[first].is_endpoint, members[member].is_endpoint);
                EXPECT_LE(first, member);
                targets.push_back(first);
                networks_met += members[member].match.kind == Match::Kind::Network ? 1 : 0;
            }
            std::sort(targets.begin(), targets.end());
            targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
            EXPECT_LE(targets.size(), index.most_steps());
        }
    }
    EXPECT_GT(networks_met, 1000U);
}

TEST(Matches, AreFoundBehindMoreThanSixteenBits) {
    std::vector<ShapeMember> members(70000);
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        members[i].target = i;
        members[i].match.kind = Match::Kind::Network;
        members[i].match.prefix = {base::IpAddress::v4(i << 8), 24};
    }
    const WalkIndex index{members};
    EXPECT_EQ(index.most_steps(), 1U) << "and so a class is small";
    WalkIndex::Members found;
    const base::IpPrefix within(base::IpAddress::v4(69999U << 8 | 7U), 32);
    index.find({}, &within, found);
    EXPECT_EQ(found, WalkIndex::Members{69999});
}

}  // namespace
}  // namespace steerd::policy::testing
