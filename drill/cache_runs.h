// Joins what a client uses, piece by piece, into runs: from..to the same state, told to
// sink.run(from, to, state). The first run reaches back to -infinity. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <limits>

#include "drill/engine_timeline.h"

namespace steerd::drill {

template <class Sink>
class RunMerger {
  public:
    explicit RunMerger(Sink& sink) noexcept : sink_(sink) {}

    void reset() {
        since_ = -kForever;
        state_ = kNoState;
    }

    void on(double t, std::uint32_t state) {
        if (state == state_) {
            return;
        }
        if (state_ != kNoState) {
            sink_.run(since_, t, state_);
            since_ = t;
        }
        state_ = state;
    }

    void finish(double end) { sink_.run(since_, end, state_); }

  private:
    static constexpr std::uint32_t kNoState = std::numeric_limits<std::uint32_t>::max();
    Sink& sink_;
    double since_ = -kForever;
    std::uint32_t state_ = kNoState;
};

}  // namespace steerd::drill
