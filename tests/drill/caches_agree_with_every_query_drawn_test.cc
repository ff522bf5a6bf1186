// Streams jump from fetch to fetch. Here the same caches are played query by query, with the rules
// of whole seconds written the way resolvers have them, and the two must agree.
#include <gtest/gtest.h>

#include "tests/drill/drill_testing.h"

namespace steerd::drill {
namespace {

struct Seen {
    std::vector<double> first_fetch;  // after the change
    std::vector<double> stale;        // queries with the old answer, by cache
};

/// Query by query, from long before the change. Seconds are whole where the clock says so.
Seen play(const CacheModel& model, double ttl, double rate, std::size_t caches) {
    Seen seen;
    base::Rng rng(99);
    const double window = model.stale.when == ServeStale::Always ? model.stale.for_s : 0;
    for (std::size_t i = 0; i < caches; ++i) {
        const double change = 20 * (ttl + 1 / rate) + 100 * rng.unit();
        double fetched = -1e9;
        double stale = 0;
        double first = -1;
        double now = 0;
        while (first < 0 || now < change + ttl + window + 2) {
            now += exponential(rng.next()) / rate;
            const double age = model.rounding == Rounding::Exact
                                   ? now - fetched
                                   : std::floor(now) - std::floor(fetched);
            const double left = ttl - age;
            const bool last_second = model.rounding == Rounding::FloorPlusOne && left == 0;
            bool cached = left > 0 || last_second;
            bool refresh = !cached;
            if (cached && model.prefetch.below_s > 0 && ttl >= model.prefetch.of_at_least_s) {
                refresh = left <= model.prefetch.below_s;
            }
            if (cached && model.prefetch.share > 0) {
                refresh = left <= std::floor(ttl * model.prefetch.share);
            }
            cached = cached || (left + window > 0 && window > 0);
            if (cached && fetched < change && now >= change) {
                stale += 1;
            }
            if (refresh) {
                first = first < 0 && now >= change ? now - change : first;
                fetched = now;
            }
        }
        seen.first_fetch.push_back(first);
        seen.stale.push_back(stale);
    }
    return seen;
}

Seen jump(const CacheModel& model, double ttl, double rate, std::size_t caches) {
    Seen seen;
    const FlatTimeline flat = flatten(testing::flip(1, 20000, static_cast<std::uint32_t>(ttl)));
    for (std::size_t i = 0; i < caches; ++i) {
        const testing::Recorder one =
            testing::stream(flat, model, rate, 31 + i, {std::nextafter(1.0, 0), true});
        seen.first_fetch.push_back(one.fetches.at(0) - 1);
        seen.stale.push_back(rate * (one.last(0, 1) - 1));
    }
    return seen;
}

void expect_alike(const CacheModel& model, double ttl, double rate, const char* what) {
    const std::size_t n = testing::sized(20000, 3000);
    const Seen played = play(model, ttl, rate, n);
    const Seen jumped = jump(model, ttl, rate, n);
    // Two samples at 0.1 %, since a dozen of such comparisons are made.
    EXPECT_LT(testing::ks_distance(played.first_fetch, jumped.first_fetch),
              1.95 * std::sqrt(2 / static_cast<double>(n)))
        << what << " T " << ttl << " rate " << rate;
    const testing::Mean a = testing::mean_of(played.stale);
    const testing::Mean b = testing::mean_of(jumped.stale);
    EXPECT_NEAR(a.value, b.value, 3.5 * std::hypot(a.error, b.error))
        << what << " T " << ttl << " rate " << rate;
}

TEST(CachesAgreeWithEveryQueryDrawn, ForEachWayToCountSeconds) {
    for (const Rounding rounding : {Rounding::Exact, Rounding::Floor, Rounding::FloorPlusOne}) {
        for (const double rate : {0.05, 0.5, 3.0}) {
            CacheModel model;
            model.rounding = rounding;
            expect_alike(model, 10, rate, "rounding");
        }
    }
}

TEST(CachesAgreeWithEveryQueryDrawn, WithPrefetchAndStaleAnswers) {
    CacheModel bind;
    bind.prefetch.below_s = 2;
    bind.prefetch.of_at_least_s = 9;
    expect_alike(bind, 20, 0.5, "prefetch of two numbers");
    expect_alike(bind, 5, 0.5, "prefetch of two numbers, too short");
    CacheModel unbound;
    unbound.rounding = Rounding::FloorPlusOne;
    unbound.prefetch.share = 0.1;
    expect_alike(unbound, 30, 0.3, "prefetch by share");
    CacheModel stale;
    stale.stale = StaleRule{ServeStale::Always, 40, 30};
    expect_alike(stale, 10, 0.05, "stale at once");
}

}  // namespace
}  // namespace steerd::drill
