// product.md §6, event by event: what is taken out, when it is noticed and answered otherwise, what
// the truth about the endpoint is, and when all is as before.
#include <gtest/gtest.h>

#include "rehearsal.h"

namespace steerd::drill::testing {
namespace {

using Names = std::vector<std::string>;

double failing_at(const Rehearsed& drill, std::size_t endpoint, double t_s) {
    double failing = 0;
    for (const Truth& truth : drill.run.timeline.truth.at(endpoint)) {
        if (std::chrono::duration<double>(truth.from.time_since_epoch()).count() <= t_s) {
            failing = truth.failing;
        }
    }
    return failing;
}

TEST(VirtualDrill, AQuietDayHasNoSwitch) {
    const auto drill = rehearsed(two_sites(), scenario_text("24h", ""));
    EXPECT_EQ(drill.run.timeline.switches, 0U);
    ASSERT_EQ(drill.run.timeline.classes.size(), 2U);
    for (const auto& line : drill.run.timeline.classes) {
        EXPECT_EQ(line.pieces.size(), 1U);
    }
    EXPECT_EQ(drill.answered(0, 80'000), Names{"tokyo"});
    EXPECT_EQ(drill.answered(1, 80'000), Names{"virginia"});
}

TEST(VirtualDrill, KilledAndRecovered) {
    const auto drill =
        rehearsed(two_sites(), scenario_text("10m", event("1m", "kill", "region:tokyo") +
                                                        event("5m", "recover", "region:tokyo")));
    EXPECT_EQ(drill.answered(0, 59), Names{"tokyo"});
    EXPECT_EQ(drill.answered(0, 68), Names{"virginia"});
    EXPECT_EQ(drill.answered(0, 290), Names{"virginia"});
    EXPECT_EQ(drill.answered(0, 320), Names{"tokyo"});
    EXPECT_EQ(drill.run.timeline.switches, 2U);
    EXPECT_EQ(failing_at(drill, 0, 59.9), 0);
    EXPECT_EQ(failing_at(drill, 0, 60), 1);
    EXPECT_EQ(failing_at(drill, 0, 300), 0);
    EXPECT_TRUE(drill.at(0).takes_out);
    EXPECT_FALSE(drill.at(1).takes_out);
    EXPECT_EQ(drill.at(0).ends, base::Mono{std::chrono::minutes(5)});
    // Back in service within (rise + 1) x interval + 0.3 s.
    ASSERT_TRUE(drill.run.stories[0].switch_back_s);
    EXPECT_LE(*drill.run.stories[0].switch_back_s, 15.3);
    EXPECT_GT(*drill.run.stories[0].switch_back_s, 5);
    EXPECT_NEAR(drill.switched(1), *drill.run.stories[0].switch_back_s, 1e-9);
}

TEST(VirtualDrill, ATotalOutageNeverSwitchesAway) {
    const auto drill =
        rehearsed(two_sites(), scenario_text("5m", event("1m", "blackhole", "region:tokyo") +
                                                       event("1m", "kill", "region:virginia")));
    EXPECT_EQ(drill.switched(0), -1);
    EXPECT_GT(drill.detected(0), 0);
    const auto& answers = drill.run.timeline.answers;
    EXPECT_TRUE(std::any_of(answers.begin(), answers.end(),
                            [](const Answer& answer) { return answer.fail_open; }));
    EXPECT_EQ(drill.answered(0, 200), Names{"tokyo"});
}

TEST(VirtualDrill, SlowerThanSlowAfterIsDegradedAndKeptServing) {
    const auto config = replaced(two_sites(), "policy = \"latency\"", "policy = \"failover\"");
    const auto drill =
        rehearsed(config, scenario_text("5m", event("1m", "slow", "tokyo", "delay = \"1s\"") +
                                                  event("3m", "recover", "tokyo")));
    EXPECT_EQ(drill.answered(0, 170), Names{"virginia"});
    EXPECT_GT(drill.detected(0), 0);
    EXPECT_EQ(failing_at(drill, 0, 100), 0) << "slow is not lost";
    EXPECT_EQ(drill.answered(0, 200), Names{"tokyo"});
}

TEST(VirtualDrill, GrayFailsItsShareAndIsFoundBySeed) {
    const auto text = scenario_text("30m", event("1m", "gray", "tokyo", "fail = 0.5"));
    const auto drill = rehearsed(two_sites(), text);
    EXPECT_EQ(failing_at(drill, 0, 100), 0.5);
    EXPECT_GT(drill.detected(0), 0) << "three in a row of a half come within half an hour";
    EXPECT_GT(drill.run.stories[0].flaps, 0U) << "and two good ones too";
    const auto again = rehearsed(two_sites(), text);
    EXPECT_EQ(again.detected(0), drill.detected(0));
    EXPECT_EQ(again.run.timeline.switches, drill.run.timeline.switches);
}

TEST(VirtualDrill, FlapsWithItsPeriod) {
    const auto drill = rehearsed(
        two_sites(),
        scenario_text("10m", event("1m", "flap", "tokyo", "period = \"60s\"\nduty = 0.5") +
                                 event("5m", "recover", "tokyo")));
    EXPECT_EQ(failing_at(drill, 0, 61), 1);
    EXPECT_EQ(failing_at(drill, 0, 91), 0);
    EXPECT_EQ(failing_at(drill, 0, 121), 1);
    EXPECT_EQ(failing_at(drill, 0, 301), 0);
    EXPECT_EQ(drill.answered(0, 85), Names{"virginia"});
    EXPECT_EQ(drill.answered(0, 118), Names{"tokyo"});
    EXPECT_EQ(drill.run.stories[0].flaps, 4U);
    EXPECT_EQ(drill.run.timeline.switches, 8U);
}

TEST(VirtualDrill, DrainMovesAtOnceAndLosesNothing) {
    const auto drill = rehearsed(
        two_sites(),
        scenario_text("5m", event("1m", "drain", "tokyo") + event("3m", "release", "tokyo")));
    EXPECT_EQ(drill.detected(0), 0);
    EXPECT_LE(drill.switched(0), 0.3);
    EXPECT_EQ(failing_at(drill, 0, 100), 0);
    EXPECT_EQ(drill.answered(0, 170), Names{"virginia"});
    EXPECT_EQ(drill.answered(0, 181), Names{"tokyo"});
    EXPECT_EQ(drill.at(0).ends, base::Mono{std::chrono::minutes(3)});
}

TEST(VirtualDrill, AnOrderAtTheBeginningFindsCachesAsTheyWereBefore) {
    const auto drill = rehearsed(two_sites(), scenario_text("5m", event("0s", "drain", "tokyo")));
    EXPECT_EQ(drill.answered(0, 0), Names{"tokyo"});
    EXPECT_EQ(drill.answered(0, 1), Names{"virginia"});
    EXPECT_LT(drill.switched(0), 1e-5);
    EXPECT_EQ(drill.run.timeline.switches, 1U);
}

TEST(VirtualDrill, ADrainThatWouldLeaveNothingIsRefusedAndSaysSo) {
    const std::string both =
        event("1m", "drain", "region:tokyo") + event("2m", "drain", "region:virginia");
    const auto drill = rehearsed(two_sites(), scenario_text("5m", both));
    EXPECT_EQ(drill.detected(1), -1);
    EXPECT_EQ(drill.switched(1), -1);
    ASSERT_EQ(drill.run.notes.size(), 1U);
    EXPECT_NE(drill.run.notes[0].find("drain of region:virginia at 2m"), std::string::npos);
    EXPECT_NE(drill.run.notes[0].find("; force = true does it anyway"), std::string::npos);
    const auto forced = rehearsed(
        two_sites(), scenario_text("5m", replaced(both, "target = \"region:virginia\"\n",
                                                  "target = \"region:virginia\"\nforce = true\n")));
    EXPECT_EQ(forced.detected(1), 0);
    EXPECT_TRUE(forced.answered(1, 200).empty());
}

TEST(VirtualDrill, APartitionOfProbesMovesClientsOffWhatIsFine) {
    const auto drill =
        rehearsed(two_sites(), scenario_text("5m", event("1m", "partition", "region:tokyo") +
                                                       event("3m", "recover", "region:tokyo")));
    EXPECT_GT(drill.switched(0), 0);
    EXPECT_EQ(failing_at(drill, 0, 100), 0);
    EXPECT_EQ(drill.answered(0, 170), Names{"virginia"});
    EXPECT_EQ(drill.answered(0, 200), Names{"tokyo"});
}

TEST(VirtualDrill, AWeightOfZeroIsAReload) {
    const auto config =
        replaced(two_sites(), "policy = \"latency\"\nmembers = [\"tokyo\", \"virginia\"]",
                 "policy = \"weighted\"\nmembers = [{ to = \"tokyo\", weight = 95 }, { to = "
                 "\"virginia\", weight = 5 }]");
    const auto drill = rehearsed(
        config,
        scenario_text("5m", event("1m", "weight", "virginia", "route = \"www\"\nweight = 0") +
                                event("3m", "weight", "virginia", "route = \"www\"\nweight = 50")));
    EXPECT_TRUE(drill.at(0).takes_out);
    EXPECT_LE(drill.switched(0), 0.3);
    EXPECT_EQ(drill.answered(0, 59), (Names{"tokyo", "virginia"}));
    EXPECT_EQ(drill.answered(0, 100), Names{"tokyo"});
    EXPECT_EQ(drill.answered(0, 200), (Names{"tokyo", "virginia"}));
    const auto& pieces = drill.run.timeline.classes[0].pieces;
    EXPECT_NEAR(pieces.front().offers.front().cumulative, 0.95, 1e-9);
    EXPECT_NEAR(pieces.back().offers.front().cumulative, 95.0 / 145, 1e-9);
}

TEST(VirtualDrill, AKilledServerComesBackWithWhatItKnew) {
    const std::string events = event("1m", "kill", "tokyo") + event("2m", "kill", "server") +
                               event("3m", "recover", "server") + event("5m", "recover", "tokyo");
    const auto drill = rehearsed(two_sites(), scenario_text("8m", events));
    const auto& authority = drill.run.timeline.authority;
    ASSERT_EQ(authority.size(), 2U);
    EXPECT_EQ(authority[0].state, Authority::Killed);
    EXPECT_EQ(authority[1].state, Authority::Up);
    EXPECT_GE(authority[1].from, base::Mono{std::chrono::minutes(3)});
    EXPECT_LE(authority[1].from, base::Mono{std::chrono::seconds(183)});
    EXPECT_TRUE(drill.at(1).takes_out);
    EXPECT_TRUE(drill.at(1).endpoints.empty());
    EXPECT_EQ(drill.at(1).ends, base::Mono{std::chrono::minutes(3)});
    EXPECT_EQ(drill.answered(0, 200), Names{"virginia"});
    EXPECT_EQ(drill.answered(0, 330), Names{"tokyo"});
}

TEST(VirtualDrill, AHungServerNoticesNothingUntilItGoesOn) {
    const std::string events = event("1m", "hang", "server") + event("70s", "kill", "tokyo") +
                               event("2m", "recover", "server");
    const auto drill = rehearsed(two_sites(), scenario_text("5m", events));
    ASSERT_EQ(drill.run.timeline.authority.size(), 2U);
    EXPECT_EQ(drill.run.timeline.authority[0].state, Authority::Hung);
    EXPECT_EQ(drill.run.timeline.authority[1].from, base::Mono{std::chrono::minutes(2)});
    EXPECT_GE(drill.detected(1), 50);
    EXPECT_LE(drill.detected(1), 58);
}

TEST(VirtualDrill, OrdersAreNotHeardByADeadServer) {
    const std::string events = event("1m", "kill", "server") + event("70s", "drain", "tokyo") +
                               event("2m", "recover", "server");
    const auto drill = rehearsed(two_sites(), scenario_text("5m", events));
    EXPECT_EQ(drill.switched(1), -1);
    ASSERT_FALSE(drill.run.notes.empty());
    EXPECT_NE(drill.run.notes[0].find("not heard"), std::string::npos);
}

TEST(VirtualDrill, DemandAtCoordinatesStandsThere) {
    const auto text =
        replaced(scenario_text("2m", ""), "place = \"country:JP\"", "location = [34.7, 135.5]");
    auto read = read_scenario_text(text, "s.toml");
    ASSERT_FALSE(read.problems.has_errors()) << read.problems.text();
    const auto networks = location_networks(read.scenario);
    ASSERT_EQ(networks.size(), 1U);
    // As the command does it: the server is loaded with them.
    const auto config = replaced(two_sites(), "[regions.tokyo]",
                                 "[[geo.networks]]\nprefix = \"" + networks[0].prefix.text() +
                                     "\"\nlocation = [34.7, 135.5]\n[regions.tokyo]");
    const auto drill = rehearsed(config, text);
    EXPECT_EQ(drill.answered(0, 60), Names{"tokyo"});
}

TEST(VirtualDrill, SpaceCutByANetworkIsSharedInProportion) {
    const auto config = replaced(
        two_sites(), "policy = \"latency\"\nmembers = [\"tokyo\", \"virginia\"]",
        "policy = \"geo\"\nmembers = [{ match = \"10.1.0.0/18\", to = \"virginia\" }, { match = "
        "\"*\", to = \"tokyo\" }]");
    const auto drill = rehearsed(config, scenario_text("2m", ""));
    double cut = 0;
    for (const DemandCell& cell : drill.run.timeline.cells) {
        const auto& offer = drill.run.timeline.classes[cell.timeline].pieces[0].offers[0];
        const auto id = drill.run.timeline.answers[offer.answer].endpoints.at(0);
        cut += cell.demand == 0 && config::index(id) == 1 ? cell.share : 0;
    }
    EXPECT_NEAR(cut, 0.25, 0.001);
}

}  // namespace
}  // namespace steerd::drill::testing
