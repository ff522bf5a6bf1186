// The posterior mean of the process: the log of the stretch against the curve is phi(a)' A phi(b),
// with phi an end's covariance to each measured city. It fades out where both ends are one town,
// since nothing was measured there, and where an end is far from every city.
// The table is made by geo/model/experiment.py --bake, and tests/geo holds the two to one result.
#include "geo/rtt_model.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

namespace steerd::geo {

namespace {

constexpr double kEarthRadiusKm = 6371.0088;  // IUGG mean radius
constexpr double kRadiansPerDegree = 3.14159265358979323846 / 180.0;
constexpr double kLightKmPerMs = 299.792458;
constexpr double kFibreIndex = 1.468;  // of the usual single-mode fibre at 1550 nm

/// The curve of the median round trip over distance, piecewise linear. The stretch over light in
/// fibre falls from about 4 for neighbours to 1.7 beyond 7,000 km: short paths detour through
/// exchanges, long ones follow cables.
struct Knot {
    double km;
    double rtt_ms;
};

using Vector = std::array<double, 3>;

#include "geo/rtt_table.inc"

static_assert(kCities == kRttCities);

Vector vector_of(const Location& at) noexcept {
    const double lat = at.latitude * kRadiansPerDegree;
    const double lon = at.longitude * kRadiansPerDegree;
    return {std::cos(lat) * std::cos(lon), std::cos(lat) * std::sin(lon), std::sin(lat)};
}

/// Straight through the Earth.
double chord_km(const Vector& a, const Vector& b) noexcept {
    const double x = a[0] - b[0];
    const double y = a[1] - b[1];
    const double z = a[2] - b[2];
    return std::sqrt(x * x + y * y + z * z) * kEarthRadiusKm;
}

double arc_km(double chord) noexcept {
    return 2 * kEarthRadiusKm * std::asin(std::min(1.0, chord / (2 * kEarthRadiusKm)));
}

/// The covariance to each city, times how far the cities around can be trusted to speak for it.
void fill_phi(const Vector& at, std::array<double, kCities>& phi) noexcept {
    double nearest = 2 * kEarthRadiusKm;
    for (std::size_t i = 0; i < kCities; ++i) {
        const double chord = chord_km(at, kCityVectors[i]);
        nearest = std::min(nearest, chord);
        phi[i] = kConstant + kScale * std::exp(-chord / kLengthKm);
    }
    const double trust =
        std::clamp((kForgetKm - arc_km(nearest)) / (kForgetKm - kTrustKm), 0.0, 1.0);
    for (double& value : phi) {
        value *= trust;
    }
}

}  // namespace

double great_circle_km(const Location& a, const Location& b) noexcept {
    return arc_km(chord_km(vector_of(a), vector_of(b)));
}

double light_in_fibre_ms(double km) noexcept { return 2 * km * kFibreIndex / kLightKmPerMs; }

double median_rtt_ms(double km) noexcept {
    // The last segment also serves anything behind it, by rounding or otherwise.
    const Knot* right = std::upper_bound(std::begin(kCurve) + 1, std::end(kCurve) - 1, km,
                                         [](double d, const Knot& k) { return d < k.km; });
    const Knot* left = right - 1;
    const double slope = (right->rtt_ms - left->rtt_ms) / (right->km - left->km);
    return std::max(left->rtt_ms + (km - left->km) * slope, light_in_fibre_ms(km));
}

RttClient::RttClient(const Location& location) noexcept : vector_(vector_of(location)) {
    fill_phi(vector_, phi_);
}

RttTarget::RttTarget(const Location& location) noexcept : vector_(vector_of(location)) {
    std::array<double, kCities> phi;
    fill_phi(vector_, phi);
    const std::int32_t* entry = kMatrix;
    for (std::size_t i = 0; i < kCities; ++i) {
        for (std::size_t j = 0; j < i; ++j, ++entry) {
            weights_[i] += *entry * kMatrixStep * phi[j];
            weights_[j] += *entry * kMatrixStep * phi[i];
        }
        weights_[i] += *entry++ * kMatrixStep * phi[i];
    }
}

double RttTarget::estimate_ms(const RttClient& client) const noexcept {
    double stretch = 0;
    for (std::size_t i = 0; i < kCities; ++i) {
        stretch += weights_[i] * client.phi_[i];
    }
    const double km = arc_km(chord_km(vector_, client.vector_));
    stretch *= 1 - std::exp(-km / kTownKm);
    const double curve = median_rtt_ms(km);
    const double bent = (curve + kOffsetMs) * std::exp(stretch) - kOffsetMs;
    return std::max({bent, kFloor * curve, light_in_fibre_ms(km)});
}

double estimate_rtt_ms(const Location& a, const Location& b) noexcept {
    return RttTarget(b).estimate_ms(RttClient(a));
}

}  // namespace steerd::geo
