// The one writer: step(now, Input) -> Effects. It owns schedule, trackers, CNAME targets, orders,
// holds (failback), serve-last memory, gate and history, and does no I/O: server/ runs it on a
// loop, drill/ on a virtual clock, and neither has a rule of its own. Whatever a query may see of
// health leaves here as one snapshot. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "control/input.h"
#include "control/status.h"

namespace steerd::control {

struct Options {
    std::uint64_t seed = 1;            // of phases and of the spread of first checks
    std::size_t max_in_flight = 4096;  // checks at one time
    bool keep_state = true;            // false: Effects::state stays empty (drills, no state_dir)
    std::size_t history = 10'000;      // events kept
};

class Control {
  public:
    explicit Control(Options options);
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    ~Control();

    /// `now` must not run backwards (mono). Until the first NewPlan nothing happens.
    [[nodiscard]] Effects step(base::Now now, Input input);

    /// What would be written now, for the last words at shutdown.
    [[nodiscard]] State state(base::Now now) const;
    [[nodiscard]] Status status(base::Now now) const;
    /// Events with an id above `after`, oldest first, as far as the history goes.
    [[nodiscard]] std::vector<Event> events_after(std::uint64_t after) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steerd::control
