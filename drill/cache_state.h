// One cache's entry: what a model makes of a TTL (Lifetime), the entry at work (Held), and the
// state in which a moment finds a cache that has always been asked (StationaryLaw). That state is
// drawn from its law and not reached by a warm-up: caches filled together stay in step for hours.
// Thread rule: values.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/rng.h"
#include "drill/cache.h"

namespace steerd::drill {

/// What an answer with one TTL means to a cache. It is fresh for base_s (less the fraction of the
/// second of the fetch if floored); the first query in the window after that gets the old answer
/// and refreshes; while nothing can be fetched it lives for error_s more. base_s 0: not cached.
struct Lifetime {
    double base_s = 0;
    bool floored = false;
    double window_s = 0;
    double error_s = 0;
    double told_s = 0;         // the TTL told at the fetch; less the age later
    double stale_after_s = 0;  // the age from which answers are stale and carry reply_ttl_s

    friend bool operator==(const Lifetime&, const Lifetime&) = default;
};

[[nodiscard]] Lifetime lifetime_of(const CacheModel& model, double ttl_s, bool negative) noexcept;

/// One cache's entry at work. `second`: a moment in the past at which its clock had a whole second.
struct Held {
    double fetched = 0;
    double fresh_until = 0;
    double old_until = 0;    // fresh_until + window
    double error_until = 0;  // old_until + error
    double second = 0;
};

/// An exponential draw of mean 1 from 64 random bits; finite: the logarithm is of (0, 1].
[[nodiscard]] inline double exponential(std::uint64_t bits) noexcept {
    return -std::log((static_cast<double>(bits >> 11) + 1) * 0x1.0p-53);
}

/// floor for what is not negative; the real one is a call on the oldest machines we build for.
[[nodiscard]] inline double whole_seconds(double t) noexcept {
    return static_cast<double>(static_cast<std::int64_t>(t));
}

/// An entry fetched at `at`, by a cache whose clock has its seconds as `second` says.
/// REQUIRES: at >= second.
[[nodiscard]] inline Held hold_from(const Lifetime& life, double at, double second) noexcept {
    const double start = life.floored ? whole_seconds(at - second) + second : at;
    const double fresh = start + life.base_s;
    const double old = fresh + life.window_s;
    return Held{at, fresh, old, old + life.error_s, second};
}

struct Stationary {
    Held held;
    double next_query = 0;  // the first after held.fresh_until, and after the moment
};

/// A cache that has been asked with `gap_s` between queries in the mean for ever, as seen at any
/// one moment. REQUIRES: life.base_s > 0, gap_s > 0.
class StationaryLaw {
  public:
    StationaryLaw() = default;
    StationaryLaw(const Lifetime& life, double gap_s) noexcept;

    [[nodiscard]] Stationary at(double moment, base::Rng& rng) const noexcept {
        return life_.floored ? floored_at(moment, rng) : exact_at(moment, rng);
    }

  private:
    [[nodiscard]] Stationary exact_at(double moment, base::Rng& rng) const noexcept;
    [[nodiscard]] Stationary floored_at(double moment, base::Rng& rng) const noexcept;

    Lifetime life_;
    double gap_s_ = 1;
    double no_query_ = 0;  // the chance of a second without one
};

/// The TTL that a client gets told at `at` with an answer from this entry.
[[nodiscard]] double told_ttl(const Lifetime& life, const Held& held, double reply_ttl_s,
                              double at) noexcept;

}  // namespace steerd::drill
