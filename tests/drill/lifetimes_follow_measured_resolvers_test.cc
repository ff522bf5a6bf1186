// Lifetimes, refresh times and told TTLs as real resolvers showed them: Unbound, BIND, Knot
// Resolver, PowerDNS, dnsmasq. f is the fraction of the second at which an answer was fetched.
#include <gtest/gtest.h>

#include "tests/drill/drill_testing.h"

namespace steerd::drill {
namespace {

/// How long an answer fetched at 100.3 is fresh, and how long at most the first query still gets
/// it.
struct Lives {
    double fresh = 0, old = 0;
};

Lives lives(const CacheModel& model, double ttl) {
    const Lifetime life = lifetime_of(model, ttl, false);
    const Held held = hold_from(life, 100.3, 0);
    return Lives{held.fresh_until - 100.3, held.old_until - 100.3};
}

CacheModel rounded(Rounding rounding) {
    CacheModel model;
    model.rounding = rounding;
    return model;
}

TEST(Lifetimes, CountSecondsAsTheirFamilyDoes) {
    EXPECT_NEAR(lives(rounded(Rounding::Exact), 30).fresh, 30, 1e-9);
    EXPECT_NEAR(lives(rounded(Rounding::Floor), 30).fresh, 29.7, 1e-9);
    EXPECT_NEAR(lives(rounded(Rounding::FloorPlusOne), 30).fresh, 30.7, 1e-9);
    EXPECT_NEAR(lives(rounded(Rounding::FloorPlusOne), 1).fresh, 1.7, 1e-9);
    EXPECT_NEAR(lives(rounded(Rounding::Floor), 30).old, 29.7, 1e-9);
}

TEST(Lifetimes, ClockOfTheCacheMayStandAnywhere) {
    const Lifetime life = lifetime_of(rounded(Rounding::Floor), 30, false);
    EXPECT_NEAR(hold_from(life, 100.3, 0.2).fresh_until, 130.2, 1e-9);
    EXPECT_NEAR(hold_from(life, 100.3, 0.4).fresh_until, 129.4, 1e-9);
}

TEST(Lifetimes, BindRefreshesTwoSecondsEarlyFromNineOn) {
    CacheModel bind = rounded(Rounding::Floor);
    bind.prefetch.below_s = 2;
    bind.prefetch.of_at_least_s = 9;
    EXPECT_NEAR(lives(bind, 30).fresh, 27.7, 1e-9);
    EXPECT_NEAR(lives(bind, 30).old, 29.7, 1e-9);
    EXPECT_NEAR(lives(bind, 9).fresh, 6.7, 1e-9);
    EXPECT_NEAR(lives(bind, 8).fresh, 7.7, 1e-9);
    bind.min_ttl_s = 60;
    EXPECT_NEAR(lives(bind, 5).fresh, 57.7, 1e-9);
}

TEST(Lifetimes, UnboundLosesItsLastSecondByPrefetch) {
    CacheModel unbound = rounded(Rounding::FloorPlusOne);
    unbound.prefetch.share = 0.1;
    EXPECT_NEAR(lives(unbound, 30).fresh, 26.7, 1e-9);
    EXPECT_NEAR(lives(unbound, 30).old, 30.7, 1e-9);
    EXPECT_NEAR(lives(unbound, 5).fresh, 4.7, 1e-9);
}

TEST(Lifetimes, ClampsAndHoldsReplaceTheTtl) {
    CacheModel knot = rounded(Rounding::FloorPlusOne);
    knot.min_ttl_s = 5;
    EXPECT_NEAR(lives(knot, 0).fresh, 5.7, 1e-9);
    CacheModel capped = rounded(Rounding::Exact);
    capped.max_ttl_s = 60;
    EXPECT_NEAR(lives(capped, 300).fresh, 60, 1e-9);
    capped.hold_s = 90;
    EXPECT_NEAR(lives(capped, 5).fresh, 90, 1e-9);
    CacheModel longer = rounded(Rounding::Exact);
    longer.extend_s = 120;
    EXPECT_NEAR(lives(longer, 30).fresh, 150, 1e-9);
}

TEST(Lifetimes, TtlOfZeroIsNotKept) {
    for (const Rounding rounding : {Rounding::Exact, Rounding::Floor, Rounding::FloorPlusOne}) {
        EXPECT_EQ(lifetime_of(rounded(rounding), 0, false).base_s, 0);
    }
    const FlatTimeline flat = flatten(testing::flip(50, 100, 0));
    const testing::Recorder seen = testing::stream(flat, rounded(Rounding::Floor), 20, 1);
    EXPECT_TRUE(seen.fetches.empty());
    EXPECT_NEAR(seen.flowed, 2000, 10);  // every query is a fetch
    EXPECT_NEAR(seen.last(0, 0), 50, 1e-9);
}

TEST(Lifetimes, NegativeAnswersHaveTheirOwnMost) {
    CacheModel model = rounded(Rounding::Exact);
    model.negative_max_s = 10;
    EXPECT_EQ(lifetime_of(model, 60, true).base_s, 10);
    EXPECT_EQ(lifetime_of(model, 60, false).base_s, 60);
    Timeline timeline = testing::flip(100, 200, 5);
    timeline.answers[0].negative = true;
    // Busy, so that it lets go within the TTL that the negative answer was offered with.
    const FlatTimeline flat = flatten(timeline);
    for (std::uint64_t key = 0; key < 50; ++key) {
        EXPECT_LE(testing::stream(flat, model, 100, key).last(0, 0), 105.0);
    }
}

TEST(Lifetimes, StaleAnswersCarryTheirOwnTtl) {
    CacheModel model = rounded(Rounding::FloorPlusOne);
    model.stale = StaleRule{ServeStale::Always, 3600, 30};
    const Lifetime life = lifetime_of(model, 20, false);
    const Held held = hold_from(life, 100.3, 0);
    EXPECT_NEAR(held.old_until, 121 + 3600, 1e-9);
    EXPECT_EQ(told_ttl(life, held, 30, 100.3), 20);
    EXPECT_EQ(told_ttl(life, held, 30, 110.1), 10);
    EXPECT_EQ(told_ttl(life, held, 30, 120.9), 0);  // the last second
    EXPECT_EQ(told_ttl(life, held, 30, 121.1), 30);
    model.stale.when = ServeStale::OnError;
    const Held error = hold_from(lifetime_of(model, 20, false), 100.3, 0);
    EXPECT_NEAR(error.old_until, 121, 1e-9);
    EXPECT_NEAR(error.error_until, 121 + 3600, 1e-9);
}

TEST(Lifetimes, ClientsHoldWhatTheirSystemsSay) {
    ClientModel apple;
    apple.factor = 1.25;
    apple.add_s = 2;
    apple.least_s = 15;
    apple.most_s = 4502;
    EXPECT_NEAR(apple.hold_s(5), 15, 1e-9);
    EXPECT_NEAR(apple.hold_s(60), 77, 1e-9);
    EXPECT_NEAR(apple.hold_s(7200), 4502, 1e-9);
    EXPECT_EQ(ClientModel::fixed(60).hold_s(5), 60);
    EXPECT_FALSE(ClientModel{}.present());
}

TEST(Lifetimes, OldAnswersEndAtTheirLastPossibleMoment) {
    const FlatTimeline flat = flatten(testing::flip(1, 9000, 30));
    const auto latest = [&](const CacheModel& model) {
        double most = 0;
        for (std::uint64_t key = 0; key < 4000; ++key) {
            most = std::max(
                most,
                testing::stream(flat, model, 2, key, {std::nextafter(1.0, 0), true}).last(0, 1) -
                    1);
        }
        return most;
    };
    EXPECT_LE(latest(rounded(Rounding::Floor)), 30);
    EXPECT_GT(latest(rounded(Rounding::Floor)), 28);
    EXPECT_LE(latest(rounded(Rounding::FloorPlusOne)), 31);
    EXPECT_GT(latest(rounded(Rounding::FloorPlusOne)), 30);
    CacheModel stub = rounded(Rounding::Floor);
    stub.client = ClientModel::fixed(60);
    EXPECT_LE(latest(stub), 90);
    EXPECT_GT(latest(stub), 80);
    stub.client = ClientModel::fixed(60);
    stub.client.grace_s = 60;
    EXPECT_LE(latest(stub), 150);
    EXPECT_GT(latest(stub), 90);
    CacheModel apple = rounded(Rounding::Floor);
    apple.client.factor = 1.25;
    apple.client.add_s = 2;
    EXPECT_LE(latest(apple), 30 * 1.25 + 2 + 1);
    EXPECT_GT(latest(apple), 30);
}

}  // namespace
}  // namespace steerd::drill
