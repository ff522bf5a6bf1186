// product.md §5: "a drill's detection is exact: the rest of the phase + (fall - 1) x
// max(fast_interval, d) + d, with d the time a failing check takes". The phase is seen in another
// run, in which nothing fails.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

#include "rehearsal.h"

namespace steerd::drill::testing {
namespace {

using std::chrono::milliseconds;

/// When the first check of an address starts from `at_s` on in a run without events.
double next_check(const std::string& config, unsigned seed, const char* address, double at_s) {
    double found = -1;
    Onlookers onlookers;
    onlookers.check_started = [&](const health::StartCheck& start, base::Mono at) {
        const double t = std::chrono::duration<double>(at.time_since_epoch()).count();
        if (found < 0 && t >= at_s && start.address.text() == address) {
            found = t;
        }
    };
    (void)rehearsed(config, scenario_text("10m", "", seed), onlookers);
    return found;
}

struct Case {
    const char* interval;
    const char* timeout;
    const char* fast;
    double fast_s;
    int fall;
    const char* event;
    const char* more;
    double takes_s;  // of a failing check
};

class Detection : public ::testing::TestWithParam<Case> {};

TEST_P(Detection, EqualsTheFormulaToAMillisecond) {
    const Case& c = GetParam();
    std::string config = two_sites();
    config = replaced(config, "interval = \"5s\"", fmt::format("interval = \"{}\"", c.interval));
    config = replaced(config, "timeout = \"2s\"", fmt::format("timeout = \"{}\"", c.timeout));
    config =
        replaced(config, "fast_interval = \"1s\"", fmt::format("fast_interval = \"{}\"", c.fast));
    config = replaced(config, "fall = 3", fmt::format("fall = {}", c.fall));
    config = replaced(config, "slow_after = \"800ms\"\n", "");
    for (unsigned seed = 1; seed <= 5; ++seed) {
        for (const double at : {60.0, 61.3, 97.77}) {
            const auto text =
                scenario_text("10m", event(fmt::format("{}s", at), c.event, "tokyo", c.more), seed);
            const auto drill = rehearsed(config, text);
            const double rest = next_check(config, seed, "192.0.2.10", at) - at;
            const double expected = rest + (c.fall - 1) * std::max(c.fast_s, c.takes_s) + c.takes_s;
            EXPECT_NEAR(drill.detected(0), expected, 0.001) << "seed " << seed << " at " << at;
            EXPECT_GE(drill.switched(0), drill.detected(0) - 1e-9);
            EXPECT_LE(drill.switched(0), drill.detected(0) + 0.3);
            EXPECT_NEAR(drill.after(0, drill.at(0).first_failed), rest + c.takes_s, 0.001);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Timings, Detection,
    ::testing::Values(Case{"5s", "2s", "1s", 1, 3, "kill", "", 0},
                      Case{"5s", "2s", "1s", 1, 3, "blackhole", "", 2},
                      Case{"5s", "2s", "1s", 1, 3, "partition", "", 2},
                      Case{"5s", "2s", "1s", 1, 3, "slow", "delay = \"3s\"", 2},
                      Case{"5s", "500ms", "1s", 1, 3, "blackhole", "", 0.5},
                      Case{"10s", "2s", "250ms", 0.25, 5, "kill", "", 0},
                      Case{"1s", "300ms", "100ms", 0.1, 1, "blackhole", "", 0.3},
                      Case{"30s", "10s", "5s", 5, 2, "blackhole", "", 10}));

}  // namespace
}  // namespace steerd::drill::testing
