// How many lines about events may be written: a bucket that fills with time, and what did not fit,
// counted until someone tells it. Thread rule: one owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "base/bucket.h"
#include "base/clock.h"

namespace steerd::server {

class LogLimit {
  public:
    static constexpr double kBurst = 1000;
    static constexpr double kPerSecond = 100;
    /// What was suppressed is told so often, so that telling is no flood either.
    static constexpr base::Duration kBetweenTold = std::chrono::seconds(10);

    /// Whether one more line may be written now; counts it where it may not.
    [[nodiscard]] bool take(base::Mono now) noexcept {
        if (lines_.take(now)) {
            return true;
        }
        ++untold_;
        ++suppressed_;
        return false;
    }

    /// How many lines are missing that were not told of; 0 also while it is too early to tell.
    [[nodiscard]] std::uint64_t untold(base::Mono now) noexcept {
        if (untold_ == 0 || (told_ && now - told_at_ < kBetweenTold)) {
            return 0;
        }
        told_ = true;
        told_at_ = now;
        return std::exchange(untold_, 0);
    }

    [[nodiscard]] std::uint64_t suppressed() const noexcept { return suppressed_; }

  private:
    base::Bucket lines_{kBurst, kPerSecond};
    bool told_ = false;
    base::Mono told_at_{};
    std::uint64_t untold_ = 0;
    std::uint64_t suppressed_ = 0;
};

}  // namespace steerd::server
