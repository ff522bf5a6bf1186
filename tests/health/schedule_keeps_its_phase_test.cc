// The schedule's promises: phases exact and without drift, fast re-checks, one in flight, a bound
// on all, first checks spread.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "health/schedule.h"

namespace steerd::health {
namespace {

using base::Duration;
using base::Mono;
using std::chrono::milliseconds;
using std::chrono::seconds;

Mono at(Duration d) { return Mono{d}; }

constexpr Schedule::Timing kTiming{seconds(5), seconds(1)};

TEST(Schedule, FallsOnItsPhaseExactlyIntervalApartHoweverLongChecksTake) {
    base::Rng rng(3);
    Schedule schedule(10);
    const CheckId check = schedule.add(kTiming, at(seconds(100)), seconds(1), rng);
    const Mono first = schedule.next();
    EXPECT_GE(first, at(seconds(100)));
    EXPECT_LT(first, at(seconds(101)));
    Mono now = first;
    Mono phase{};
    for (int i = 0; i < 100'000; ++i) {
        ASSERT_EQ(schedule.start_due(now), std::vector{check});
        const Duration took(static_cast<std::int64_t>(rng.below(4'900'000'000)));
        ASSERT_TRUE(schedule.done(check, now + took, Pace::Phase));
        const Mono next = schedule.next();
        ASSERT_GE(next, now + took);
        if (i == 1) {
            phase = now;
        }
        if (i >= 1) {
            ASSERT_EQ((next - phase) % kTiming.interval, Duration::zero()) << "drifted at " << i;
            ASSERT_EQ(next - now, kTiming.interval);
        }
        // A loop that wakes late does not move the phase.
        now = next;
    }
}

TEST(Schedule, ALateStartDoesNotMoveThePhase) {
    base::Rng rng(4);
    Schedule schedule(10);
    const CheckId check = schedule.add(kTiming, at({}), {}, rng);
    (void)schedule.start_due(schedule.next());
    (void)schedule.done(check, schedule.start_of(check), Pace::Phase);
    const Mono phase = schedule.next();
    for (int i = 0; i < 1000; ++i) {
        const Mono late =
            schedule.next() + Duration(static_cast<std::int64_t>(rng.below(900'000'000)));
        ASSERT_EQ(schedule.start_due(late).size(), 1U);
        (void)schedule.done(check, late, Pace::Phase);
        ASSERT_EQ((schedule.next() - phase) % kTiming.interval, Duration::zero());
    }
}

TEST(Schedule, APhaseThatFallsIntoACheckInFlightIsPassedOver) {
    base::Rng rng(5);
    Schedule schedule(10);
    const CheckId check = schedule.add(kTiming, at({}), {}, rng);
    (void)schedule.start_due(schedule.next());
    (void)schedule.done(check, schedule.start_of(check), Pace::Phase);
    const Mono phase = schedule.next();
    ASSERT_EQ(schedule.start_due(phase).size(), 1U);
    EXPECT_EQ(schedule.next(), base::kNever);
    EXPECT_TRUE(schedule.start_due(phase + seconds(6)).empty()) << "two of one check in flight";
    (void)schedule.done(check, phase + seconds(6), Pace::Phase);
    EXPECT_EQ(schedule.next(), phase + seconds(10));
}

TEST(Schedule, ACheckThatEndsOnThePhaseGoesOnThere) {
    base::Rng rng(6);
    Schedule schedule(10);
    const CheckId check = schedule.add(kTiming, at({}), {}, rng);
    (void)schedule.start_due(schedule.next());
    (void)schedule.done(check, schedule.start_of(check), Pace::Phase);
    const Mono phase = schedule.next();
    (void)schedule.start_due(phase);
    (void)schedule.done(check, phase + seconds(5), Pace::Phase);
    EXPECT_EQ(schedule.next(), phase + seconds(5));
}

TEST(Schedule, FastFollowsTheLastStartOrItsEndIfLaterAndThenThePhaseAgain) {
    base::Rng rng(7);
    Schedule schedule(10);
    const CheckId check = schedule.add(kTiming, at({}), {}, rng);
    (void)schedule.start_due(schedule.next());
    (void)schedule.done(check, schedule.start_of(check), Pace::Phase);
    const Mono phase = schedule.next();
    (void)schedule.start_due(phase);
    (void)schedule.done(check, phase + milliseconds(3), Pace::Fast);
    EXPECT_EQ(schedule.next(), phase + seconds(1));
    (void)schedule.start_due(phase + seconds(1));
    (void)schedule.done(check, phase + milliseconds(3500), Pace::Fast);
    EXPECT_EQ(schedule.next(), phase + milliseconds(3500));
    (void)schedule.start_due(phase + milliseconds(3500));
    (void)schedule.done(check, phase + milliseconds(3600), Pace::Phase);
    EXPECT_EQ(schedule.next(), phase + seconds(5));
}

TEST(Schedule, NeverMoreThanTheBoundInFlightAndAllGetTheirTurn) {
    constexpr std::size_t kBound = 7;
    base::Rng rng(8);
    Schedule schedule(kBound);
    std::set<CheckId> flying;
    std::map<CheckId, int> runs;
    for (int i = 0; i < 100; ++i) {
        runs[schedule.add({seconds(1), milliseconds(200)}, at({}), seconds(1), rng)] = 0;
    }
    std::multimap<Mono, CheckId> ends;
    Mono now = at({});
    while (now < at(seconds(60))) {
        const Mono due = schedule.next();
        const Mono ended = ends.empty() ? base::kNever : ends.begin()->first;
        now = std::max(now, std::min(due, ended));
        if (ended <= now) {
            const CheckId check = ends.begin()->second;
            ends.erase(ends.begin());
            ASSERT_EQ(flying.erase(check), 1U);
            ASSERT_TRUE(schedule.done(check, now, rng.below(2) == 0 ? Pace::Fast : Pace::Phase));
        }
        for (const CheckId check : schedule.start_due(now)) {
            ASSERT_TRUE(flying.insert(check).second) << "two of one check in flight";
            ++runs[check];
            ends.emplace(now + Duration(static_cast<std::int64_t>(rng.below(150'000'000))), check);
        }
        ASSERT_LE(flying.size(), kBound);
        ASSERT_EQ(flying.size(), schedule.in_flight_count());
    }
    for (const auto& [check, count] : runs) {
        EXPECT_GT(count, 20) << "starved";
    }
}

TEST(Schedule, FirstChecksAreSpreadAndAtMostOverASecond) {
    base::Rng rng(9);
    Schedule schedule(20'000);
    for (int i = 0; i < 10'000; ++i) {
        (void)schedule.add({seconds(10), seconds(1)}, at(seconds(1)), seconds(30), rng);
    }
    std::size_t started = 0;
    for (int tenth = 1; tenth <= 10; ++tenth) {
        const std::size_t now =
            schedule.start_due(at(seconds(1) + tenth * milliseconds(100))).size();
        EXPECT_GT(now, 800U);
        EXPECT_LT(now, 1200U);
        started += now;
    }
    EXPECT_EQ(started, 10'000U);
}

TEST(Schedule, PhasesFillTheInterval) {
    base::Rng rng(10);
    Schedule schedule(20'000);
    for (int i = 0; i < 10'000; ++i) {
        (void)schedule.add({seconds(10), seconds(1)}, at({}), {}, rng);
    }
    for (const CheckId check : schedule.start_due(at({}))) {
        (void)schedule.done(check, at({}), Pace::Phase);
    }
    for (int second = 1; second <= 10; ++second) {
        const std::size_t now = schedule.start_due(at(seconds(second))).size();
        EXPECT_GT(now, 850U);
        EXPECT_LT(now, 1150U);
    }
}

TEST(Schedule, ARemovedCheckNeverStartsAndItsIdIsFreedWhenItHasEnded) {
    base::Rng rng(11);
    Schedule schedule(10);
    const CheckId waiting = schedule.add(kTiming, at({}), {}, rng);
    schedule.remove(waiting);
    EXPECT_EQ(schedule.next(), base::kNever);
    const CheckId again = schedule.add(kTiming, at({}), {}, rng);
    EXPECT_EQ(again, waiting);
    ASSERT_EQ(schedule.start_due(schedule.next()).size(), 1U);
    schedule.remove(again);
    EXPECT_TRUE(schedule.in_flight(again));
    const CheckId other = schedule.add(kTiming, at({}), {}, rng);
    EXPECT_NE(other, again);
    EXPECT_FALSE(schedule.done(again, at(seconds(1)), Pace::Phase));
    EXPECT_EQ(schedule.in_flight_count(), 0U);
    EXPECT_EQ(schedule.add(kTiming, at({}), {}, rng), again);
}

TEST(Schedule, OneSeedOneSchedule) {
    const auto trace = [](std::uint64_t seed) {
        base::Rng rng(seed);
        Schedule schedule(5);
        for (int i = 0; i < 20; ++i) {
            (void)schedule.add(kTiming, at({}), seconds(1), rng);
        }
        std::vector<std::pair<Mono, CheckId>> starts;
        while (starts.size() < 500) {
            const Mono now = schedule.next();
            for (const CheckId check : schedule.start_due(now)) {
                starts.emplace_back(now, check);
                (void)schedule.done(check, now, Pace::Phase);
            }
        }
        return starts;
    };
    EXPECT_EQ(trace(1), trace(1));
    EXPECT_NE(trace(1), trace(2));
}

}  // namespace
}  // namespace steerd::health
