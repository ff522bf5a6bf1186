// The engine's figures of a plain outage: against the closed forms, and the laws they keep whatever
// the scenario: monotone, the same bytes for any number of threads, no loss without a fault.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "drill/closed_form.h"
#include "drill/engine.h"
#include "tests/drill/drill_testing.h"

namespace steerd::drill {
namespace {

using testing::outage;

Population only(const CacheModel& model, const char* name = "honest") {
    Population population;
    population.classes.push_back(ResolverClass{name, 1, model});
    return population;
}

CacheModel exact() {
    CacheModel model;
    model.rounding = Rounding::Exact;
    return model;
}

Results run(const Timeline& timeline, const Population& population,
            const std::vector<DemandSpec>& demands, EngineOptions options = {}) {
    options.endpoint_names = {"tokyo", "virginia"};
    return run_engine(timeline, population, demands, options);
}

std::string number(double value) { return fmt::format("{:a} ", value); }

std::string number(const std::optional<double>& value) {
    return value ? number(*value) : std::string("null ");
}

std::string words(const Quantiles& q) {
    return number(q.p50) + number(q.p90) + number(q.p95) + number(q.p99);
}

/// Every figure, to the last bit.
std::string bytes(const Results& results) {
    std::string text;
    for (const EventFigures& event : results.events) {
        text += words(event.moved) + number(event.share_on_it) +
                number(event.error_seconds_per_client) +
                fmt::format("{} {} ", event.requests_lost, event.requests);
        for (const auto& [name, figures] : event.by_class) {
            text += name + words(figures.moved) + number(figures.residual.after_15m);
        }
    }
    for (const auto& [name, load] : results.load) {
        text += name + number(load.before_qps) + number(load.peak_qps);
    }
    for (const CurvePoint& point : results.curve) {
        text += number(point.t_s) + number(point.clients_on_dead) + number(point.authoritative_qps);
        for (const double one : point.by_class) {
            text += number(one);
        }
    }
    return text + number(results.authoritative_before_qps.value_or(0)) +
           number(results.authoritative_during_qps.value_or(-1)) +
           number(results.authoritative_after_qps.value_or(-1));
}

TEST(EngineFigures, PlainOutageFollowsTheClosedForm) {
    const std::size_t n = testing::sized(200000, 20000);
    // Busy: leaves evenly over the TTL after the switch at 12 s. Dead from 300 s on.
    const Results results =
        run(outage(300, 312, 1800, 60), only(exact()), {{n, 10.0 * static_cast<double>(n), 0}});
    ASSERT_EQ(results.events.size(), 1U);
    const EventFigures& event = results.events[0];
    const Renewal cache{60, 0, 10};
    const double tolerance = 3.0 * 60 * 0.5 / std::sqrt(static_cast<double>(n));
    const double never = 1 - old_share(cache, 0);  // waiting for a query, so not on the old answer
    EXPECT_NEAR(event.moved.p50.value_or(-1), 12 + 60 * (0.50 - never), tolerance + 0.1);
    EXPECT_NEAR(event.moved.p90.value_or(-1), 12 + 60 * 0.90, tolerance + 0.1);
    EXPECT_NEAR(event.moved.p95.value_or(-1), 12 + 60 * 0.95, tolerance + 0.1);
    EXPECT_NEAR(event.moved.p99.value_or(-1), 12 + 60 * 0.99, tolerance + 0.1);
    EXPECT_DOUBLE_EQ(event.share_on_it, 1);
    const double lost = 12 + old_seconds(cache, 60);
    EXPECT_NEAR(event.error_seconds_per_client, lost, tolerance);
    EXPECT_NEAR(static_cast<double>(event.requests_lost), lost * 10 * static_cast<double>(n),
                tolerance * 10 * static_cast<double>(n));
    EXPECT_EQ(event.requests, 1500 * 10 * n);
    EXPECT_EQ(event.detect_s, 12);
    EXPECT_EQ(event.switch_s, 12);
    EXPECT_EQ(event.first_failed_s, 1);
    EXPECT_EQ(event.residual.after_15m, 0);
    EXPECT_EQ(event.residual.after_1h, std::nullopt);
    EXPECT_NEAR(results.load.at("tokyo").before_qps, 10 * static_cast<double>(n), 1);
    EXPECT_NEAR(results.load.at("virginia").before_qps, 0, 1e-9);
    EXPECT_NEAR(results.load.at("virginia").peak_qps, 10 * static_cast<double>(n), 1);
    const double upstream = upstream_rate(cache) * static_cast<double>(n);
    EXPECT_NEAR(results.authoritative_before_qps.value_or(0), upstream, 0.01 * upstream);
    EXPECT_NEAR(results.authoritative_after_qps.value_or(0), upstream, 0.01 * upstream);
}

TEST(EngineFigures, CurveFollowsTheClosedFormForZipfAndClasses) {
    Population population;
    CacheModel stale = exact();
    stale.stale = StaleRule{ServeStale::Always, 600, 30};
    CacheModel stub;
    stub.client = ClientModel::fixed(60);
    CacheModel pool = exact();
    pool.pool = 8;
    population.classes = {
        {"plain", 0.5, exact()}, {"stale", 0.1, stale}, {"stub", 0.3, stub}, {"pool", 0.1, pool}};
    const std::vector<DemandSpec> demands{{4000, 400, 1.0}, {2000, 100, 0}};
    Timeline timeline = outage(300, 312, 1800, 30);
    timeline.cells.push_back(DemandCell{1, 0, 1.0, "US"});
    EngineOptions options;
    const Results results = run(timeline, population, demands, options);
    std::vector<double> times;
    for (const CurvePoint& point : results.curve) {
        times.push_back(point.t_s);
    }
    EXPECT_LE(times.size(), 600U);
    EXPECT_GT(times.size(), 300U);
    const std::vector<CurvePoint> formula =
        closed_form_curve(timeline, population, demands, timeline.events[0], times);
    ASSERT_GT(formula.size(), 100U);
    std::size_t i = 0;
    for (const CurvePoint& expected : formula) {
        while (results.curve[i].t_s < expected.t_s) {
            ++i;
        }
        EXPECT_NEAR(results.curve[i].clients_on_dead, expected.clients_on_dead, 0.015)
            << expected.t_s;
    }
    double upstream = 0;
    double zipf_sum = 0;
    for (int rank = 1; rank <= 4000; ++rank) {
        zipf_sum += 1.0 / rank;
    }
    for (const ResolverClass& one : population.classes) {
        for (int rank = 1; rank <= 4000; ++rank) {
            const double rate = 400.0 / rank / zipf_sum;
            upstream +=
                one.share * one.model.caches() * upstream_rate(renewal_of(one.model, 30, rate));
        }
        upstream +=
            one.share * one.model.caches() * 2000 * upstream_rate(renewal_of(one.model, 30, 0.05));
    }
    EXPECT_NEAR(results.authoritative_before_qps.value_or(0), upstream, 0.01 * upstream);
}

TEST(EngineFigures, SameBytesForAnyNumberOfThreads) {
    const Population mixed = preset_population("mixed").value_or(Population{});
    Timeline timeline = outage(60, 70, 600, 20);
    timeline.events[0].ends = testing::at_s(400);
    const std::vector<DemandSpec> demands{{20000, 30000, 0.9}};
    EngineOptions options;
    options.seed = 7;
    const std::string one = bytes(run(timeline, mixed, demands, options));
    double told = 0;
    options.progress = [&](double share) {
        EXPECT_GT(share, told);
        told = share;
    };
    for (const unsigned threads : {2U, 3U}) {
        told = 0;
        options.threads = threads;
        EXPECT_EQ(bytes(run(timeline, mixed, demands, options)), one);
        EXPECT_EQ(told, 1);
    }
    options.progress = nullptr;
    options.seed = 8;
    EXPECT_NE(bytes(run(timeline, mixed, demands, options)), one);
}

TEST(EngineFigures, MergedClassesAreTheirWeightedSum) {
    CacheModel clamped = exact();
    clamped.min_ttl_s = 300;
    Population both;
    both.classes = {{"short", 0.7, exact()}, {"long", 0.3, clamped}};
    const std::vector<DemandSpec> demands{{30000, 60000, 0}};
    const Timeline timeline = outage(100, 112, 900, 30);
    const Results merged = run(timeline, both, demands);
    const Results first = run(timeline, only(exact()), demands);
    const Results second = run(timeline, only(clamped), demands);
    for (std::size_t i = 0; i < merged.curve.size(); ++i) {
        EXPECT_NEAR(merged.curve[i].clients_on_dead,
                    0.7 * first.curve[i].clients_on_dead + 0.3 * second.curve[i].clients_on_dead,
                    0.012)
            << merged.curve[i].t_s;
    }
    const auto moved = [](const Results& results, const char* name) {
        return results.events[0].by_class.at(name).moved.p95.value_or(-1);
    };
    EXPECT_NEAR(moved(merged, "short"), moved(first, "honest"), 0.8);
    EXPECT_NEAR(moved(merged, "long"), moved(second, "honest"), 4);
    EXPECT_NEAR(merged.events[0].error_seconds_per_client,
                0.7 * first.events[0].error_seconds_per_client +
                    0.3 * second.events[0].error_seconds_per_client,
                1);
}

TEST(EngineFigures, QuantilesRiseWithinAndWithTtlAndDetection) {
    const Population mixed = preset_population("mixed").value_or(Population{});
    const std::vector<DemandSpec> demands{{2000, 20000, 1}};
    double before = 0;
    for (const std::uint32_t ttl : {5U, 30U, 60U, 300U}) {
        const Quantiles q = run(outage(300, 312, 2400, ttl), mixed, demands).events[0].moved;
        EXPECT_LE(q.p50.value_or(1e9), q.p90.value_or(1e9));
        EXPECT_LE(q.p90.value_or(1e9), q.p95.value_or(1e9));
        EXPECT_GE(q.p50.value_or(0), before);
        before = q.p50.value_or(0);
        const Quantiles later = run(outage(300, 330, 2400, ttl), mixed, demands).events[0].moved;
        EXPECT_NEAR(later.p50.value_or(0) - q.p50.value_or(0), 18, 2);
        EXPECT_GT(later.p90.value_or(1e9), q.p90.value_or(1e9));
    }
}

TEST(EngineFigures, NothingIsLostInADayWithoutAFault) {
    Timeline timeline = testing::flip(1, 86400, 300);
    timeline.classes[0].pieces.pop_back();
    EventTimes order;  // an order that takes nothing out
    order.at = testing::at_s(3600);
    timeline.events.push_back(order);
    const Results results =
        run(timeline, preset_population("ideal").value_or(Population{}), {{300, 3000, 1}});
    EXPECT_EQ(results.switches, 0U);
    EXPECT_EQ(results.events[0].requests_lost, 0U);
    EXPECT_EQ(results.events[0].requests, std::uint64_t{3000} * (86400 - 3600));
    EXPECT_EQ(results.regions.at(0).requests_lost, 0U);
    EXPECT_NEAR(results.load.at("tokyo").peak_qps, 3000, 0.01);
    for (const CurvePoint& point : results.curve) {
        EXPECT_EQ(point.clients_on_dead, 0);
    }
}

TEST(EngineFigures, JumpsGiveTheSameLawAsStreams) {
    const Population mixed = preset_population("mixed").value_or(Population{});
    const std::vector<DemandSpec> demands{{50000, 100000, 0.5}};
    const Timeline timeline = outage(300, 312, 1800, 30);
    EngineOptions options;
    const Results streamed = run(timeline, mixed, demands, options);
    options.authority_load = false;
    const Results jumped = run(timeline, mixed, demands, options);
    EXPECT_NEAR(jumped.events[0].moved.p50.value_or(-1), streamed.events[0].moved.p50.value_or(-2),
                1);
    EXPECT_NEAR(jumped.events[0].moved.p95.value_or(-1), streamed.events[0].moved.p95.value_or(-2),
                5);
    EXPECT_NEAR(jumped.events[0].error_seconds_per_client,
                streamed.events[0].error_seconds_per_client, 1.5);
    EXPECT_NEAR(jumped.authoritative_before_qps.value_or(0),
                streamed.authoritative_before_qps.value_or(0),
                0.02 * streamed.authoritative_before_qps.value_or(0));
}

}  // namespace
}  // namespace steerd::drill
