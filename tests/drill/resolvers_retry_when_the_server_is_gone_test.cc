// The server itself is killed or hangs: caches serve what they have, retry ever more rarely, give
// stale answers where they are told to, and come back after it does.
#include <gtest/gtest.h>

#include "tests/drill/drill_testing.h"

namespace steerd::drill {
namespace {

constexpr double kGone = 100, kBack = 160, kEnd = 400;

/// One answer throughout; the server is away from 100 s to 160 s.
Timeline away(Authority how, std::uint32_t ttl_s) {
    Timeline timeline = testing::flip(1, kEnd, ttl_s);
    timeline.classes[0].pieces.pop_back();
    timeline.authority = {{testing::at_s(0), Authority::Up},
                          {testing::at_s(kGone), how},
                          {testing::at_s(kBack), Authority::Up}};
    return timeline;
}

struct Failing {
    double from = kEnd, to = 0, seconds = 0;
    std::size_t fetches_away = 0;
};

Failing failing(Authority how, const CacheModel& model, std::uint32_t ttl_s, double rate = 5) {
    const FlatTimeline flat = flatten(away(how, ttl_s));
    Failing all;
    for (std::uint64_t key = 0; key < 300; ++key) {
        const testing::Recorder seen = testing::stream(flat, model, rate, key);
        for (const testing::Run& run : seen.runs) {
            if (run.state == flat.failed) {
                all.from = std::min(all.from, run.from);
                all.to = std::max(all.to, run.to);
                all.seconds += (run.to - run.from) / 300;
            }
        }
        for (const double at : seen.fetches) {
            all.fetches_away += at >= kGone && at < kBack ? 1 : 0;
        }
        EXPECT_NEAR(seen.in(0, 0, kEnd) + seen.in(flat.failed, 0, kEnd), kEnd, 1e-6);
    }
    return all;
}

TEST(ResolversRetry, LookupsFailOnceTheTtlIsOver) {
    CacheModel model;
    model.retry = RetryRule{1, 2};
    const Failing seen = failing(Authority::Killed, model, 30);
    EXPECT_GE(seen.from, kGone);
    EXPECT_LT(seen.from, kGone + 3);            // some cache had just run out
    EXPECT_LT(seen.to, kBack + 2 + 3);          // the spacing, and a query's wait
    EXPECT_NEAR(seen.seconds, 60 - 15 + 1, 2);  // half a TTL is still in the caches
    EXPECT_EQ(seen.fetches_away, 0U);           // nothing arrives at what is killed
}

TEST(ResolversRetry, RareRetriesNoticeLate) {
    CacheModel model;
    model.retry = RetryRule{8, 120};  // after 8, 24, 56, 120 s
    const Failing seen = failing(Authority::Hung, model, 5);
    EXPECT_GT(seen.to, kBack + 20);
    EXPECT_LT(seen.to, kBack + 70);
    EXPECT_GT(seen.fetches_away, 300U * 3);  // they do arrive at what hangs
}

TEST(ResolversRetry, LongTtlsRideItOut) {
    const Failing seen = failing(Authority::Killed, CacheModel{}, 3600);
    EXPECT_LT(seen.seconds, 2.5);  // 60 of 3600 s run out meanwhile
}

TEST(ResolversRetry, StaleAnswersBridgeTheGap) {
    for (const ServeStale when : {ServeStale::OnError, ServeStale::Always}) {
        CacheModel model;
        model.stale = StaleRule{when, 86400, 30};
        EXPECT_EQ(failing(Authority::Killed, model, 5).seconds, 0);
        model.stale.for_s = 20;
        const Failing seen = failing(Authority::Killed, model, 5);
        EXPECT_GT(seen.seconds, 30);
        EXPECT_GE(seen.from, kGone + 20 - 3);  // expired, and not asked for until the server went
    }
}

TEST(ResolversRetry, ClientCachesHideTheFirstPart) {
    CacheModel model;
    model.retry = RetryRule{1, 2};
    const double bare = failing(Authority::Killed, model, 5).seconds;
    model.client = ClientModel::fixed(30);
    const double held = failing(Authority::Killed, model, 5).seconds;
    EXPECT_LT(held, bare - 5);
    EXPECT_GT(held, 20);
}

TEST(ResolversRetry, ServfailFromTheServerIsRetriedAndBridged) {
    Timeline timeline = testing::flip(100, kEnd, 10);
    timeline.answers[1].servfail = true;
    timeline.classes[0].pieces.push_back(testing::piece(160, 0, 10));
    const FlatTimeline flat = flatten(timeline);
    CacheModel model;
    model.retry = RetryRule{1, 2};
    CacheModel stale = model;
    stale.stale = StaleRule{ServeStale::OnError, 3600, 30};
    for (std::uint64_t key = 0; key < 50; ++key) {
        const testing::Recorder bare = testing::stream(flat, model, 50, key);
        EXPECT_GT(bare.in(1, 0, kEnd), 45);
        EXPECT_EQ(bare.in(flat.failed, 0, kEnd), 0) << "the server is there";
        EXPECT_LT(bare.last(1, 0), 164);
        EXPECT_LT(testing::stream(flat, stale, 50, key).in(1, 0, kEnd), 0.5);
    }
}

}  // namespace
}  // namespace steerd::drill
