// The formulas of product.md §5 and §6, on virtual time.
#include <gtest/gtest.h>

#include "tests/control/world_fixture.h"

namespace steerd::control {
namespace {

struct Timing {
    Duration interval;
    Duration timeout;
    Duration fast_interval;
    unsigned fall;
    unsigned rise;
};

std::string configured(const Timing& timing) {
    const auto ms = [](Duration d) { return "\"" + std::to_string(d / milliseconds(1)) + "ms\""; };
    std::string text = edited(kTwoSites, "interval = \"5s\"", "interval = " + ms(timing.interval));
    text = edited(text, "timeout = \"2s\"", "timeout = " + ms(timing.timeout));
    text = edited(text, "fast_interval = \"1s\"", "fast_interval = " + ms(timing.fast_interval));
    text = edited(text, "fall = 3", "fall = " + std::to_string(timing.fall));
    return edited(text, "rise = 2", "rise = " + std::to_string(timing.rise));
}

const Timing kTimings[] = {
    {seconds(5), seconds(2), seconds(1), 3, 2},
    {seconds(1), milliseconds(500), milliseconds(250), 3, 2},
    {seconds(10), seconds(1), seconds(3), 4, 1},
    {seconds(2), seconds(2), seconds(2), 2, 3},
    {seconds(3), seconds(1), seconds(1), 1, 1},
};

/// The next check of a's phase from now on, by the checks that were started.
Mono next_phase(const World& world, Duration interval) {
    Mono last{};
    for (const auto& [at, address] : world.starts) {
        if (address == "192.0.2.1") {
            last = at;
        }
    }
    while (last < world.now().mono) {
        last += interval;
    }
    return last;
}

TEST(Detection, IsTheRestOfThePhaseAndFallMinusOneStepsAndTheLastCheck) {
    base::Rng rng(1);
    for (const Timing& timing : kTimings) {
        const std::string text = configured(timing);
        const auto plan = plan_of(text);
        for (const Duration d : {Duration(0), timing.timeout / 3, timing.timeout}) {
            for (int round = 0; round < 20; ++round) {
                World world(Options{.seed = rng.next(), .keep_state = false});
                world.load(plan);
                world.run_for(3 * timing.interval);
                world.run_for(Duration(static_cast<std::int64_t>(
                    rng.below(static_cast<std::uint64_t>(timing.interval.count())))));
                ASSERT_TRUE(world.is("a", Health::Up));
                const Mono killed = world.now().mono;
                const Duration rest = next_phase(world, timing.interval) - killed;
                world.set("192.0.2.1", {Outcome::Fail, d, "dead"});
                ASSERT_TRUE(
                    world.run_until([&] { return world.is("a", Health::Down); }, minutes(10)));
                const Duration took = world.last_change.at("a") - killed;
                const Duration step = std::max(timing.fast_interval, d);
                EXPECT_EQ(took, rest + (timing.fall - 1) * step + d);
                const Duration worst =
                    timing.interval +
                    (timing.fall - 1) * std::max(timing.fast_interval, timing.timeout) +
                    timing.timeout;
                EXPECT_LE(took, worst);
            }
        }
    }
}

TEST(Recovery, ComesWithinRisePlusOneIntervals) {
    base::Rng rng(2);
    for (const Timing& timing : kTimings) {
        const auto plan = plan_of(configured(timing));
        for (int round = 0; round < 30; ++round) {
            World world(Options{.seed = rng.next(), .keep_state = false});
            world.set("192.0.2.1", round % 2 == 0 ? kRefuses : black_hole(timing.timeout));
            world.load(plan);
            world.run_for(4 * timing.interval);
            world.run_for(Duration(static_cast<std::int64_t>(
                rng.below(static_cast<std::uint64_t>(timing.interval.count())))));
            ASSERT_TRUE(world.is("a", Health::Down));
            const Mono back = world.now().mono;
            world.set("192.0.2.1", kUp);
            ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Up); }, minutes(10)));
            EXPECT_LE(world.last_change.at("a") - back,
                      (timing.rise + 1) * timing.interval + milliseconds(300));
        }
    }
}

