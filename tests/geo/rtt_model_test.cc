// The round-trip model: grows with distance, never beats light, fits what was measured.
#include "geo/rtt_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"

namespace steerd::geo {
namespace {

constexpr Location kTokyo{35.68, 139.69};
constexpr Location kFrankfurt{50.11, 8.68};
constexpr Location kVirginia{38.95, -77.45};

TEST(RttModel, KnownDistances) {
    EXPECT_NEAR(great_circle_km(kTokyo, kFrankfurt), 9330, 50);
    EXPECT_NEAR(great_circle_km(kTokyo, kVirginia), 10870, 50);
    EXPECT_NEAR(great_circle_km({90, 0}, {-90, 77}), 20015, 1);
    EXPECT_EQ(great_circle_km(kTokyo, kTokyo), 0);
}

TEST(RttModel, TheAntimeridianIsNoWall) {
    EXPECT_NEAR(great_circle_km({-17, 179.5}, {-17, -179.5}), 106.3, 1);
    EXPECT_NEAR(great_circle_km({10, 180}, {10, -180}), 0, 1e-6);
    EXPECT_NEAR(great_circle_km({90, 10}, {90, -120}), 0, 1e-6);
    EXPECT_LT(estimate_rtt_ms({-17, 179.5}, {-17, -179.5}), 10);
}

TEST(RttModel, GrowsWithDistanceAndNeverBeatsLight) {
    base::Rng rng(1);
    const auto any = [&] { return Location{rng.unit() * 180 - 90, rng.unit() * 360 - 180}; };
    for (int i = 0; i < 20000; ++i) {
        const Location a = any();
        const Location b = any();
        const Location c = any();
        const double ab = estimate_rtt_ms(a, b);
        const double ac = estimate_rtt_ms(a, c);
        EXPECT_GE(ab, light_in_fibre_ms(great_circle_km(a, b)));
        EXPECT_LE(ab, 340);
        EXPECT_NEAR(ab, estimate_rtt_ms(b, a), 1e-9);
        if (great_circle_km(a, b) < great_circle_km(a, c)) {
            EXPECT_LE(ab, ac);
        }
    }
}

TEST(RttModel, AntipodesAndEqualPlacesAreFinite) {
    EXPECT_NEAR(estimate_rtt_ms({0, 0}, {0, 180}), 330, 1);
    const double here = estimate_rtt_ms(kTokyo, kTokyo);
    EXPECT_GT(here, 0);
    EXPECT_LT(here, 5);
}

TEST(RttModel, NearTheMedianOfWhatWasMeasured) {
    // Medians of the published pairs around these distances, 20 % either way.
    EXPECT_NEAR(estimate_rtt_ms({0, 0}, {0, 20.55}), 57.9, 12);  // 2285 km
    EXPECT_NEAR(estimate_rtt_ms({0, 0}, {0, 72.43}), 142, 28);   // 8054 km
    EXPECT_NEAR(estimate_rtt_ms({0, 0}, {0, 111.80}), 242, 48);  // 12431 km
    EXPECT_NEAR(estimate_rtt_ms({0, 0}, {0, 151.69}), 289, 58);  // 16867 km
}

}  // namespace
}  // namespace steerd::geo
