// product.md §4.8: the countdown to the earliest moment at which this very answer could change.
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr std::string_view kTwo = R"(
[routes.main]
policy = "failover"
members = ["a", "b", "c"]
)";
constexpr std::string_view kMin = "ttl = \"60s\", ttl_min = \"5s\"";

std::uint32_t ttl_at(Steering& s, double seconds, Ask ask = Ask::A) {
    s.now = at(seconds);
    return s.decide(ask).ttl_s;
}

TEST(Ttl, IsTheConfiguredOneWhileNothingIsUnderWay) {
    Steering s(kTwo, kMin);
    EXPECT_EQ(ttl_at(s, 0), 60U);
}

TEST(Ttl, WithoutTtlMinNothingCountsDown) {
    Steering s(kTwo);
    s.pending("a", Health::Down, 10);
    EXPECT_EQ(ttl_at(s, 0), 60U);
}

TEST(Ttl, CountsDownSecondBySecondAndNeverExceedsTheTimeLeft) {
    Steering s(kTwo, kMin);
    s.pending("a", Health::Down, 20.05);
    std::uint32_t before = 60;
    std::set<std::uint32_t> seen;
    for (int tenth = 0; tenth <= 220; ++tenth) {
        const double now = tenth / 10.0;
        const std::uint32_t ttl = ttl_at(s, now);
        const double left = std::max(0.0, std::ceil(20.05 - now - 1e-9));
        EXPECT_EQ(ttl, std::max(5.0, left)) << "at " << now;
        EXPECT_LE(ttl, before);
        before = ttl;
        seen.insert(ttl);
    }
    EXPECT_EQ(seen.size(), 17U) << "21 down to 5, each second";
}

TEST(Ttl, AtAndPastTheMomentItIsTtlMin) {
    Steering s(kTwo, kMin);
    s.pending("a", Health::Down, 10);
    EXPECT_EQ(ttl_at(s, 10), 5U);
    EXPECT_EQ(ttl_at(s, 99), 5U);
}

TEST(Ttl, FartherOffThanTtlIsTtl) {
    Steering s(kTwo, kMin);
    s.pending("a", Health::Down, 300);
    EXPECT_EQ(ttl_at(s, 0), 60U);
}

TEST(Ttl, WhatWouldNotChangeThisAnswerDoesNotCount) {
    Steering s(kTwo, kMin);
    s.pending("b", Health::Down, 10).pending("c", Health::Down, 10);
    EXPECT_EQ(ttl_at(s, 0), 60U);
    s.pending("a", Health::Degraded, 20);
    EXPECT_EQ(ttl_at(s, 0), 20U) << "degraded stands behind up";
    EXPECT_EQ(ttl_at(s, 0, Ask::Aaaa), 20U);
}

TEST(Ttl, OneAddressOfSeveralChangesTheAnswer) {
    Steering s("[routes.main]\npolicy = \"failover\"\nmembers = [\"many\", \"a\"]\n", kMin);
    s.pending("many", Health::Down, 10, false);
    EXPECT_EQ(ttl_at(s, 0, Ask::A), 10U);
    EXPECT_EQ(ttl_at(s, 0, Ask::Aaaa), 60U) << "it is an IPv4 address";
}

TEST(Ttl, APreferredOneComingUpCounts) {
    Steering s(kTwo, kMin);
    s.set("a", Health::Down).pending("a", Health::Up, 12);
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(ttl_at(s, 0), 12U);
}

TEST(Ttl, HeldByFailbackAComingOneDoesNotCountUntilTheHoldEnds) {
    const std::string routes = std::string(kTwo) + "failback = \"5m\"\n";
    Steering s(routes, kMin);
    s.set("a", Health::Down).pending("a", Health::Up, 12).hold("main", 1);
    EXPECT_EQ(ttl_at(s, 0), 60U);
    s.set("a", Health::Up).hold("main", 1, at(40));
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(ttl_at(s, 0), 40U);
    EXPECT_EQ(ttl_at(s, 30.5), 10U);
}

TEST(Ttl, TheEndOfAnOrderCounts) {
    Steering s(kTwo, kMin);
    s.order("a", OrderState::Drain, at(30));
    EXPECT_EQ(s.word(), "b");
    EXPECT_EQ(ttl_at(s, 0), 30U);
    s.set("a", Health::Down);
    EXPECT_EQ(ttl_at(s, 0), 60U) << "down as it is, it will not come back then";
    s.order("a", OrderState::Up, at(30));
    EXPECT_EQ(s.word(), "a");
    EXPECT_EQ(ttl_at(s, 0), 30U);
}

TEST(Ttl, TheEarliestOfSeveralCounts) {
    Steering s(kTwo, kMin);
    s.set("a", Health::Down).pending("a", Health::Up, 40).pending("b", Health::Down, 25);
    EXPECT_EQ(ttl_at(s, 0), 25U);
}

TEST(Ttl, WhatOnlySeveralTogetherChangeCounts) {
    Steering s(R"(
[routes.main]
policy = "failover"
members = ["pair", "c"]
[routes.pair]
policy = "weighted"
members = ["a", "b"]
min_available = 2
)",
               kMin);
    s.set("a b", Health::Down).pending("a", Health::Up, 10).pending("b", Health::Up, 20);
    EXPECT_EQ(s.word(), "c");
    EXPECT_EQ(ttl_at(s, 0), 20U);
}

TEST(Ttl, ServeAllThatWouldAnswerTheSameDoesNotCount) {
    Steering s("[routes.main]\npolicy = \"failover\"\nmembers = [\"a\"]\n", kMin);
    s.pending("a", Health::Down, 10);
    EXPECT_EQ(ttl_at(s, 0), 60U);
    Steering nodata("[routes.main]\npolicy = \"failover\"\nmembers = [\"a\"]\n",
                    std::string(kMin) + ", when_all_down = \"nodata\"");
    nodata.pending("a", Health::Down, 10);
    EXPECT_EQ(ttl_at(nodata, 0), 10U);
}

TEST(Ttl, ManyPendingChangesAreBoundedWork) {
    std::string members;
    std::string endpoints;
    for (int i = 0; i < 40; ++i) {
        const std::string n = std::to_string(i);
        endpoints += "[endpoints.x" + n + "]\nregion=\"tokyo\"\naddresses=[\"10.0.0." + n +
                     "\"]\nprobes=[\"web\"]\n";
        members += (i == 0 ? "\"x" : ", \"x") + n + "\"";
    }
    Steering s(endpoints + "[routes.main]\npolicy=\"failover\"\nmembers=[\"a\", " + members + "]\n",
               kMin);
    for (int i = 0; i < 40; ++i) {
        s.pending("x" + std::to_string(i), Health::Down, 10 + i);
    }
    EXPECT_EQ(ttl_at(s, 0), 26U) << "sixteen are played through, the next is taken to matter";
}

TEST(Ttl, CnameAnswersCountDownToo) {
    Steering s("[routes.main]\npolicy = \"failover\"\nmembers = [\"a\", \"alias\"]\n", kMin);
    s.set("a", Health::Down).pending("a", Health::Up, 9);
    EXPECT_EQ(s.word(Ask::Other), "cname alias");
    EXPECT_EQ(ttl_at(s, 0, Ask::Other), 9U);
}

}  // namespace
}  // namespace steerd::policy::testing
