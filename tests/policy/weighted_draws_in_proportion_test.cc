// product.md §4.5 for weighted, plain and sticky.
#include <gtest/gtest.h>

#include "policy/rendezvous.h"
#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr double kDraws = 100000;

std::string weighted(int a, int b, int c, std::string_view more = "") {
    return "[routes.main]\npolicy = \"weighted\"\nmembers = [{to=\"a\",weight=" +
           std::to_string(a) + "},{to=\"b\",weight=" + std::to_string(b) +
           "},{to=\"c\",weight=" + std::to_string(c) + "}]\n" + std::string(more) + "\n";
}

void expect_shares(const std::map<std::string, double>& seen,
                   const std::map<std::string, double>& expected, double draws = kDraws) {
    for (const auto& [name, share] : expected) {
        const auto found = seen.find(name);
        EXPECT_NEAR(found == seen.end() ? 0 : found->second, share, spread(share, draws)) << name;
    }
    double sum = 0;
    for (const auto& [name, share] : seen) {
        sum += expected.count(name) > 0 ? share : 0;
    }
    EXPECT_NEAR(sum, 1, 1e-6) << "something else was drawn";
}

TEST(Weighted, DrawsInProportionAmongTheAvailable) {
    Steering s(weighted(1, 10, 10));
    expect_shares(s.shares(), {{"a", 1.0 / 21}, {"b", 10.0 / 21}, {"c", 10.0 / 21}});
    s.set("b", Health::Down);
    expect_shares(s.shares(), {{"a", 1.0 / 11}, {"c", 10.0 / 11}});
}

TEST(Weighted, WeightZeroComesOnlyWhenNothingElseIsLeft) {
    Steering s(weighted(0, 5, 5));
    expect_shares(s.shares(20000), {{"b", 0.5}, {"c", 0.5}}, 20000);
    s.set("b c", Health::Down);
    EXPECT_EQ(s.word(), "a");
    s.set("b", Health::Degraded);
    EXPECT_EQ(s.word(), "b") << "a degraded member is still something else";
}

TEST(Weighted, SeveralOfWeightZeroAreAlike) {
    Steering s(weighted(0, 0, 5));
    s.set("c", Health::Down);
    expect_shares(s.shares(), {{"a", 0.5}, {"b", 0.5}});
}

TEST(Weighted, DegradedIsLeftOutWhileTheRestHoldHalfOfTheWeight) {
    Steering s(weighted(50, 25, 25));
    s.set("a", Health::Degraded);
    expect_shares(s.shares(), {{"b", 0.5}, {"c", 0.5}});
    s.set("b", Health::Degraded);
    expect_shares(s.shares(), {{"a", 0.5}, {"b", 0.25}, {"c", 0.25}});
}

TEST(Weighted, TheHalfIsOfAllMembersNotOfTheAvailable) {
    Steering s(weighted(60, 20, 20));
    s.set("a", Health::Down).set("b", Health::Degraded);
    expect_shares(s.shares(), {{"b", 0.5}, {"c", 0.5}});
}

TEST(Weighted, StickyGivesAClientTheSameAndClientsTheirShares) {
    Steering s(weighted(1, 4, 15, "sticky = true"));
    s.from("203.0.113.9");
    const std::string first = s.word(Ask::A, 1);
    for (std::uint64_t draw = 2; draw < 50; ++draw) {
        EXPECT_EQ(s.word(Ask::A, draw), first);
        EXPECT_EQ(s.word(Ask::Aaaa, draw), first);
    }
    s.from("203.0.113.200");
    EXPECT_EQ(s.word(), first) << "same /24";
    expect_shares(s.shares_of_clients(), {{"a", 0.05}, {"b", 0.2}, {"c", 0.75}}, 65536);
}

/// The choice of each of many clients.
std::vector<std::string> choices(Steering& s) {
    s.publish();
    std::vector<std::string> out;
    for (std::uint32_t i = 0; i < 20000; ++i) {
        s.who.hash_key = hash_key({base::IpAddress::v4(0x0A000000 + i * 256), 24});
        out.push_back(s.describe(decide(s.input(Ask::A, 1))));
    }
    return out;
}

TEST(Weighted, StickyMovesOnlyTheShareItMust) {
    Steering before(weighted(10, 10, 10, "sticky = true"));
    const auto first = choices(before);
    Steering more(weighted(10, 10, 20, "sticky = true"));
    const auto second = choices(more);
    before.set("c", Health::Down);
    const auto third = choices(before);
    std::size_t moved = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
        moved += first[i] != second[i] ? 1U : 0U;
        EXPECT_TRUE(first[i] == second[i] || second[i] == "c")
            << "moved to where nothing was added";
        EXPECT_TRUE(first[i] == third[i] || first[i] == "c") << "moved though its member stayed";
    }
    const double share = static_cast<double>(moved) / static_cast<double>(first.size());
    EXPECT_NEAR(share, 0.5 - 1.0 / 3, spread(1.0 / 6, 20000));
}

TEST(Weighted, StickyKeyIsTheSlash24OrSlash56OrTheShorterSource) {
    EXPECT_EQ(hash_key(net("203.0.113.9")), hash_key(net("203.0.113.200")));
    EXPECT_EQ(hash_key(net("203.0.113.9")), hash_key(net("203.0.113.0/24")));
    EXPECT_NE(hash_key(net("203.0.112.9")), hash_key(net("203.0.113.9")));
    EXPECT_EQ(hash_key(net("2001:db8:0:1::1")), hash_key(net("2001:db8:0:ff::")));
    EXPECT_NE(hash_key(net("2001:db8:0:100::1")), hash_key(net("2001:db8:0:1::1")));
    EXPECT_EQ(hash_key(net("::ffff:203.0.113.9")), hash_key(net("203.0.113.0/24")));
    EXPECT_EQ(hash_key(net("10.0.0.0/8")), hash_key(net("10.0.0.0/8")));
}

TEST(Rendezvous, LotsAreExactOnEveryMachine) {
    // Fixed values: a compiler or machine that gets another one would send clients elsewhere.
    EXPECT_EQ(rendezvous_detail::minus_log2(~std::uint64_t{0}) >> 8, 0U);
    EXPECT_EQ(rendezvous_detail::minus_log2(std::uint64_t{1} << 63), std::uint64_t{1} << 40);
    EXPECT_EQ(rendezvous_detail::minus_log2(1), std::uint64_t{64} << 40);
    for (const double u : {0.9, 0.5003, 0.31, 0.01, 1e-6}) {
        const auto h = static_cast<std::uint64_t>(u * 0x1.0p64);
        const double got = static_cast<double>(rendezvous_detail::minus_log2(h)) * 0x1.0p-40;
        EXPECT_NEAR(got, -std::log2(u), 3e-8) << u;
    }
}

}  // namespace
}  // namespace steerd::policy::testing