TEST(Detection, SlowChecksMakeDegradedAndNeverDown) {
    World world;
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(20));
    world.set("192.0.2.1", kSlow);
    ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Degraded); }, seconds(21)));
    world.run_for(minutes(10));
    EXPECT_TRUE(world.is("a", Health::Degraded));
}

TEST(Detection, OurOwnFaultMovesNothingAndShowsAfterAWhile) {
    World world;
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(20));
    world.set("192.0.2.1", kNoDescriptor);
    world.run_for(seconds(14));
    EXPECT_FALSE(world.status().checks[0].inconclusive_long);
    world.run_for(minutes(10));
    EXPECT_TRUE(world.is("a", Health::Up));
    EXPECT_TRUE(world.status().checks[0].inconclusive_long);
    EXPECT_GT(world.status().checks[0].counts.inconclusive, 100U);
    world.set("192.0.2.1", kUp);
    world.run_for(seconds(10));
    EXPECT_FALSE(world.status().checks[0].inconclusive_long);
}

/// The promise behind the countdown TTL: while a change is under way, the moment that is published
/// is never later than the change.
TEST(Detection, TheEarliestMomentNeverPromisesLaterThanReal) {
    base::Rng rng(3);
    const auto plan = plan_of(kTwoSites);
    int promised = 0;
    for (int round = 0; round < 60; ++round) {
        World world(Options{.seed = rng.next(), .keep_state = false});
        world.load(plan);
        world.run_for(seconds(15) + Duration(static_cast<std::int64_t>(rng.below(5'000'000'000))));
        const Behaviour kinds[] = {
            kRefuses, black_hole(seconds(2)), kSlow, {Outcome::Fail, milliseconds(700), "503"}};
        std::vector<std::pair<Health, Wall>> promises;
        Health was = world.health("a");
        world.set("192.0.2.1", kinds[rng.below(4)]);
        for (int change = 0; change < 2; ++change) {
            world.run_until(
                [&] {
                    const AddressStatus address = world.status().endpoints[0].addresses[0];
                    if (address.earliest) {
                        promises.emplace_back(address.next, *address.earliest);
                    }
                    return address.health != was;
                },
                minutes(2));
            for (const auto& [next, earliest] : promises) {
                EXPECT_EQ(next, world.health("a"));
                EXPECT_LE(earliest, world.now().wall);
                ++promised;
            }
            promises.clear();
            was = world.health("a");
            world.set("192.0.2.1", kUp);
        }
    }
    EXPECT_GT(promised, 200);
}

TEST(Detection, ARefusingEndpointCountsDownToTheVerySecond) {
    World world;
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(20));
    world.set("192.0.2.1", kRefuses);
    const auto pending = [&] { return world.status().endpoints[0].addresses[0].earliest; };
    ASSERT_TRUE(world.run_until([&] { return pending().has_value(); }, seconds(6)));
    const Mono first_fail = world.now().mono;
    EXPECT_EQ(*pending() - world.now().wall, seconds(2));
    ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Down); }, seconds(6)));
    EXPECT_EQ(world.last_change.at("a") - first_fail, seconds(2));
}

TEST(Detection, ADayWithoutAFaultBringsNoTransition) {
    World world(Options{.keep_state = false});
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(10));
    ASSERT_EQ(world.events_of(EventKind::Transition).size(), 2U);
    const std::size_t published = world.published.size();
    world.run_for(std::chrono::hours(24));
    EXPECT_EQ(world.events_of(EventKind::Transition).size(), 2U);
    EXPECT_EQ(world.published.size(), published);
    EXPECT_NEAR(static_cast<double>(world.starts.size()), 2 * 17'282.0, 8);
}

}  // namespace
}  // namespace steerd::control
