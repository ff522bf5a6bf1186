// The bounded history of events, and the events of the step that is running. Thread rule: one
// owner.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "control/event.h"

namespace steerd::control {

class History {
  public:
    explicit History(std::size_t limit) : limit_(limit) {}

    /// Gives the event its id and time.
    void add(Event event, base::Wall at);
    /// Events since the last call.
    [[nodiscard]] std::vector<Event> take_new();
    /// Kept events with an id above `after`, oldest first.
    [[nodiscard]] std::vector<Event> after(std::uint64_t after) const;

  private:
    std::size_t limit_;
    std::uint64_t last_id_ = 0;
    std::deque<Event> kept_;
    std::vector<Event> new_;
};

}  // namespace steerd::control
