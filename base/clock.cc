#include "base/clock.h"

namespace steerd::base {

Now RealClock::now() const noexcept {
    return {std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()),
            std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())};
}

}  // namespace steerd::base
