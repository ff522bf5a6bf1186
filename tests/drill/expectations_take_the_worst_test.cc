// [expect]: held against every event that takes something out, the worst counting; null fails.
#include <gtest/gtest.h>

#include "drill/expect.h"
#include "drill/sweep_grid.h"

namespace steerd::drill {
namespace {

Verdict judged(const Results& results, std::string key, std::string text) {
    const auto limit = parse_limit(key, text);
    EXPECT_TRUE(limit) << key << " " << text;
    const std::vector<Expectation> one{{key, text, *limit, {}}};
    return judge(one, results).at(0);
}

EventFigures outage(std::optional<double> detect, std::optional<double> p99) {
    EventFigures event;
    event.what = "kill";
    event.target = "tokyo";
    event.takes_out = true;
    event.detect_s = detect;
    event.moved.p99 = p99;
    event.requests = 1000;
    event.requests_lost = 15;
    return event;
}

TEST(Expectations, TheWorstEventCounts) {
    Results results;
    results.events = {outage(4, 60), outage(9, 80)};
    EXPECT_TRUE(judged(results, "detect", "<= 9s").ok);
    EXPECT_FALSE(judged(results, "detect", "< 9s").ok);
    EXPECT_EQ(judged(results, "detect", "<= 5s").value, 9);
    EXPECT_EQ(judged(results, "detect", ">= 5s").value, 4) << "from below the least is the worst";
    EXPECT_FALSE(judged(results, "clients_moved_p99", "<= 1m").ok);
    EXPECT_TRUE(judged(results, "clients_moved_p99", "<= 90s").ok);
}

TEST(Expectations, WhatDidNotHappenFails) {
    Results results;
    results.events = {outage(4, std::nullopt), outage(9, 80)};
    const auto verdict = judged(results, "clients_moved_p99", "<= 1h");
    EXPECT_FALSE(verdict.ok);
    EXPECT_FALSE(verdict.value);
    EXPECT_EQ(value_text(verdict), "never");
    EXPECT_FALSE(judged(Results{}, "detect", "<= 1h").ok) << "nothing was taken out";
}

TEST(Expectations, RecoveriesDoNotCountAndTheServerOnlyForLosses) {
    Results results;
    results.events = {outage(4, 60)};
    auto recovery = outage(100, 100);
    recovery.takes_out = false;
    results.events.push_back(recovery);
    auto server = outage(std::nullopt, std::nullopt);
    server.target = "server";
    server.requests_lost = 500;
    results.events.push_back(server);
    EXPECT_TRUE(judged(results, "detect", "<= 4s").ok);
    EXPECT_EQ(judged(results, "lost_requests", "<= 2%").value, 50);
}

TEST(Expectations, PercentAndCounts) {
    Results results;
    results.events = {outage(4, 60)};
    results.switches = 4;
    results.load["a"] = {100, 180, 200};
    results.load["b"] = {100, 300, std::nullopt};
    EXPECT_EQ(judged(results, "lost_requests", "<= 2%").value, 1.5);
    EXPECT_TRUE(judged(results, "lost_requests", "<= 1.5%").ok);
    EXPECT_TRUE(judged(results, "switches", "<= 4").ok);
    EXPECT_FALSE(judged(results, "switches", "== 3").ok);
    EXPECT_EQ(judged(results, "peak_load", "<= 100%").value, 90);
}

TEST(Expectations, LimitsHaveTheUnitOfTheirKey) {
    EXPECT_FALSE(parse_limit("detect", "<= 20"));
    EXPECT_FALSE(parse_limit("detect", "20s"));
    EXPECT_FALSE(parse_limit("lost_requests", "<= 2s"));
    EXPECT_FALSE(parse_limit("switches", "<= 2%"));
    EXPECT_FALSE(parse_limit("switches", "<= -2"));
    EXPECT_FALSE(parse_limit("switches", "<="));
    EXPECT_EQ(parse_limit("detect", "<=500ms")->value, 0.5);
    EXPECT_EQ(parse_limit("switch", "<= 2m")->value, 120);
}

TEST(SweepGrid, ReadsWhatTheCommandLineSays) {
    const auto grid = parse_sweep("ttl=5s,30s,60s,300s  interval=1s,5s ttl_min=0,1s fall=2");
    ASSERT_TRUE(grid) << grid.error();
    EXPECT_EQ(grid->ttl.size(), 4U);
    EXPECT_EQ(grid->ttl_min.front(), base::Duration{});
    EXPECT_EQ(points_of(*grid), 16U);
    EXPECT_EQ(parse_sweep("ttl=5s,5s")->ttl.size(), 1U);
}

TEST(SweepGrid, SaysWhatIsWrong) {
    for (const char* bad : {"", "ttl", "ttl=", "ttl=0s", "ttl=1.5s", "ttl=x", "tttl=5s", "fall=0",
                            "fall=x", "interval=0s", "ttl=5s,,6s"}) {
        EXPECT_FALSE(parse_sweep(bad)) << bad;
    }
    std::string many = "ttl=1s";
    for (int i = 2; i <= 300; ++i) {
        many += "," + std::to_string(i) + "s";
    }
    EXPECT_FALSE(parse_sweep(many));
}

}  // namespace
}  // namespace steerd::drill
