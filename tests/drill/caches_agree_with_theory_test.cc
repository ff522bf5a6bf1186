// Simulated caches against the closed forms: how long they give the old answer after a change, how
// many queries get it, and how often they ask upstream. Six kinds, three TTLs, four query rates.
#include <gtest/gtest.h>

#include "drill/closed_form.h"
#include "tests/drill/drill_testing.h"

namespace steerd::drill {
namespace {

using testing::Recorder;

constexpr double kChange = 1;
constexpr double kCells = 6 * 3 * 4;

/// Standard errors that a mean may be off: 3 at full size; small samples are checked for blunders.
double allowed_errors(std::size_t n) { return n >= 100000 ? 3 : 4.5; }

struct Kind {
    const char* name;
    CacheModel model;
};

CacheModel exact() {
    CacheModel model;
    model.rounding = Rounding::Exact;
    return model;
}

std::vector<Kind> kinds() {
    std::vector<Kind> all(6, Kind{"plain", exact()});
    all[1].name = "prefetch";
    all[1].model.prefetch.share = 0.1;
    all[2].name = "stale while revalidating";
    all[2].model.stale = StaleRule{ServeStale::Always, 3600, 30};
    all[3].name = "clamp";
    all[3].model.min_ttl_s = 60;
    all[4].name = "pool";
    all[4].model.pool = 8;
    all[5].name = "stub";
    all[5].model.client = ClientModel::fixed(60);
    return all;
}

double still_old(const CacheModel& model, const Renewal& cache, double t) {
    return model.client.present() ? stub_old_share(cache, model.client.add_s, t)
                                  : old_share(cache, t);
}

struct Cell {
    Kind kind;
    double ttl = 0, rate = 0;
};

std::vector<Cell> cells() {
    std::vector<Cell> all;
    for (const Kind& kind : kinds()) {
        for (const double ttl : {5.0, 30.0, 300.0}) {
            for (const double rate : {0.01, 0.1, 1.0, 10.0}) {
                all.push_back(Cell{kind, ttl, rate});
            }
        }
    }
    return all;
}

/// For each of `n` caches: until when, after the change, a query gets the old answer (0: never).
std::vector<double> old_until(const Cell& cell, std::size_t n, std::uint64_t seed) {
    const FlatTimeline flat =
        flatten(testing::flip(kChange, 20000, static_cast<std::uint32_t>(cell.ttl)));
    std::vector<double> ends;
    for (std::size_t i = 0; i < n; ++i) {
        const Recorder seen =
            testing::stream(flat, cell.kind.model, cell.rate / cell.kind.model.caches(), seed + i,
                            {std::nextafter(kChange, 0), true});
        ends.push_back(seen.last(0, kChange) - kChange);
    }
    return ends;
}

TEST(CachesAgreeWithTheory, TimeOnTheOldAnswerFollowsItsLaw) {
    const std::size_t n = testing::sized(100000, 2000);
    // 1 % over all cells together: each at 1 % / 72, two-sided.
    const double limit =
        std::sqrt(-std::log(0.01 / kCells / 2) / 2) / std::sqrt(static_cast<double>(n));
    std::uint64_t seed = 1000003;
    for (const Cell& cell : cells()) {
        const Renewal cache = renewal_of(cell.kind.model, cell.ttl, cell.rate);
        const std::vector<double> ends = old_until(cell, n, seed += 1000003);
        const double distance = testing::ks_distance(
            ends, [&](double t) { return 1 - still_old(cell.kind.model, cache, t); });
        EXPECT_LT(distance, limit) << cell.kind.name << " T " << cell.ttl << " rate " << cell.rate;

        const double hold = cell.kind.model.client.add_s;
        EXPECT_LE(*std::max_element(ends.begin(), ends.end()), last_moment_s(cache) + hold + 1e-9)
            << cell.kind.name << " T " << cell.ttl << " rate " << cell.rate;

        // Queries meet the cache at even moments: rate times the time it gives the old answer.
        std::vector<double> stale;
        for (const double end : ends) {
            stale.push_back(cell.rate * end);
        }
        const testing::Mean mean = testing::mean_of(stale);
        double expected = cell.rate * old_seconds(cache, 1e9);
        if (hold > 0) {
            expected += cell.rate * hold / 2;  // what the stub got before the change, still held
        }
        EXPECT_NEAR(mean.value, expected, std::max(0.01 * expected, allowed_errors(n) * mean.error))
            << cell.kind.name << " T " << cell.ttl << " rate " << cell.rate;
    }
}

TEST(CachesAgreeWithTheory, UpstreamRateFollowsItsFormula) {
    const std::size_t n = testing::sized(100000, 600);
    std::uint64_t seed = 77;
    for (const Cell& cell : cells()) {
        const Renewal cache = renewal_of(cell.kind.model, cell.ttl, cell.rate);
        const double duration = 4 / upstream_rate(cache);
        Timeline timeline = testing::flip(1, duration, static_cast<std::uint32_t>(cell.ttl));
        timeline.classes[0].pieces.pop_back();
        const FlatTimeline flat = flatten(timeline);
        std::vector<double> rates;
        seed += 1000003;
        for (std::size_t i = 0; i < n; ++i) {
            const Recorder seen =
                testing::stream(flat, cell.kind.model, cache.rate, seed + i, {0, false});
            const auto since = std::count_if(seen.fetches.begin(), seen.fetches.end(),
                                             [](double t) { return t >= 0; });
            rates.push_back(static_cast<double>(since) / duration);
        }
        const testing::Mean mean = testing::mean_of(rates);
        EXPECT_NEAR(mean.value, upstream_rate(cache),
                    std::max(0.01 * upstream_rate(cache), allowed_errors(n) * mean.error))
            << cell.kind.name << " T " << cell.ttl << " rate " << cell.rate;
    }
}

TEST(CachesAgreeWithTheory, PoolIsCleanWhenItsLastCacheIs) {
    const std::size_t n = testing::sized(50000, 1500);
    Cell cell{kinds()[4], 30, 4};
    const Renewal cache = renewal_of(cell.kind.model, cell.ttl, cell.rate);
    const std::vector<double> ends = old_until(cell, n * 8, 5);
    std::vector<double> last;
    for (std::size_t i = 0; i < n; ++i) {
        last.push_back(*std::max_element(ends.begin() + static_cast<std::ptrdiff_t>(8 * i),
                                         ends.begin() + static_cast<std::ptrdiff_t>(8 * i + 8)));
    }
    EXPECT_LT(testing::ks_distance(last, [&](double t) { return pool_clean(cache, 8, t); }),
              1.63 / std::sqrt(static_cast<double>(n)));
}

TEST(CachesAgreeWithTheory, IntegralsAgreeWithTheirCurves) {
    for (const Cell& cell : cells()) {
        const Renewal cache = renewal_of(cell.kind.model, cell.ttl, cell.rate);
        const double end = last_moment_s(cache);
        double sum = 0;
        const int steps = 20000;
        for (int k = 0; k < steps; ++k) {
            sum += old_share(cache, end * (k + 0.5) / steps) * end / steps;
        }
        EXPECT_NEAR(old_seconds(cache, end), sum, 1e-4 * sum);
        double hold_sum = 0;
        for (int k = 0; k < steps; ++k) {
            const double at = 40 - 60 * (k + 0.5) / steps;
            hold_sum += (at < 0 ? 1 : old_share(cache, at)) / steps;
        }
        EXPECT_NEAR(stub_old_share(cache, 60, 40), hold_sum, 1e-3);
    }
    // The notes' own numbers: T = 30 s, stale for an hour.
    EXPECT_NEAR(old_share(Renewal{30, 3600, 1 / 60.0}, 60), 0.40, 0.005);
    EXPECT_NEAR(old_share(Renewal{30, 3600, 1 / 600.0}, 900), 0.22, 0.005);
    EXPECT_NEAR(old_share(Renewal{30, 3600, 1 / 3600.0}, 1800), 0.24, 0.005);
}

TEST(CachesAgreeWithTheory, FailoverLawHasItsPublishedQuantiles) {
    const Failover long_ttl{25, 10, 300};
    EXPECT_NEAR(failover_quantile(long_ttl, 0.95), 315, 0.5);
    EXPECT_NEAR(failover_quantile(long_ttl, 0.99), 327, 0.5);
    const Failover short_ttl{12, 5, 30};
    EXPECT_NEAR(failover_quantile(short_ttl, 0.95), 43.1, 0.1);
    EXPECT_NEAR(failover_quantile(short_ttl, 1), 47, 1e-9);
    for (const double p : {0.01, 0.1, 0.5, 0.9, 0.99}) {
        EXPECT_NEAR(failover_cdf(short_ttl, failover_quantile(short_ttl, p)), p, 1e-9);
    }
}

}  // namespace
}  // namespace steerd::drill
