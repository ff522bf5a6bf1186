// Time is handed in: nothing below server/ and cli/ reads a clock, so that a drill can run the same
// code on virtual time. Steady time moves decisions, wall time is for people.
#pragma once

#include <chrono>

namespace steerd::base {

using Duration = std::chrono::nanoseconds;
/// Steady time: never steps; its epoch means nothing outside this process (a drill starts at 0).
using Mono = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// Wall time (UTC), for logs, state files and orders that end at a stated moment.
using Wall = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// "Never", for deadlines.
inline constexpr Mono kNever = Mono::max();

/// Both times, read together: once for a batch of packets, once for a step of control.
struct Now {
    Mono mono;
    Wall wall;

    friend bool operator==(const Now&, const Now&) = default;
};

/// Where time comes from. Thread rule: now() may be called from any thread.
class Clock {
  public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;
    [[nodiscard]] virtual Now now() const noexcept = 0;
};

/// The machine's clocks.
class RealClock final : public Clock {
  public:
    [[nodiscard]] Now now() const noexcept override;
};

/// Stands still until told otherwise, for tests and drills. Thread rule: one thread.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(Now start) : now_(start) {}

    [[nodiscard]] Now now() const noexcept override { return now_; }

    void advance(Duration by) noexcept {
        now_.mono += by;
        now_.wall += by;
    }

  private:
    Now now_;
};

}  // namespace steerd::base
