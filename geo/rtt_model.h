// Round-trip time between two places: a curve over distance, bent by what was measured between 123
// cities (a Gaussian process over pairs of places, see geo/model/experiment.py; docs/latency.md has
// its figures). The world is not round for packets: oceans, mountains and politics are in it.
//
// What it promises: never below light in fibre; the same input gives the same output; farther than
// 5,000 km from every one of those cities it is the curve alone, which rises with distance.
// An end is prepared once: a client costs 123 exponentials, a region a matrix product, and each
// estimate between the two a dot product, so that millions of places are estimated while loading.
// What this deliberately does not do: networks. Two providers in one city are one place.
// Thread rule: pure.
#pragma once

#include <array>
#include <cstddef>

#include "geo/place.h"

namespace steerd::geo {

/// Kilometres along the great circle (also across the antimeridian and the poles).
[[nodiscard]] double great_circle_km(const Location& a, const Location& b) noexcept;
/// What light in fibre needs there and back over that many kilometres: no packet is faster.
[[nodiscard]] double light_in_fibre_ms(double km) noexcept;
/// The round trip over a distance, nothing else known: the median of what was measured.
[[nodiscard]] double median_rtt_ms(double km) noexcept;

inline constexpr std::size_t kRttCities = 123;

/// Who asks, prepared. REQUIRES: valid().
class RttClient {
  public:
    explicit RttClient(const Location& location) noexcept;

  private:
    friend class RttTarget;

    std::array<double, kRttCities> phi_{};  // covariance to each city, times the trust in them
    std::array<double, 3> vector_{};
};

/// Who is asked, prepared. REQUIRES: valid().
class RttTarget {
  public:
    explicit RttTarget(const Location& location) noexcept;
    /// Milliseconds; the same the other way round, but for rounding.
    [[nodiscard]] double estimate_ms(const RttClient& client) const noexcept;

  private:
    std::array<double, kRttCities> weights_{};  // the matrix times this end's phi
    std::array<double, 3> vector_{};
};

/// For one pair; prepares both ends. REQUIRES: both valid().
[[nodiscard]] double estimate_rtt_ms(const Location& a, const Location& b) noexcept;

}  // namespace steerd::geo
