// product.md §4.4: a route ranks as the best under it, min_available, and unavailable branches back
// out to the next best sibling, through five policies nested.
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr std::string_view kPair = R"(
[routes.main]
policy = "failover"
members = ["pair", "c"]
[routes.pair]
policy = "weighted"
members = ["a", "b"]
min_available = 2
)";

TEST(MinAvailable, FewerArePassedOverWhileASiblingHasItsOwn) {
    Steering s(kPair);
    EXPECT_NE(s.word(), "c");
    EXPECT_EQ(s.set("a", Health::Down).word(), "c");
    EXPECT_EQ(s.set("c", Health::Degraded).word(), "c") << "it has its own all the same";
}

TEST(MinAvailable, AtTheLastItCountsAsOne) {
    Steering s(kPair);
    s.set("a c", Health::Down);
    EXPECT_EQ(s.word(), "b");
}

TEST(MinAvailable, CountsEndpointsUnderAllRoutesEachOnce) {
    Steering s(R"(
[routes.main]
policy = "failover"
members = ["group", "f"]
[routes.group]
policy = "failover"
members = ["left", "right"]
min_available = 3
[routes.left]
policy = "failover"
members = ["a", "b"]
[routes.right]
policy = "failover"
members = ["b", "c"]
)");
    EXPECT_EQ(s.word(), "a");
    EXPECT_EQ(s.set("b", Health::Down).word(), "f") << "a and c are two";
    EXPECT_EQ(s.set("b", Health::Degraded).word(), "a") << "degraded is available";
}

TEST(MinAvailable, PassedOverInEveryPolicy) {
    for (const char* const policy : {"weighted", "latency", "multivalue"}) {
        Steering s("[routes.main]\npolicy = \"" + std::string(policy) +
                   "\"\nmembers = [\"pair\", \"d\"]\n[routes.pair]\npolicy = \"failover\"\n"
                   "members = [\"a\", \"four\"]\nmin_available = 2\n");
        EXPECT_EQ(s.shares(2000).count("d"), std::string(policy) == "weighted" ? 1U : 0U) << policy;
        s.set("a", Health::Down);
        EXPECT_NEAR(s.shares(500)["d"], 1, 1e-9) << policy;
        s.set("d", Health::Down);
        EXPECT_NEAR(s.shares(500)["four"], 1, 1e-9) << policy;
    }
}

TEST(MinAvailable, PassedOverInGeo) {
    Steering s(R"(
[routes.main]
policy = "geo"
members = [{match="country:JP", to="pair"}, {match="*", to="c"}]
[routes.pair]
policy = "weighted"
members = ["a", "b"]
min_available = 2
)");
    EXPECT_EQ(s.set("a", Health::Down).word(), "c");
    EXPECT_EQ(s.set("c", Health::Down).word(), "b");
}

TEST(MinAvailable, ControlSeesThePassedOverAsDown) {
    Steering s(kPair);
    s.set("a", Health::Down).publish();
    const auto ranks = member_ranks(s.plan, *s.health, RouteId{s.route("main")}, Judge::V4);
    EXPECT_EQ(ranks, (std::vector<Rank>{Rank::Down, Rank::Up}));
    s.set("c", Health::Down).publish();
    EXPECT_EQ(member_ranks(s.plan, *s.health, RouteId{s.route("main")}, Judge::V4),
              (std::vector<Rank>{Rank::Up, Rank::Down}));
}

constexpr std::string_view kFive = R"(
[routes.main]
policy = "failover"
members = ["places", "bare"]
[routes.places]
policy = "geo"
members = [{match="country:JP", to="near"}, {match="continent:EU", to="near"}]
[routes.near]
policy = "latency"
members = ["tokyo", "b"]
[routes.tokyo]
policy = "weighted"
members = [{to="ring", weight=3}, {to="d", weight=1}]
[routes.ring]
policy = "multivalue"
members = ["a", "many"]
)";

TEST(Nested, FivePoliciesDeep) {
    Steering s(kFive);
    const auto shares = s.shares(40000);
    EXPECT_NEAR(shares.at("a,many"), 0.75, spread(0.75, 40000));
    EXPECT_NEAR(shares.at("d"), 0.25, spread(0.25, 40000));
    s.set("many", Health::Down);
    EXPECT_NEAR(s.shares(40000).at("a"), 0.75, spread(0.75, 40000));
    s.set("a", Health::Down);
    EXPECT_NEAR(s.shares(500).at("d"), 1, 1e-9);
    s.set("d", Health::Down);
    EXPECT_EQ(s.word(), "b");
    s.set("b", Health::Down);
    EXPECT_EQ(s.word(), "bare");
    s.set("a b d many", Health::Up).from("198.18.0.1");
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(s.from("198.19.0.1").word(), "bare") << "no match in the United States";
}

TEST(Nested, ADegradedBranchStandsBehindAnUpOne) {
    Steering s(R"(
[routes.main]
policy = "failover"
members = ["first", "second"]
[routes.first]
policy = "weighted"
members = ["a", "b"]
[routes.second]
policy = "weighted"
members = ["c", "d"]
)");
    s.set("a", Health::Down).set("b", Health::Degraded).set("c", Health::Down);
    EXPECT_EQ(s.word(), "d");
    EXPECT_EQ(s.set("d", Health::Degraded).word(), "b");
}

}  // namespace
}  // namespace steerd::policy::testing
