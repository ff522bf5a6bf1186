// From what is believed of single checks to what is believed of an address or a CNAME target: all
// probes must pass, or any n of them, or any one address. The change under way is combined along,
// so that a countdown waits for the change that really moves the whole. The one place that grows
// when nodes begin to share their opinions. Pure. Thread rule: plain functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "health/health.h"
#include "health/tracker.h"

namespace steerd::health {

/// Belief about one thing, and the next change of it when checks go on as the last one did.
struct Belief {
    Health health = Health::Unknown;
    Health next = Health::Unknown;
    base::Mono earliest = base::kNever;  // kNever: no change under way

    friend bool operator==(const Belief&, const Belief&) = default;
};

/// When the outlook can come true at the soonest: the next check starts (or started) at `start`,
/// each further one `spacing` after the one before, and a check may be over at once.
[[nodiscard]] Belief belief(const Tracker& tracker, base::Mono start,
                            base::Duration spacing) noexcept;

/// The belief that `required` of the parts are at least as good as (0: all of them; 1: any one).
/// REQUIRES: parts not empty; required <= parts.size().
[[nodiscard]] Belief combine(std::span<const Belief> parts, std::size_t required);

}  // namespace steerd::health
