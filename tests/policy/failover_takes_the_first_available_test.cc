// product.md §4.4 and §4.5 for failover: order, ranks, orders of operators, failback.
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr std::string_view kFailover = R"(
[routes.main]
policy = "failover"
members = ["a", "b", "c"]
)";

constexpr std::string_view kManual = R"(
[routes.main]
policy = "failover"
members = ["a", "b", "c"]
failback = "manual"
)";

TEST(Failover, TakesTheFirstThatIsAvailable) {
    Steering s(kFailover);
    EXPECT_EQ(s.word(), "a");
    EXPECT_EQ(s.set("a", Health::Down).word(), "b");
    EXPECT_EQ(s.set("b", Health::Down).word(), "c");
    EXPECT_EQ(s.set("a", Health::Up).word(), "a");
}

TEST(Failover, UnknownCountsAsMuchAsUp) {
    Steering s(kFailover);
    EXPECT_EQ(s.set("a", Health::Unknown).word(), "a");
}

TEST(Failover, DegradedStandsBehindUpAndUnknown) {
    Steering s(kFailover);
    s.set("a", Health::Degraded);
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(s.set("b", Health::Unknown).word(), "b");
    EXPECT_EQ(s.set("b c", Health::Down).word(), "a");
    EXPECT_EQ(s.set("b c", Health::Degraded).word(), "a");
}

TEST(Failover, OrderedOutStaysOutAndOrderedUpIsUp) {
    Steering s(kFailover);
    EXPECT_EQ(s.order("a", OrderState::Drain).word(), "b");
    EXPECT_EQ(s.order("a", OrderState::Down).word(), "b");
    EXPECT_EQ(s.order("a", OrderState::Up).set("a", Health::Down).word(), "a");
    EXPECT_EQ(s.order("a", std::nullopt).word(), "b");
}

TEST(Failover, EndpointWithoutProbesIsUp) {
    Steering s(R"(
[routes.main]
policy = "failover"
members = ["bare", "a"]
)");
    s.set("bare", Health::Unknown).set("a", Health::Up);
    EXPECT_EQ(s.word(), "bare");
    EXPECT_EQ(endpoint_rank(s.plan, *s.health, EndpointId{s.endpoint("bare")}, Judge::V4),
              Rank::Up);
    EXPECT_EQ(s.set("bare", Health::Down).word(), "a") << "supposed down, as explain may ask";
}

TEST(Failback, StaysOnTheMemberItMovedTo) {
    Steering s(kManual);
    s.set("a", Health::Down).hold("main", 1);
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(s.set("a", Health::Up).word(), "b")
        << "the better one is back, but nobody released it";
    EXPECT_EQ(s.set("b", Health::Degraded).word(), "b") << "degraded has not gone";
}

TEST(Failback, FirstAvailableCountsAgainWhenTheHeldOneGoes) {
    Steering s(kManual);
    s.hold("main", 1).set("b", Health::Down);
    EXPECT_EQ(s.word(), "a");
    EXPECT_EQ(s.set("a", Health::Down).word(), "c");
}

TEST(Failback, HoldOfARouteThatDoesNotRememberIsNoHold) {
    Steering s(kFailover);
    EXPECT_EQ(s.hold("main", 1).word(), "a");
}

TEST(Failback, HoldsAreByFamily) {
    Steering s(kManual);
    s.facts.holds[s.route("main")].member = {kNone, 1, kNone};
    EXPECT_EQ(s.word(Ask::A), "a");
    EXPECT_EQ(s.word(Ask::Aaaa), "b");
}

TEST(Failback, HoldDoesNotCountWhenAllAreDown) {
    Steering s(kManual);
    s.hold("main", 1).set("a b c", Health::Down);
    EXPECT_EQ(s.word(), "!a");
}

}  // namespace
}  // namespace steerd::policy::testing
