// The tracker against the sentences of product.md §5, read off the whole history anew each time,
// for every sequence of verdicts up to a length.
#include <gtest/gtest.h>

#include <vector>

#include "health/tracker.h"

namespace steerd::health {
namespace {

constexpr Outcome kAll[] = {Outcome::Pass, Outcome::Slow, Outcome::Fail, Outcome::Inconclusive};

/// How many of the last verdicts in a row satisfy `counts`.
template <typename Counts>
std::uint32_t in_a_row(const std::vector<Outcome>& history, Counts counts) {
    std::uint32_t run = 0;
    for (auto it = history.rbegin(); it != history.rend() && counts(*it); ++it) {
        ++run;
    }
    return run;
}

struct Spec {
    std::uint32_t fall;
    std::uint32_t rise;

    /// `history` holds no inconclusive verdicts.
    [[nodiscard]] Health after(Health was, const std::vector<Outcome>& history) const {
        if (was == Health::Unknown) {
            return history.back() == Outcome::Pass   ? Health::Up
                   : history.back() == Outcome::Slow ? Health::Degraded
                                                     : Health::Down;
        }
        const auto failed = [](Outcome o) { return o == Outcome::Fail; };
        const auto slow_or_failed = [](Outcome o) { return o != Outcome::Pass; };
        const auto fast = [](Outcome o) { return o == Outcome::Pass; };
        const auto passed = [](Outcome o) { return o != Outcome::Fail; };
        if (was != Health::Down && in_a_row(history, failed) >= fall) {
            return Health::Down;
        }
        if (was == Health::Up && in_a_row(history, slow_or_failed) >= fall) {
            return Health::Degraded;
        }
        if (was != Health::Up && in_a_row(history, fast) >= rise) {
            return Health::Up;
        }
        if (was == Health::Down && in_a_row(history, passed) >= rise) {
            return Health::Degraded;
        }
        return was;
    }
};

class EverySequence {
  public:
    EverySequence(Spec spec, std::size_t length) : spec_(spec), length_(length) {}

    void walk(const Tracker& tracker, Health expected, std::size_t depth) {
        if (depth == length_ || ::testing::Test::HasFailure()) {
            return;
        }
        for (const Outcome outcome : kAll) {
            Tracker next = tracker;
            const Recorded recorded = next.record(outcome, base::Mono{});
            Health health = expected;
            const bool counts = outcome != Outcome::Inconclusive;
            if (counts) {
                history_.push_back(outcome);
                health = spec_.after(expected, history_);
            }
            ++seen_;
            ASSERT_EQ(next.health(), health) << "at length " << depth + 1;
            ASSERT_EQ(recorded == Recorded::Changed, health != expected);
            if (recorded == Recorded::None) {
                ASSERT_EQ(next.outlook(), tracker.outlook());
            }
            outlook_comes_true(next);
            walk(next, health, depth + 1);
            if (counts) {
                history_.pop_back();
            }
        }
    }

    [[nodiscard]] std::size_t seen() const { return seen_; }

  private:
    /// Going on as the last verdict that counted, the change comes after exactly that many checks.
    void outlook_comes_true(Tracker tracker) {
        const Outlook outlook = tracker.outlook();
        if (history_.empty()) {
            ASSERT_EQ(outlook.checks, 0U);
            return;
        }
        const Health was = tracker.health();
        const std::uint32_t patience = spec_.fall + spec_.rise + 1;
        for (std::uint32_t n = 1; n <= (outlook.checks > 0 ? outlook.checks : patience); ++n) {
            const bool changed = tracker.record(history_.back(), base::Mono{}) == Recorded::Changed;
            ASSERT_EQ(changed, outlook.checks == n);
        }
        ASSERT_EQ(tracker.health(), outlook.checks > 0 ? outlook.next : was);
    }

