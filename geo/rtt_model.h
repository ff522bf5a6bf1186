// Round-trip time between two coordinates: great-circle distance times a calibrated stretch.
//
// Grows with distance, so it orders regions as distance does; what it adds is milliseconds that
// compare with measured rows. Never below light in fibre; the same input gives the same output.
// Thread rule: pure.
#pragma once

#include "geo/place.h"

namespace steerd::geo {

/// Kilometres along the great circle (also across the antimeridian and the poles).
[[nodiscard]] double great_circle_km(const Location& a, const Location& b) noexcept;
/// What light in fibre needs there and back over that many kilometres: no packet is faster.
[[nodiscard]] double light_in_fibre_ms(double km) noexcept;
/// Milliseconds. REQUIRES: both valid().
[[nodiscard]] double estimate_rtt_ms(const Location& a, const Location& b) noexcept;

}  // namespace steerd::geo
