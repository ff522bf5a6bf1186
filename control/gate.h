// May a snapshot be published now, or at what time: the first change at once, then at most one in
// 50 ms, so that thousands of addresses flapping cost a bounded share of a core. Pure.
// Thread rule: one owner.
#pragma once

#include <optional>

#include "base/clock.h"

namespace steerd::control {

inline constexpr base::Duration kLeastBetweenSwaps = std::chrono::milliseconds(50);

class Gate {
  public:
    /// Something that a snapshot shows has changed.
    void mark() noexcept { dirty_ = true; }

    [[nodiscard]] bool dirty() const noexcept { return dirty_; }

    /// When to publish; kNever while nothing changed.
    [[nodiscard]] base::Mono opens() const noexcept {
        if (!dirty_) {
            return base::kNever;
        }
        return last_ ? *last_ + kLeastBetweenSwaps : base::Mono::min();
    }

    void published(base::Mono now) noexcept {
        last_ = now;
        dirty_ = false;
    }

  private:
    bool dirty_ = false;
    std::optional<base::Mono> last_;
};

}  // namespace steerd::control
