// The words of evaluating a tree: what is given (Scene), what comes out (Choice, SlotList), and how
// members stand to each other (Tier, Ballot). Plain values. Thread rule: one owner, on a stack.
#pragma once

#include <array>
#include <cstdint>

#include "policy/decide.h"
#include "policy/evaluate_overlay.h"
#include "policy/health_state_table.h"

namespace steerd::policy {

struct Scene {
    const Plan& plan;
    const HealthState& health;
    const Tree& tree;
    Client client;
    std::uint64_t draw = 0;
    Column column = Column::V4Same;
    Judge judge = Judge::V4;           // whose holds count
    const Overlay* overlay = nullptr;  // not together with `last`
    const LastRanks* last = nullptr;   // health as it was before all went down
};

/// What a route chooses.
struct Choice {
    enum class Status : std::uint8_t {
        None,    // nothing available, or no match for this client: the parent takes its next best
        Fenced,  // a fence ended the walk: nothing else, here or above
        Picked
    };
    Status status = Status::None;
    std::uint32_t member = kNone;    // of the route, by place in its member list
    std::uint32_t endpoint = kNone;  // EndpointId, or
    std::uint32_t ring =
        kNone;  // the multivalue route (by place in the tree) that hands out its ring

    [[nodiscard]] bool picked() const noexcept { return status == Status::Picked; }
};

/// How good a member is as a choice: first those with their min_available, of them the not
/// degraded.
enum class Tier : std::uint8_t { Good, Degraded, LackingGood, LackingDegraded, Out };
inline constexpr std::size_t kTiers = 4;  // without Out

/// Who takes part in a draw, and with what weight.
struct Ballot {
    std::uint8_t tiers = 0;   // bit per Tier
    bool weightless = false;  // only members of weight 0 are left: all alike
    bool everyone = false;    // no member is left out, so none has to be judged again
    std::uint64_t total = 0;  // 0: nobody
};

/// The addresses chosen, without their order.
struct SlotList {
    std::array<std::uint32_t, kMaxEndpointAddresses> slots;  // the first `count` of them
    std::size_t count = 0;

    void add(std::uint32_t slot) noexcept {
        if (count < slots.size()) {
            slots[count++] = slot;
        }
    }
};

}  // namespace steerd::policy
