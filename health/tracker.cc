// See tracker.h. Thread rule: one owner.
#include "health/tracker.h"

#include <algorithm>

#include "base/check.h"

namespace steerd::health {

Tracker::Tracker(std::uint32_t fall, std::uint32_t rise) noexcept
    : Tracker(fall, rise, Health::Unknown) {}

Tracker::Tracker(std::uint32_t fall, std::uint32_t rise, Health belief) noexcept
    : fall_(fall), rise_(rise), health_(belief) {
    CHECK(fall > 0 && rise > 0);
}

void Tracker::count(Outcome outcome) noexcept {
    const auto more = [](std::uint32_t& run, std::uint32_t bound) {
        run = std::min(run + 1, bound);
    };
    if (outcome == Outcome::Fail) {
        more(fails_, fall_);
        more(bad_, fall_);
        fast_ = passes_ = 0;
    } else if (outcome == Outcome::Slow) {
        more(bad_, fall_);
        more(passes_, rise_);
        fails_ = fast_ = 0;
    } else {
        more(fast_, rise_);
        more(passes_, rise_);
        fails_ = bad_ = 0;
    }
}

Health Tracker::judged(Outcome outcome) const noexcept {
    switch (health_) {
        case Health::Unknown:  // the first verdict decides at once
            if (outcome == Outcome::Fail) {
                return Health::Down;
            }
            return outcome == Outcome::Slow ? Health::Degraded : Health::Up;
        case Health::Up:
            if (fails_ >= fall_) {
                return Health::Down;
            }
            return bad_ >= fall_ ? Health::Degraded : Health::Up;
        case Health::Degraded:
            if (fails_ >= fall_) {
                return Health::Down;
            }
            return fast_ >= rise_ ? Health::Up : Health::Degraded;
        case Health::Down:
            if (fast_ >= rise_) {
                return Health::Up;
            }
            return passes_ >= rise_ ? Health::Degraded : Health::Down;
    }
    return health_;
}

Recorded Tracker::record(Outcome outcome, base::Mono at) noexcept {
    if (outcome == Outcome::Inconclusive) {
        if (!inconclusive_since_) {
            inconclusive_since_ = at;
        }
        return Recorded::None;
    }
    inconclusive_since_.reset();
    const Outlook before = outlook();
    const Health was = health_;
    count(outcome);
    health_ = judged(outcome);
    last_ = outcome;
    // A slow pass ends the suspicion of what is known as degraded, but not that of what was up: it
    // counts on towards degraded.
    if (outcome == Outcome::Fail) {
        suspicious_ = true;
    } else if (outcome == Outcome::Pass || health_ == Health::Degraded) {
        suspicious_ = false;
    }
    if (health_ == Health::Down) {
        suspicious_ = false;
    }
    if (health_ != was) {
        return Recorded::Changed;
    }
    return outlook() == before ? Recorded::None : Recorded::Pending;
}

Outlook Tracker::outlook() const noexcept {
    if (!last_ || health_ == Health::Unknown) {
        return {health_, 0};
    }
    const std::uint32_t to_down = fall_ - fails_;
    const std::uint32_t to_degraded = fall_ - bad_;
    const std::uint32_t to_up = rise_ - fast_;
    const std::uint32_t to_slow_up = rise_ - passes_;
    switch (*last_) {
        case Outcome::Fail:
            if (health_ == Health::Up && to_degraded < to_down) {
                return {Health::Degraded, to_degraded};
            }
            if (health_ != Health::Down) {
                return {Health::Down, to_down};
            }
            break;
        case Outcome::Slow:
            if (health_ == Health::Up) {
                return {Health::Degraded, to_degraded};
            }
            if (health_ == Health::Down) {
                return {Health::Degraded, to_slow_up};
            }
            break;
        case Outcome::Pass:
            if (health_ == Health::Down && to_slow_up < to_up) {
                return {Health::Degraded, to_slow_up};
            }
            if (health_ != Health::Up) {
                return {Health::Up, to_up};
            }
            break;
        case Outcome::Inconclusive:
            break;
    }
    return {health_, 0};
}

}  // namespace steerd::health
