// A bucket lets a burst pass at once, then as many as time refills.
#include "base/bucket.h"

#include <gtest/gtest.h>

namespace steerd::base {
namespace {

Mono at(int second) { return Mono{std::chrono::seconds(second)}; }

TEST(Buckets, LetABurstPassAndThenTheirRate) {
    Bucket bucket(3, 2);
    EXPECT_TRUE(bucket.take(at(0)));
    EXPECT_TRUE(bucket.take(at(0)));
    EXPECT_TRUE(bucket.take(at(0)));
    EXPECT_FALSE(bucket.take(at(0)));
    EXPECT_TRUE(bucket.take(at(1)));
    EXPECT_TRUE(bucket.take(at(1)));
    EXPECT_FALSE(bucket.take(at(1)));
}

}  // namespace
}  // namespace steerd::base
