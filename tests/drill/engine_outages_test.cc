// Outages of each kind through the engine: gray, recovering, several at once, weighted answers,
// nothing left to answer with, the server itself, drains; and what each figure must say then.
#include <gtest/gtest.h>

#include "drill/engine.h"
#include "tests/drill/drill_testing.h"

namespace steerd::drill {
namespace {

using testing::at_s;
using testing::outage;
using testing::piece;

Population exact_only() {
    Population population;
    CacheModel model;
    model.rounding = Rounding::Exact;
    population.classes.push_back(ResolverClass{"honest", 1, model});
    return population;
}

Results run(const Timeline& timeline, const std::vector<DemandSpec>& demands = {{20000, 1e5, 0}}) {
    EngineOptions options;
    options.endpoint_names = {"tokyo", "virginia"};
    return run_engine(timeline, exact_only(), demands, options);
}

TEST(EngineOutages, GrayLosesItsFailingPart) {
    Timeline dead = outage(300, 312, 900, 30);
    Timeline gray = dead;
    gray.truth[0][1].failing = 0.3;
    const Results whole = run(dead);
    const Results part = run(gray);
    EXPECT_NEAR(static_cast<double>(part.events[0].requests_lost),
                0.3 * static_cast<double>(whole.events[0].requests_lost), 5);
    EXPECT_EQ(part.events[0].moved.p95, whole.events[0].moved.p95);
    EXPECT_NEAR(part.events[0].error_seconds_per_client,
                0.3 * whole.events[0].error_seconds_per_client, 1e-3);
}

TEST(EngineOutages, FiguresEndWhenTheTargetRecovers) {
    Timeline timeline = outage(300, 312, 1800, 300);
    timeline.events[0].ends = at_s(420);
    timeline.truth[0].push_back(Truth{at_s(420), 0});
    timeline.classes[0].pieces.push_back(piece(425, 0, 300));
    const EventFigures event = run(timeline).events[0];
    EXPECT_EQ(event.requests, 12000000U);
    EXPECT_FALSE(event.moved.p90.has_value());  // 108 of 300 s: a good third has moved
    EXPECT_FALSE(event.moved.p50.has_value());
    EXPECT_FALSE(event.residual.after_15m.has_value());
    const double expected = 12 + 108 - 108.0 * 108 / 600;
    EXPECT_NEAR(event.error_seconds_per_client, expected, 2);
}

TEST(EngineOutages, LateDetectionIsNull) {
    Timeline timeline = outage(300, 312, 900, 30);
    timeline.events[0].ends = at_s(310);
    const EventFigures event = run(timeline).events[0];
    EXPECT_TRUE(event.first_failed_s.has_value());
    EXPECT_FALSE(event.detect_s.has_value());
    EXPECT_FALSE(event.switch_s.has_value());
}

TEST(EngineOutages, EndpointWithoutClientsCostsNothing) {
    Timeline timeline = outage(300, 312, 900, 30);
    timeline.classes[0].pieces = {piece(0, 1, 30)};
    const EventFigures event = run(timeline).events[0];
    EXPECT_EQ(event.share_on_it, 0);
    EXPECT_EQ(event.requests_lost, 0U);
    EXPECT_EQ(event.moved.p99, 0);
    EXPECT_TRUE(event.by_class.empty());
}

/// Five of a hundred on endpoint 0 until the switch.
Timeline canary() {
    Timeline timeline = outage(300, 312, 900, 30);
    timeline.classes[0].pieces[0].offers = {Offer{0, 0.05, 30, 0, base::kNever},
                                            Offer{1, 1.00, 30, 0, base::kNever}};
    return timeline;
}

TEST(EngineOutages, WeightedAnswersLoadAndLoseTheirShare) {
    const Results results = run(canary());
    const EventFigures& event = results.events[0];
    EXPECT_NEAR(event.share_on_it, 0.05, 0.006);
    EXPECT_NEAR(results.load.at("tokyo").before_qps, 5000, 200);
    EXPECT_NEAR(results.load.at("virginia").before_qps, 95000, 200);
    EXPECT_NEAR(results.load.at("virginia").peak_qps, 1e5, 1);
    // Until the switch as many come to it as leave it.
    EXPECT_GT(event.moved.p50.value_or(0), 12);
    EXPECT_NEAR(event.moved.p99.value_or(0), 12 + 30, 1.5);
    EXPECT_NEAR(static_cast<double>(event.requests_lost), 5000 * (12 + 15), 12000);
}

TEST(EngineOutages, ManyAddressesShareTheirClients) {
    Timeline timeline = outage(300, 312, 900, 30);
    timeline.answers[0] = testing::to_endpoints({0, 1});
    const Results results = run(timeline);
    EXPECT_NEAR(results.events[0].share_on_it, 0.5, 1e-6);
    EXPECT_NEAR(results.load.at("tokyo").before_qps, 50000, 1);
    EXPECT_NEAR(results.events[0].moved.p95.value_or(-1), 12 + 28.5, 0.6);
    EXPECT_NEAR(results.events[0].error_seconds_per_client, 12 + 15, 0.5);
}

TEST(EngineOutages, TwoAtOnceAreToldApartAndTogether) {
    Timeline timeline = outage(300, 312, 900, 30);
    timeline.answers[0] = testing::to_endpoints({0});
    timeline.classes.push_back(ClassTimeline{{piece(0, 1, 30), piece(420, 0, 30)}});
    timeline.cells = {DemandCell{0, 0, 0.6, "JP"}, DemandCell{0, 1, 0.4, "US"}};
    timeline.truth[1] = {Truth{at_s(0), 0}, Truth{at_s(400), 1}};
    EventTimes second = timeline.events[0];
    second.at = at_s(400);
    second.endpoints = {policy::EndpointId{1}};
    second.switched = second.detected = at_s(420);
    timeline.events.push_back(second);
    const Results results = run(timeline);
    EXPECT_NEAR(results.events[0].share_on_it, 0.6, 0.001);
    EXPECT_NEAR(results.events[1].share_on_it, 1.0, 0.001);  // all have come to it
    for (const CurvePoint& point : results.curve) {
        if (point.t_s >= 310 && point.t_s < 312) {
            EXPECT_NEAR(point.clients_on_dead, 0.6, 0.001);
        }
    }
    ASSERT_EQ(results.regions.size(), 2U);
    EXPECT_EQ(results.regions[0].place, "JP");
    EXPECT_NEAR(results.regions[0].qps, 60000, 60);
    const std::uint64_t by_event =
        results.events[0].requests_lost + results.events[1].requests_lost;
    const std::uint64_t by_region =
        results.regions[0].requests_lost + results.regions[1].requests_lost;
    // JP stays on endpoint 1, which is dead; US comes to endpoint 0, dead since before.
    EXPECT_NEAR(static_cast<double>(by_event), static_cast<double>(by_region),
                1e-6 * static_cast<double>(by_region) + 10);
}

TEST(EngineOutages, NoAnswerAtAllIsLossOnlyWhereThereWasOne) {
    Timeline timeline = outage(300, 312, 900, 30);
    timeline.answers[1] = Answer{};
    timeline.answers[1].negative = true;
    timeline.classes.push_back(ClassTimeline{{piece(0, 1, 30)}});  // fenced off all along
    timeline.cells = {DemandCell{0, 0, 0.75, "JP"}, DemandCell{0, 1, 0.25, "US"}};
    // SERVFAIL is no answer either, and the server that says so is not what broke.
    for (const bool servfail : {false, true}) {
        timeline.answers[1].servfail = servfail;
        timeline.answers[1].negative = !servfail;
        const Results results = run(timeline);
        const EventFigures& event = results.events[0];
        EXPECT_NEAR(static_cast<double>(event.requests_lost), 600 * 75000.0, 600 * 75000.0 * 0.002);
        EXPECT_NEAR(event.error_seconds_per_client, 600, 1.2);
        ASSERT_EQ(results.regions.size(), 2U);
        EXPECT_NEAR(static_cast<double>(results.regions[0].requests_lost),
                    static_cast<double>(event.requests_lost), 100);
        EXPECT_EQ(results.regions[1].requests_lost, 0U) << "they never had an answer";
    }
}

TEST(EngineOutages, DeadServerLosesWhatRunsOut) {
    Timeline timeline = testing::flip(1, 900, 60);
    timeline.classes[0].pieces.pop_back();
    timeline.authority = {
        {at_s(0), Authority::Up}, {at_s(300), Authority::Killed}, {at_s(360), Authority::Up}};
    EventTimes event;
    event.at = at_s(300);
    event.ends = at_s(360);
    event.takes_out = true;
    timeline.events.push_back(event);
    const Results results = run(timeline);
    // Half of the minute's requests find an entry that still lives.
    EXPECT_NEAR(static_cast<double>(results.events[0].requests_lost), 30 * 1e5, 0.05 * 30 * 1e5);
    EXPECT_NEAR(results.events[0].error_seconds_per_client, 30, 1.5) << "all depend on it";
    EXPECT_GT(results.regions[0].requests_lost,
              results.events[0].requests_lost);  // till they retry
    EXPECT_EQ(results.events[0].share_on_it, 0);
    EXPECT_NEAR(results.authoritative_during_qps.value_or(-1), 0, 1e-9);
    EXPECT_GT(results.authoritative_before_qps.value_or(0), 300);
}

TEST(EngineOutages, NegativeAnswersLiveAsLongAsTheyAreOffered) {
    // Nothing to go to under the TTL of an open failure (5 s), then under the zone's (300 s).
    for (const std::uint32_t ttl : {5U, 300U}) {
        Timeline timeline = testing::flip(300, 900, ttl);
        timeline.answers[0] = Answer{};
        timeline.answers[0].negative = true;
        const Results results = run(timeline);
        // 20,000 caches with 5 queries per second each: 1 / (ttl + 0.2) fetches from each.
        EXPECT_NEAR(results.authoritative_before_qps.value_or(0), 20000 / (ttl + 0.2),
                    0.02 * 20000 / ttl);
    }
}

TEST(EngineOutages, AfterIsCountedWhereSomethingNeverSwitches) {
    // The server is gone for a minute, later an endpoint for good: `after` begins at its switch.
    Timeline timeline = outage(500, 512, 900, 30);
    EventTimes gone;
    gone.at = at_s(300);
    gone.ends = at_s(360);
    gone.takes_out = true;
    timeline.authority = {
        {at_s(0), Authority::Up}, {at_s(300), Authority::Killed}, {at_s(360), Authority::Up}};
    timeline.events.insert(timeline.events.begin(), gone);
    const Results results = run(timeline);
    EXPECT_NEAR(results.authoritative_after_qps.value_or(0), 20000 / 30.2, 40);
    EXPECT_GT(results.authoritative_during_qps.value_or(0), 100);
}

TEST(EngineOutages, AfterFollowsAnOutageThatNothingAnswers) {
    // The last endpoint dies for good: no answer ever leaves it.
    Timeline timeline = outage(300, 312, 900, 30);
    timeline.classes[0].pieces.pop_back();
    timeline.events[0].switched = base::kNever;
    const Results results = run(timeline);
    EXPECT_NEAR(results.authoritative_after_qps.value_or(0), 20000 / 30.2, 40);
    EXPECT_FALSE(results.authoritative_during_qps.has_value()) << "there is no such time";
}

TEST(EngineOutages, DrainMovesClientsAndLosesNone) {
    Timeline timeline = outage(300, 300.1, 900, 30);
    timeline.truth[0] = {Truth{at_s(0), 0}};
    const EventFigures event = run(timeline).events[0];
    EXPECT_EQ(event.requests_lost, 0U);
    EXPECT_EQ(event.error_seconds_per_client, 0);
    EXPECT_NEAR(event.moved.p95.value_or(-1), 28.6, 0.6);
}

TEST(EngineOutages, WhoWasOnItIsReadBeforeAnOrderHolds) {
    // Caches asked every hundred seconds hold an entry a quarter of the time; clients of the others
    // were on it as well, and move at once.
    for (const double at : {0.0, 300.0, 2 * 86400.0}) {
        Timeline timeline = outage(at, at + (at == 0 ? 1e-6 : 0), at + 600, 30);
        timeline.truth[0] = {Truth{at_s(0), 0}};
        timeline.classes[0].pieces[1].from = timeline.events[0].switched;
        const Results results = run(timeline, {{20000, 200, 0}});
        const EventFigures& event = results.events[0];
        EXPECT_NEAR(event.share_on_it, 1, 1e-6) << at;
        EXPECT_NEAR(event.moved.p50.value_or(-1), 0, 0.11) << at;
        // P_old(t) = (30 - t) / 130
        EXPECT_NEAR(event.moved.p90.value_or(-1), 17, 0.6) << at;
        EXPECT_EQ(event.switch_s, 0) << at;
        EXPECT_EQ(results.authoritative_before_qps.has_value(), at > 0);
    }
}

TEST(EngineOutages, CountdownBringsCachesBackAtTheSwitch) {
    // From the first failed check at 301 s the TTL counts down to the switch at 312 s.
    Timeline timeline = outage(300, 312, 900, 10);
    Piece counting = piece(301, 0, 10);
    counting.offers[0].ttl_min_s = 1;
    counting.offers[0].countdown_until = at_s(312);
    timeline.classes[0].pieces.insert(timeline.classes[0].pieces.begin() + 1, counting);
    const EventFigures with = run(timeline).events[0];
    EXPECT_LE(with.moved.p99.value_or(99), 13.0);
    EXPECT_GE(with.moved.p50.value_or(0), 12.0);
    const EventFigures without = run(outage(300, 312, 900, 10)).events[0];
    EXPECT_GT(without.moved.p99.value_or(0), 21.0);
}

TEST(EngineOutages, RoundTripsAreMeantOverTheDemand) {
    Timeline timeline = outage(300, 312, 900, 30);
    timeline.events[0].ends = at_s(600);
    EngineOptions options;
    options.rtt_ms = {{10, 110}};
    const std::vector<DemandSpec> demands{{20000, 1e5, 0}};
    const Results results = run_engine(timeline, exact_only(), demands, options);
    EXPECT_NEAR(results.regions[0].rtt_before_ms.value_or(-1), 10, 1e-6);
    EXPECT_NEAR(results.regions[0].rtt_during_ms.value_or(-1), 110 - 100.0 * 27 / 300, 0.3);
}

}  // namespace
}  // namespace steerd::drill
