// product.md §4.5 for latency. Estimates come from rows, so that they are what the test says.
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr std::string_view kLatency = R"(
[routes.main]
policy = "latency"
members = ["a", "b", "c"]
tolerance = "5ms"
)";

WorldText rows(std::string lines) {
    WorldText text;
    text.latency = std::move(lines);
    return text;
}

const WorldText kRows = rows(
    "203.0.113.0/24,tokyo,10\n203.0.113.0/24,frankfurt,200\n"
    "203.0.113.0/24,virginia,150\n"
    "198.18.0.0/16,tokyo,201\n198.18.0.0/16,frankfurt,10\n"
    "198.18.0.0/16,virginia,14\n");

TEST(Latency, TakesTheNearestAndThenTheNextNearest) {
    Steering s(kLatency, "ttl = \"60s\"", "", kRows);
    EXPECT_EQ(s.word(), "a");
    EXPECT_EQ(s.set("a", Health::Down).word(), "c");
    EXPECT_EQ(s.set("c", Health::Down).word(), "b");
    EXPECT_EQ(s.set("b", Health::Down).word(), "!a") << "serve-all: as if all were up";
}

TEST(Latency, DegradedStandsBehindUpAndUnknown) {
    Steering s(kLatency, "ttl = \"60s\"", "", kRows);
    EXPECT_EQ(s.set("a", Health::Degraded).word(), "c");
    EXPECT_EQ(s.set("b c", Health::Down).word(), "a");
    EXPECT_EQ(s.set("a", Health::Unknown).set("b c", Health::Up).word(), "a");
}

TEST(Latency, WithinToleranceTheHashChooses) {
    Steering s(kLatency, "ttl = \"60s\"", "", kRows);
    s.from("198.18.1.1");
    const auto shares = s.shares_of_clients(20000);  // keys vary, the class stays
    EXPECT_NEAR(shares.at("b"), 0.5, spread(0.5, 20000));
    EXPECT_NEAR(shares.at("c"), 0.5, spread(0.5, 20000));
    s.from("198.18.1.1");
    EXPECT_EQ(s.word(Ask::A, 1), s.word(Ask::Aaaa, 99)) << "not drawn: one client, one site";
}

TEST(Latency, ToleranceIsMeasuredFromTheBestAvailable) {
    Steering s(kLatency, "ttl = \"60s\"", "", kRows);
    s.from("198.18.1.1").set("b", Health::Down);
    EXPECT_NEAR(s.shares_of_clients(1000).at("c"), 1, 1e-9);
    s.set("c", Health::Degraded).set("b", Health::Up);
    EXPECT_NEAR(s.shares_of_clients(1000).at("b"), 1, 1e-9);
}

TEST(Latency, MembersOfOneRegionAreEqual) {
    Steering s(R"(
[routes.main]
policy = "latency"
members = ["a", "d", "b"]
)",
               "ttl = \"60s\"", "", kRows);
    const auto shares = s.shares_of_clients(20000);
    EXPECT_NEAR(shares.at("a"), 0.5, spread(0.5, 20000));
    EXPECT_NEAR(shares.at("d"), 0.5, spread(0.5, 20000));
}

TEST(Latency, ARouteCountsByTheEndpointItWouldChoose) {
    Steering s(R"(
[routes.main]
policy = "latency"
members = ["pair", "b"]
[routes.pair]
policy = "failover"
members = ["a", "c"]
)",
               "ttl = \"60s\"", "", kRows);
    EXPECT_EQ(s.word(), "a");
    EXPECT_EQ(s.set("a", Health::Down).word(), "c") << "150 ms against 200";
    s.from("198.18.1.1");
    EXPECT_EQ(s.set("a", Health::Up).word(), "b");
}

TEST(Latency, MembersWithoutAnEstimateComeLast) {
    Steering s(kLatency, "ttl = \"60s\"", "", rows("10.0.0.0/8,virginia,400\n"));
    s.from("10.1.2.3");
    EXPECT_EQ(s.word(), "c") << "nothing else is known of this client, and the node stands nowhere";
}

}  // namespace
}  // namespace steerd::policy::testing
