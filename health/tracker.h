// Hysteresis for one check (one address and probe): verdicts in, belief out (product.md §5).
//   first verdict     decides at once (slow: degraded)
//   up                fall checks in a row slow or failed -> degraded; fall fails in a row -> down
//   degraded          fall fails in a row -> down; rise fast passes in a row -> up
//   down              rise fast passes in a row -> up; rise passes in a row, some slow -> degraded
//   inconclusive      counted, moves nothing
// Pure: no clock, socket or log; that a change is possible in n checks is said here, when those can
// be over is the schedule's to say. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "health/health.h"

namespace steerd::health {

enum class Recorded : std::uint8_t {
    None,     // belief as before, and nothing new under way
    Pending,  // belief as before, but the way to a change got shorter or longer
    Changed,
};

/// Where the counters lead when the checks go on as the last one did.
struct Outlook {
    Health next = Health::Unknown;
    std::uint32_t checks = 0;  // more of them until then; 0: no change under way

    friend bool operator==(const Outlook&, const Outlook&) = default;
};

class Tracker {
  public:
    /// REQUIRES: fall > 0, rise > 0.
    Tracker(std::uint32_t fall, std::uint32_t rise) noexcept;
    /// Starts from a belief, known unless it is Unknown, with counters at rest.
    Tracker(std::uint32_t fall, std::uint32_t rise, Health belief) noexcept;

    Recorded record(Outcome outcome, base::Mono at) noexcept;

    [[nodiscard]] Health health() const noexcept { return health_; }

    [[nodiscard]] Outlook outlook() const noexcept;

    /// After a first fail, until up again or down: checks come at fast_interval.
    [[nodiscard]] bool suspicious() const noexcept { return suspicious_; }

    /// Since when every verdict was inconclusive; nullopt: the last one was not.
    [[nodiscard]] std::optional<base::Mono> inconclusive_since() const noexcept {
        return inconclusive_since_;
    }

  private:
    void count(Outcome outcome) noexcept;
    [[nodiscard]] Health judged(Outcome outcome) const noexcept;

    std::uint32_t fall_;
    std::uint32_t rise_;
    Health health_ = Health::Unknown;
    std::optional<Outcome> last_;  // that was not inconclusive
    // Runs up to now, each bounded by its threshold.
    std::uint32_t fails_ = 0;   // failed
    std::uint32_t bad_ = 0;     // slow or failed
    std::uint32_t fast_ = 0;    // fast passes
    std::uint32_t passes_ = 0;  // passes, slow or fast
    bool suspicious_ = false;
    std::optional<base::Mono> inconclusive_since_;
};

}  // namespace steerd::health
