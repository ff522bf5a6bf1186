// From what a monitor saw to pieces: one answer at a time, and answers that are drawn.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "drill/live_timeline.h"

namespace steerd::drill {
namespace {

double at_s(const Piece& piece) {
    return std::chrono::duration<double>(piece.from.time_since_epoch()).count();
}

TEST(LiveTimeline, OneAnswerChangesWhereAnotherIsFirstSeen) {
    LiveSeen seen;
    seen.groups = 2;
    seen.end = 10;
    seen.turns = {4.0, 8.0};
    for (int i = 0; i < 200; ++i) {
        const double at = i * 0.05;
        seen.samples.push_back({at, 0, at < 4.12 || at >= 8.02 ? 1U : 2U, 30});
        seen.samples.push_back({at, 1, 3, 30});
    }
    const auto classes = classes_seen(seen);
    ASSERT_EQ(classes.size(), 2U);
    ASSERT_EQ(classes[0].pieces.size(), 3U);
    EXPECT_EQ(at_s(classes[0].pieces[0]), 0);
    EXPECT_NEAR(at_s(classes[0].pieces[1]), 4.15, 1e-6);
    EXPECT_NEAR(at_s(classes[0].pieces[2]), 8.05, 1e-6);
    EXPECT_EQ(classes[0].pieces[1].offers[0].answer, 2U);
    EXPECT_EQ(classes[0].pieces[1].offers[0].ttl_s, 30U);
    EXPECT_EQ(classes[1].pieces.size(), 1U);
    EXPECT_EQ(switches_seen(classes), 2U);
}

TEST(LiveTimeline, DrawnAnswersAreCountedBetweenTheWords) {
    LiveSeen seen;
    seen.groups = 1;
    seen.end = 30;
    seen.turns = {10.0, 20.0};
    base::Rng rng(1);
    for (int i = 0; i < 1500; ++i) {
        const double at = i * 0.02;
        const bool both = at < 10.1 || at >= 20.05;
        seen.samples.push_back({at, 0, both && rng.unit() < 0.3 ? 1U : 0U, 5});
    }
    const auto classes = classes_seen(seen);
    ASSERT_EQ(classes[0].pieces.size(), 3U);
    const Piece& first = classes[0].pieces[0];
    const Piece& gone = classes[0].pieces[1];
    const Piece& back = classes[0].pieces[2];
    ASSERT_EQ(first.offers.size(), 2U);
    EXPECT_NEAR(1 - first.offers[0].cumulative, 0.3, 0.05);
    ASSERT_EQ(gone.offers.size(), 1U);
    EXPECT_EQ(gone.offers[0].answer, 0U);
    EXPECT_GT(at_s(gone), 9.9);
    EXPECT_LT(at_s(gone), 10.4);
    // As before to the last digit, or nobody could tell that all is as it was.
    ASSERT_EQ(back.offers.size(), 2U);
    EXPECT_EQ(back.offers[0].cumulative, first.offers[0].cumulative);
}

TEST(LiveTimeline, OtherWeightsAreAnotherMix) {
    LiveSeen seen;
    seen.groups = 1;
    seen.end = 20;
    seen.turns = {10.0};
    base::Rng rng(2);
    for (int i = 0; i < 1000; ++i) {
        const double at = i * 0.02;
        seen.samples.push_back({at, 0, rng.unit() < (at < 10 ? 0.1 : 0.6) ? 1U : 0U, 5});
    }
    const auto classes = classes_seen(seen);
    ASSERT_EQ(classes[0].pieces.size(), 2U);
    EXPECT_NEAR(1 - classes[0].pieces[0].offers[0].cumulative, 0.1, 0.05);
    EXPECT_NEAR(1 - classes[0].pieces[1].offers[0].cumulative, 0.6, 0.07);
}

TEST(LiveTimeline, ASeldomAnswerThatWasNotDrawnIsNotGone) {
    LiveSeen seen;
    seen.groups = 1;
    seen.end = 12;
    seen.turns = {10.0, 10.9};
    for (int i = 0; i < 600; ++i) {
        const double at = i * 0.02;
        const bool seldom = i % 20 == 0 && (at < 10 || at > 11.5);
        seen.samples.push_back({at, 0, seldom ? 1U : 0U, 5});
    }
    EXPECT_EQ(classes_seen(seen)[0].pieces.size(), 1U);
}

TEST(LiveTimeline, AGroupNeverSeenHasNoPieces) {
    LiveSeen seen;
    seen.groups = 2;
    seen.samples.push_back({1, 1, 0, 5});
    const auto classes = classes_seen(seen);
    EXPECT_TRUE(classes[0].pieces.empty());
    EXPECT_EQ(classes[1].pieces.size(), 1U);
}

}  // namespace
}  // namespace steerd::drill
