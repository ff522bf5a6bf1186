// The order in which chosen addresses are handed out, drawn anew for each answer: one endpoint's
// begin at a random one, a window of a ring is shuffled. product.md §4.5. Thread rule: pure.
#pragma once

#include <algorithm>
#include <utility>

#include "base/rng.h"
#include "policy/evaluate_types.h"

namespace steerd::policy {

inline void put_in_order(SlotList& list, bool ring, std::uint64_t draw) noexcept {
    constexpr std::uint64_t kOrderSalt = 0x8CB92BA72F3D8DD7ULL;
    if (list.count < 2) {
        return;
    }
    base::Rng rng(draw ^ kOrderSalt);
    std::uint32_t* const slots = list.slots.data();
    if (ring) {
        for (std::size_t i = list.count - 1; i > 0; --i) {
            std::swap(slots[i], slots[rng.below(i + 1)]);
        }
        return;
    }
    std::rotate(slots, slots + rng.below(list.count), slots + list.count);
}

}  // namespace steerd::policy
