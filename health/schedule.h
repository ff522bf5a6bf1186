// Which check is due when (product.md §5): the first of each at once, spread a little; then on a
// phase drawn once, exactly `interval` apart and without drift; after a fail sooner; never two of
// one check in flight, never more than a bound of all. A phase that falls into a check in flight is
// passed over. A heap of moments, so that 10,000 checks cost a logarithm each.
// Pure: time and draws are handed in. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "health/prober.h"

namespace steerd::health {

/// First checks are spread over one millisecond for each new check, at most over this.
inline constexpr base::Duration kMaxSpread = std::chrono::seconds(1);

enum class Pace : std::uint8_t {
    Phase,  // the next phase that comes
    Fast,   // fast_interval after the last start, or when that check ended if later
};

class Schedule {
  public:
    struct Timing {
        base::Duration interval{};
        base::Duration fast_interval{};
    };

    /// REQUIRES: max_in_flight > 0.
    explicit Schedule(std::size_t max_in_flight) noexcept;

    /// The first check falls into [now, now + spread). REQUIRES: interval > 0.
    CheckId add(Timing timing, base::Mono now, base::Duration spread, base::Rng& rng);
    /// Not due any more. While one is in flight the id stays taken until done().
    void remove(CheckId check);
    /// Checks to start now, in the order in which they fell due; they are in flight from here on.
    [[nodiscard]] std::vector<CheckId> start_due(base::Mono now);
    /// The check in flight ended. False: it was removed meanwhile, and the id is free again.
    bool done(CheckId check, base::Mono ended, Pace pace);
    /// When the next check can be started; kNever while none can.
    [[nodiscard]] base::Mono next() noexcept;
    /// When the check starts next, or started if it is in flight.
    [[nodiscard]] base::Mono start_of(CheckId check) const noexcept;

    [[nodiscard]] bool in_flight(CheckId check) const noexcept;

    [[nodiscard]] std::size_t in_flight_count() const noexcept { return in_flight_; }

  private:
    enum class State : std::uint8_t { Free, Waiting, InFlight, Removed };

    struct Entry {
        Timing timing;
        base::Mono anchor{};  // a moment of the phase
        base::Mono start{};   // next start, or the start of the one in flight
        std::uint32_t version = 0;
        State state = State::Free;
    };

    struct Due {
        base::Mono at;
        std::uint64_t order;  // of two due at one moment the one that was planned first
        std::uint32_t check;
        std::uint32_t version;

        friend bool operator>(const Due& a, const Due& b) noexcept {
            return a.at != b.at ? a.at > b.at : a.order > b.order;
        }
    };

    void plan(std::uint32_t check, base::Mono at);
    void drop_stale() noexcept;

    std::size_t max_in_flight_;
    std::size_t in_flight_ = 0;
    std::uint64_t order_ = 0;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> free_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace steerd::health
