// Several probes of one address, several addresses of one target: health and the change under way.
#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"
#include "health/combine.h"

namespace steerd::health {
namespace {

using std::chrono::seconds;

Belief still(Health health) { return {health, health, base::kNever}; }

Belief moving(Health from, Health to, int at_s) { return {from, to, base::Mono{seconds(at_s)}}; }

TEST(Combine, AllMustPassSoTheWorstCounts) {
    const std::vector<Belief> parts = {still(Health::Up), still(Health::Degraded),
                                       still(Health::Up)};
    EXPECT_EQ(combine(parts, 0), still(Health::Degraded));
    EXPECT_EQ(combine(parts, 3), still(Health::Degraded));
    EXPECT_EQ(combine(parts, 2), still(Health::Up));
    EXPECT_EQ(combine(std::vector{still(Health::Up), still(Health::Unknown)}, 0),
              still(Health::Unknown));
}

TEST(Combine, AnyOneIsEnoughUntilTheLastGoes) {
    const std::vector<Belief> parts = {moving(Health::Up, Health::Down, 7),
                                       moving(Health::Up, Health::Down, 3)};
    EXPECT_EQ(combine(parts, 1), moving(Health::Up, Health::Down, 7));
    EXPECT_EQ(combine(parts, 0), moving(Health::Up, Health::Down, 3));
}

TEST(Combine, AChangeThatDoesNotMoveTheWholeIsNoChange) {
    const std::vector<Belief> parts = {moving(Health::Up, Health::Down, 3), still(Health::Up)};
    EXPECT_EQ(combine(parts, 1), still(Health::Up));
    const std::vector<Belief> recovering = {moving(Health::Down, Health::Up, 3),
                                            still(Health::Down)};
    EXPECT_EQ(combine(recovering, 0), still(Health::Down));
    EXPECT_EQ(combine(recovering, 1), moving(Health::Down, Health::Up, 3));
}

TEST(Combine, EqualsTrackersPlayedForward) {
    base::Rng rng(1);
    constexpr Health kAll[] = {Health::Up, Health::Unknown, Health::Degraded, Health::Down};
    for (int round = 0; round < 20'000; ++round) {
        std::vector<Belief> parts;
        const std::size_t count = 1 + rng.below(5);
        for (std::size_t i = 0; i < count; ++i) {
            const Health from = kAll[rng.below(4)];
            const Health to = kAll[rng.below(4)];
            parts.push_back(from == to ? still(from)
                                       : moving(from, to, static_cast<int>(rng.below(6))));
        }
        const std::size_t required = rng.below(count + 1);
        // The definition, second by second: `need` parts at least as good.
        const auto whole = [&](int second) {
            for (const Health health : kAll) {
                std::size_t good = 0;
                for (const Belief& part : parts) {
                    const bool moved = part.earliest <= base::Mono{seconds(second)};
                    good += (moved ? part.next : part.health) <= health ? 1U : 0U;
                }
                if (good >= (required == 0 ? count : required)) {
                    return health;
                }
            }
            return Health::Down;
        };
        const Belief got = combine(parts, required);
        ASSERT_EQ(got.health, whole(-1));
        // Within one second two changes may undo each other; the earliest moment is a promise not
        // to come later, so nothing may change before it.
        const int until = got.earliest == base::kNever
                              ? 6
                              : static_cast<int>(got.earliest.time_since_epoch() / seconds(1));
        for (int second = 0; second < until; ++second) {
            ASSERT_EQ(whole(second), got.health);
        }
    }
}

TEST(Combine, TheSoonestMomentCountsTheChecksThatAreLeft) {
    Tracker tracker(3, 2, Health::Up);
    const base::Mono start{seconds(10)};
    EXPECT_EQ(belief(tracker, start, seconds(1)), still(Health::Up));
    tracker.record(Outcome::Fail, {});
    EXPECT_EQ(belief(tracker, start, seconds(1)), moving(Health::Up, Health::Down, 11));
    tracker.record(Outcome::Fail, {});
    EXPECT_EQ(belief(tracker, start, seconds(1)), moving(Health::Up, Health::Down, 10));
    tracker.record(Outcome::Fail, {});
    EXPECT_EQ(belief(tracker, start, seconds(5)), still(Health::Down));
    tracker.record(Outcome::Pass, {});
    EXPECT_EQ(belief(tracker, start, seconds(5)), moving(Health::Down, Health::Up, 10));
}

}  // namespace
}  // namespace steerd::health
