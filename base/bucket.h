// So many at once, and so many each second in the long run: a bucket that time refills, for what
// must be bounded (requests, lines of the log). Time is handed in; one that steps back refills
// nothing. Thread rule: one owner.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace steerd::base {

class Bucket {
  public:
    /// Full at first.
    Bucket(double burst, double per_second)
        : burst_(burst), per_second_(per_second), left_(burst) {}

    /// Whether one more may pass now.
    [[nodiscard]] bool take(Mono now) noexcept {
        const double passed_s = std::chrono::duration<double>(now - last_).count();
        last_ = now;
        left_ = std::min(burst_, left_ + std::max(0.0, passed_s) * per_second_);
        if (left_ < 1) {
            return false;
        }
        left_ -= 1;
        return true;
    }

  private:
    double burst_;
    double per_second_;
    double left_;
    Mono last_{};
};

}  // namespace steerd::base
