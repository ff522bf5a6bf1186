// A countdown TTL against a fixed one in the same drill: what is left after the switch is at most a
// second where the TTL is no longer than (fall - 1) x max(fast_interval, d), with d the time a
// failing check takes; and the report shows both.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "drill/rehearse.h"
#include "drill/report_html.h"
#include "drill/report_json.h"
#include "drill/report_text.h"
#include "rehearsal.h"

namespace steerd::drill::testing {
namespace {

struct Case {
    int ttl_s;
    const char* timeout;
    const char* fast;
    int fall;
    const char* event;
    double window_s;  // (fall - 1) x max(fast_interval, d)
};

std::string config_of(const Case& c, const char* ttl_min) {
    std::string config = replaced(two_sites(), "slow_after = \"800ms\"\n", "");
    config = replaced(config, "timeout = \"2s\"", fmt::format("timeout = \"{}\"", c.timeout));
    config =
        replaced(config, "fast_interval = \"1s\"", fmt::format("fast_interval = \"{}\"", c.fast));
    config = replaced(config, "fall = 3", fmt::format("fall = {}", c.fall));
    return replaced(config, "ttl = \"30s\"", fmt::format("ttl = \"{}s\"{}", c.ttl_s, ttl_min));
}

Report report_of(const std::string& config, const std::string& scenario) {
    const auto drill = rehearsed(config, scenario);
    base::Problems problems;
    Report report = rehearse(drill.scenario, drill.bound, {}, problems);
    EXPECT_FALSE(problems.has_errors()) << problems.text();
    return report;
}

std::string ideal(const std::string& scenario) {
    return replaced(scenario, "seed = ", "population = \"ideal\"\nseed = ");
}

class Countdown : public ::testing::TestWithParam<Case> {};

TEST_P(Countdown, LeavesASecondWhereTheTtlFitsIntoTheDetection) {
    const Case& c = GetParam();
    for (unsigned seed = 1; seed <= 3; ++seed) {
        const auto scenario = ideal(scenario_text("10m", event("60s", c.event, "tokyo"), seed));
        const Report report = report_of(config_of(c, ", ttl_min = \"1s\""), scenario);
        const Results& results = report.results;
        ASSERT_TRUE(results.countdown);
        EXPECT_EQ(results.countdown->ttl_s, c.ttl_s);
        EXPECT_EQ(results.countdown->ttl_min_s, 1);
        ASSERT_EQ(results.countdown->events.size(), 1U);
        const CountdownEvent& event = results.countdown->events[0];
        EXPECT_NEAR(event.window_s.value_or(-1), c.window_s, 0.3);
        // Figures are exact to 0.1 s.
        const double most = c.ttl_s <= c.window_s ? 1.1 : c.ttl_s - c.window_s + 0.1;
        EXPECT_LE(event.counting.p99.value_or(99), std::max(1.1, most));
        // The fixed TTL lets go evenly over its length, but for the second that floors cost.
        EXPECT_GE(event.fixed.p99.value_or(0), 0.99 * c.ttl_s - 1.2);
        EXPECT_LE(event.fixed.p99.value_or(99), c.ttl_s + 0.1);
        EXPECT_GE(event.fixed.p50.value_or(0), 0.3 * c.ttl_s);

        // The main table is of the drill as configured: with the countdown.
        const EventFigures& figures = results.events[0];
        EXPECT_NEAR(figures.moved.p99.value_or(-1) - figures.switch_s.value_or(0),
                    event.counting.p99.value_or(-2), 1e-9);
    }
}

INSTANTIATE_TEST_SUITE_P(Timings, Countdown,
                         ::testing::Values(Case{10, "2s", "5s", 3, "kill", 10},
                                           Case{8, "2s", "2s", 5, "blackhole", 8},
                                           Case{4, "2s", "1s", 3, "blackhole", 4},
                                           Case{6, "2s", "1s", 7, "kill", 6},
                                           Case{30, "2s", "5s", 3, "kill", 10}));

TEST(CountdownReport, ShowsBothInEveryForm) {
    const Case c{10, "2s", "5s", 3, "kill", 10};
    const auto scenario = ideal(scenario_text("10m", event("60s", "kill", "tokyo")));
    const Report report = report_of(config_of(c, ", ttl_min = \"1s\""), scenario);
    const auto json = nlohmann::json::parse(report_json(report));
    const auto& told = json["countdown"]["after_switch_s"][0];
    EXPECT_LE(told["countdown"]["p99"], 1.1);
    EXPECT_GE(told["fixed"]["p99"], 8.0);
    const std::string text = report_text(report, {});
    EXPECT_NE(text.find("counts down"), std::string::npos);
    EXPECT_NE(text.find("stays"), std::string::npos);
    const std::string page = report_html(report);
    EXPECT_NE(page.find("What the countdown buys"), std::string::npos);
    EXPECT_NE(page.find("stays at 10s"), std::string::npos);
}

TEST(CountdownReport, IsSilentWhereNothingCountsDown) {
    const Case c{10, "2s", "5s", 3, "kill", 10};
    const auto scenario = ideal(scenario_text("10m", event("60s", "kill", "tokyo")));
    const Report report = report_of(config_of(c, ""), scenario);
    EXPECT_FALSE(report.results.countdown);
    EXPECT_FALSE(nlohmann::json::parse(report_json(report)).contains("countdown"));
    EXPECT_EQ(report_html(report).find("What the countdown buys"), std::string::npos);
}

TEST(CountdownReport, ADrainNeedsNone) {
    const Case c{30, "2s", "1s", 3, "kill", 2};
    const auto scenario = ideal(scenario_text("10m", event("60s", "drain", "tokyo")));
    const Report report = report_of(config_of(c, ", ttl_min = \"1s\""), scenario);
    ASSERT_TRUE(report.results.countdown);
    const CountdownEvent& event = report.results.countdown->events.at(0);
    EXPECT_FALSE(event.window_s);
    EXPECT_NEAR(event.counting.p95.value_or(-1), event.fixed.p95.value_or(-2), 1);
}

}  // namespace
}  // namespace steerd::drill::testing
