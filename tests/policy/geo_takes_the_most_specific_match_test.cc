// product.md §4.5 for geo: specificity, health, no match, fences.
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr std::string_view kGeo = R"(
[routes.main]
policy = "geo"
members = [{match="*", to="f"}, {match="continent:NA", to="e"}, {match="country:US", to="d"},
           {match="subdivision:US-CA", to="c"}, {match="AS64500", to="b"},
           {match="198.19.5.0/24", to="a"}]
)";

TEST(Geo, MostSpecificAvailableMatchThenTheNext) {
    Steering s(kGeo);
    s.from("198.19.5.1");
    for (const char* const expected : {"a", "b", "c", "d", "e", "f"}) {
        EXPECT_EQ(s.word(), expected);
        s.set(expected, Health::Down);
    }
    EXPECT_EQ(s.word(), "!a");
    s.set("a b c d e f", Health::Up).from("198.19.6.1");
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(s.from("203.0.113.1").word(), "f");
}

TEST(Geo, DegradedDoesNotMoveIt) {
    Steering s(kGeo);
    EXPECT_EQ(s.from("198.19.5.1").set("a", Health::Degraded).word(), "a");
}

constexpr std::string_view kNested = R"(
[routes.main]
policy = "failover"
members = ["places", "c"]
[routes.places]
policy = "geo"
members = [{match="country:JP", to="a"}, {match="country:DE", to="b", fence=true}]
)";

TEST(Geo, NoMatchIsUnavailableForThatClientAlone) {
    Steering s(kNested);
    EXPECT_EQ(s.from("203.0.113.1").word(), "a");
    EXPECT_EQ(s.from("198.19.0.1").word(), "c");
    EXPECT_EQ(s.from("203.0.113.1").set("a", Health::Down).word(), "c");
}

TEST(Geo, FenceEndsTheWalkHereAndAbove) {
    Steering s(kNested);
    s.from("198.18.0.1");
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(s.set("b", Health::Down).word(), "!b") << "c is up, but behind the fence";
    Steering none(kNested, "ttl = \"60s\", when_all_down = \"servfail\"");
    EXPECT_EQ(none.from("198.18.0.1").set("b", Health::Down).word(), "!servfail");
    EXPECT_EQ(none.from("203.0.113.1").word(), "a") << "others do not notice";
}

TEST(Geo, MoreSpecificMatchesAreTriedBeforeTheFence) {
    Steering s(R"(
[routes.main]
policy = "geo"
members = [{match="*", to="f"}, {match="country:US", to="d", fence=true}, {match="AS64500", to="b"}]
)");
    s.from("198.19.5.1");
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(s.set("b", Health::Down).word(), "d");
    EXPECT_EQ(s.set("d", Health::Down).word(), "!b") << "never f";
}

TEST(Geo, FenceIsNotReachedByClientsThatMatchItNot) {
    Steering s(kNested);
    s.set("b", Health::Down);
    EXPECT_EQ(s.from("198.19.0.1").word(), "c");
}

TEST(Geo, WeightedSkipsAMemberThatHasNothingForThisClient) {
    Steering s(R"(
[routes.main]
policy = "weighted"
members = [{to="places", weight=50}, {to="b", weight=25}, {to="c", weight=25}]
[routes.places]
policy = "geo"
members = [{match="country:JP", to="a"}]
)");
    s.from("198.18.0.1");
    const auto shares = s.shares(20000);
    EXPECT_NEAR(shares.at("b"), 0.5, spread(0.5, 20000));
    EXPECT_EQ(shares.count("a"), 0U);
    s.from("203.0.113.1");
    EXPECT_NEAR(s.shares(20000).at("a"), 0.5, spread(0.5, 20000));
}

TEST(Geo, LatencyPassesOverAMemberThatHasNothingForThisClient) {
    Steering s(R"(
[routes.main]
policy = "latency"
members = ["places", "b"]
[routes.places]
policy = "geo"
members = [{match="country:JP", to="a"}]
)");
    EXPECT_EQ(s.from("203.0.113.1").word(), "a");
    EXPECT_EQ(s.from("198.19.0.1").word(), "b");
}

}  // namespace
}  // namespace steerd::policy::testing
