// The round-trip model: never beats light, agrees with the script that made its table, rises with
// distance where nothing was measured, and picks regions better than distance does.
#include "geo/rtt_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/rng.h"

namespace steerd::geo {
namespace {

constexpr Location kTokyo{35.68, 139.69};
constexpr Location kFrankfurt{50.11, 8.68};

Location any_place(base::Rng& rng) { return {rng.unit() * 180 - 90, rng.unit() * 360 - 180}; }

/// Fields of a CSV file without its header.
std::vector<std::vector<std::string>> rows_of(const std::string& path) {
    std::ifstream file(STEERD_SOURCE_DIR "/" + path);
    EXPECT_TRUE(file) << path;
    std::vector<std::vector<std::string>> rows;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::stringstream in(line);
        std::string field;
        rows.emplace_back();
        while (std::getline(in, field, ',')) {
            rows.back().push_back(field);
        }
    }
    return rows;
}

TEST(RttModel, KnownDistances) {
    EXPECT_NEAR(great_circle_km(kTokyo, kFrankfurt), 9330, 50);
    EXPECT_NEAR(great_circle_km(kTokyo, {38.95, -77.45}), 10870, 50);
    EXPECT_NEAR(great_circle_km({90, 0}, {-90, 77}), 20015, 1);
    EXPECT_EQ(great_circle_km(kTokyo, kTokyo), 0);
}

TEST(RttModel, TheAntimeridianIsNoWall) {
    EXPECT_NEAR(great_circle_km({-17, 179.5}, {-17, -179.5}), 106.3, 1);
    EXPECT_NEAR(great_circle_km({10, 180}, {10, -180}), 0, 1e-6);
    EXPECT_NEAR(great_circle_km({90, 10}, {90, -120}), 0, 1e-6);
    EXPECT_NEAR(estimate_rtt_ms({-17, 179.9999}, kTokyo), estimate_rtt_ms({-17, -179.9999}, kTokyo),
                0.1);
}

TEST(RttModel, AgreesWithTheScriptThatMadeItsTable) {
    const auto rows = rows_of("tests/geo/rtt_reference.csv");
    ASSERT_EQ(rows.size(), 400U);
    for (const auto& row : rows) {
        ASSERT_EQ(row.size(), 5U);
        const Location a{std::stod(row[0]), std::stod(row[1])};
        const Location b{std::stod(row[2]), std::stod(row[3])};
        EXPECT_NEAR(estimate_rtt_ms(a, b), std::stod(row[4]), 1e-3);
    }
}

TEST(RttModel, NeverBeatsLightAndIsTheSameBothWays) {
    base::Rng rng(1);
    for (int i = 0; i < 1000; ++i) {
        const Location a = any_place(rng);
        const Location b = any_place(rng);
        const double there = estimate_rtt_ms(a, b);
        EXPECT_GE(there, light_in_fibre_ms(great_circle_km(a, b)));
        EXPECT_GE(there, 1);
        EXPECT_LE(there, 1000);
        EXPECT_NEAR(there, estimate_rtt_ms(b, a), 1e-6);
    }
}

TEST(RttModel, RisesWithDistanceWhereNothingWasMeasured) {
    // Of the inhabited world nothing is that far from all cities; the ice behind the South Pole is.
    const Location nowhere{-82.1, 15.5};
    const RttTarget target(nowhere);
    base::Rng rng(2);
    for (int i = 0; i < 2000; ++i) {
        const Location near = any_place(rng);
        const Location far = any_place(rng);
        const double near_km = great_circle_km(nowhere, near);
        const double near_ms = target.estimate_ms(RttClient(near));
        EXPECT_NEAR(near_ms, median_rtt_ms(near_km), 1e-9);
        EXPECT_EQ(near_km < great_circle_km(nowhere, far),
                  near_ms < target.estimate_ms(RttClient(far)));
    }
}

TEST(RttModel, TheMedianRisesAndIsNearWhatWasMeasured) {
    for (double km = 0; km < 20000; km += 10) {
        EXPECT_LT(median_rtt_ms(km), median_rtt_ms(km + 10));
    }
    // Medians of the published pairs around these distances, 10 % either way.
    EXPECT_NEAR(median_rtt_ms(2285), 57.9, 6);
    EXPECT_NEAR(median_rtt_ms(8054), 142, 14);
    EXPECT_NEAR(median_rtt_ms(12431), 230, 23);
    EXPECT_NEAR(median_rtt_ms(16867), 289, 29);
}

struct Measurements {
    std::vector<Location> places;
    std::vector<std::vector<double>> rtt_ms;  // NaN where nothing was measured
};

Measurements measured() {
    Measurements out;
    std::map<std::string, std::size_t> index;
    for (const auto& row : rows_of("geo/model/cities.csv")) {
        index.emplace(row[0], out.places.size());
        out.places.push_back({std::stod(row[2]), std::stod(row[3])});
    }
    out.rtt_ms.assign(out.places.size(), std::vector<double>(out.places.size(), std::nan("")));
    for (const auto& row : rows_of("geo/model/rtt.csv")) {
        const std::size_t a = index.at(row[0]);
        const std::size_t b = index.at(row[1]);
        out.rtt_ms[a][b] = out.rtt_ms[b][a] = std::stod(row[2]);
    }
    return out;
}

TEST(RttModel, ATownIsFastestForItself) {
    const Measurements m = measured();
    const std::vector<RttClient> clients(m.places.begin(), m.places.end());
    for (std::size_t here = 0; here < m.places.size(); ++here) {
        const RttTarget target(m.places[here]);
        const double own = target.estimate_ms(clients[here]);
        EXPECT_LT(own, 5);
        for (std::size_t there = 0; there < m.places.size(); ++there) {
            if (great_circle_km(m.places[here], m.places[there]) > 100) {
                EXPECT_LT(own, target.estimate_ms(clients[there]));
            }
        }
    }
}

/// Chosen minus best, summed over clients in all cities and regions drawn from the others.
template <typename Estimate>
double regret_ms(const Measurements& m, const Estimate& estimate) {
    base::Rng rng(5);
    double sum = 0;
    for (int i = 0; i < 5000; ++i) {
        const auto client = static_cast<std::size_t>(rng.below(m.places.size()));
        double best = 1e9;
        double least = 1e9;
        double got = 0;
        for (int region = 0; region < 5; ++region) {
            const auto at = static_cast<std::size_t>(rng.below(m.places.size()));
            const double rtt = m.rtt_ms[client][at];
            if (at == client || std::isnan(rtt)) {
                continue;
            }
            best = std::min(best, rtt);
            const double estimated = estimate(client, at);
            if (estimated < least) {
                least = estimated;
                got = rtt;
            }
        }
        sum += best < 1e9 ? got - best : 0;
    }
    return sum;
}

// The cities it was fitted to; docs/latency.md has the figures for cities that it never saw.
TEST(RttModel, PicksRegionsFarBetterThanDistance) {
    const Measurements m = measured();
    const std::vector<RttClient> clients(m.places.begin(), m.places.end());
    const std::vector<RttTarget> targets(m.places.begin(), m.places.end());
    const double by_model = regret_ms(m, [&](std::size_t client, std::size_t at) {
        return targets[at].estimate_ms(clients[client]);
    });
    const double by_distance = regret_ms(m, [&](std::size_t client, std::size_t at) {
        return great_circle_km(m.places[client], m.places[at]);
    });
    EXPECT_LT(by_model, 0.3 * by_distance);
}

}  // namespace
}  // namespace steerd::geo