    Spec spec_;
    std::size_t length_;
    std::vector<Outcome> history_;
    std::size_t seen_ = 0;
};

std::size_t check_all(Spec spec, std::size_t length, Health start) {
    EverySequence every(spec, length);
    every.walk(Tracker(spec.fall, spec.rise, start), start, 0);
    return every.seen();
}

TEST(Tracker, EqualsItsSpecificationOnEverySequenceUpToTen) {
    EXPECT_EQ(check_all({3, 2}, 10, Health::Unknown), (4U * ((1U << 20U) - 1)) / 3);
}

TEST(Tracker, EqualsItsSpecificationForOtherThresholds) {
    for (const Spec spec : {Spec{1, 1}, Spec{1, 3}, Spec{2, 2}, Spec{4, 3}, Spec{2, 1}}) {
        check_all(spec, 7, Health::Unknown);
    }
}

TEST(Tracker, RestoredBeliefIsKnownSoThatFallAndRiseApply) {
    for (const Health start : {Health::Up, Health::Degraded, Health::Down}) {
        check_all({3, 2}, 7, start);
        Tracker tracker(3, 2, start);
        EXPECT_EQ(tracker.health(), start);
        EXPECT_EQ(tracker.outlook().checks, 0U);
    }
    Tracker up(3, 2, Health::Up);
    EXPECT_EQ(up.record(Outcome::Fail, {}), Recorded::Pending);
    EXPECT_EQ(up.health(), Health::Up);
    EXPECT_EQ(up.outlook(), (Outlook{Health::Down, 2}));
}

TEST(Tracker, IsSuspiciousFromAFirstFailUntilUpAgainOrDown) {
    Tracker tracker(3, 2, Health::Up);
    tracker.record(Outcome::Fail, {});
    EXPECT_TRUE(tracker.suspicious());
    tracker.record(Outcome::Inconclusive, {});
    EXPECT_TRUE(tracker.suspicious());
    tracker.record(Outcome::Slow, {});
    EXPECT_TRUE(tracker.suspicious()) << "a slow pass still counts towards degraded";
    tracker.record(Outcome::Pass, {});
    EXPECT_FALSE(tracker.suspicious());
    for (int i = 0; i < 3; ++i) {
        tracker.record(Outcome::Fail, {});
    }
    EXPECT_EQ(tracker.health(), Health::Down);
    EXPECT_FALSE(tracker.suspicious());
    tracker.record(Outcome::Pass, {});
    EXPECT_FALSE(tracker.suspicious()) << "recovery is counted at interval";
    tracker.record(Outcome::Fail, {});
    EXPECT_FALSE(tracker.suspicious());
}

TEST(Tracker, SlowAloneNeverHurries) {
    Tracker tracker(3, 2, Health::Up);
    for (int i = 0; i < 4; ++i) {
        tracker.record(Outcome::Slow, {});
        EXPECT_FALSE(tracker.suspicious());
    }
    EXPECT_EQ(tracker.health(), Health::Degraded);
    tracker.record(Outcome::Fail, {});
    EXPECT_TRUE(tracker.suspicious()) << "on the way from degraded to down";
    tracker.record(Outcome::Slow, {});
    EXPECT_FALSE(tracker.suspicious());
}

TEST(Tracker, RemembersSinceWhenAllWasInconclusive) {
    Tracker tracker(3, 2);
    EXPECT_FALSE(tracker.inconclusive_since());
    const base::Mono first{std::chrono::seconds(1)};
    tracker.record(Outcome::Inconclusive, first);
    tracker.record(Outcome::Inconclusive, base::Mono{std::chrono::seconds(9)});
    EXPECT_EQ(tracker.inconclusive_since(), first);
    EXPECT_EQ(tracker.health(), Health::Unknown);
    tracker.record(Outcome::Pass, base::Mono{std::chrono::seconds(10)});
    EXPECT_FALSE(tracker.inconclusive_since());
}

}  // namespace
}  // namespace steerd::health
