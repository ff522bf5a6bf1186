// When it is safe to stop what was drained.
#include <gtest/gtest.h>

#include "admin/drain_model.h"

namespace steerd::admin {
namespace {

using std::chrono::seconds;

TEST(DrainModel, TheShareOnlyFallsFromNearlyAllToNearlyNothing) {
    const DrainModel model;
    double before = 1;
    for (int s = 0; s < 7200; s += 7) {
        const double left = model.left(60, seconds(s));
        EXPECT_LE(left, before + 1e-9) << s;
        before = left;
    }
    EXPECT_GT(model.left(60, seconds(0)), 0.9);
    EXPECT_LT(before, 0.05);
}

TEST(DrainModel, SafeIsWhenNinetyNineOfAHundredHaveGoneAndNeverBeforeTheTtl) {
    DrainModel model;
    for (const std::uint32_t ttl : {1U, 5U, 30U, 60U, 300U, 3600U}) {
        const auto safe = model.safe_after(ttl);
        EXPECT_GE(safe, DrainModel::caches_after(ttl)) << ttl;
        EXPECT_LE(model.left(ttl, safe), kSafeShare) << ttl;
        if (safe > DrainModel::caches_after(ttl)) {
            EXPECT_GT(model.left(ttl, safe - seconds(3)), kSafeShare) << ttl;
        }
    }
    EXPECT_EQ(DrainModel::caches_after(60), seconds(61));
}

TEST(DrainModel, ALongerTtlTakesLonger) {
    DrainModel model;
    EXPECT_LT(model.safe_after(30), model.safe_after(3600));
    EXPECT_EQ(model.safe_after(30), model.safe_after(30));
}

}  // namespace
}  // namespace steerd::admin
