// What survives a restart (product.md §5, §2 Orders): health, orders, holds, last good health. By
// names and addresses, never by index, since the configuration may have changed meanwhile. Text is
// JSON, versioned; reading is robust against any octets. No file I/O here: server/ reads, and
// writes atomically. Thread rule: plain values; the functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "base/result.h"
#include "health/health.h"
#include "health/orders.h"
#include "policy/health_state.h"

namespace steerd::control {

/// Restored health counts as known up to this age of its last verdict.
inline constexpr base::Duration kStateKnownFor = std::chrono::minutes(10);
/// Larger texts are refused unread.
inline constexpr std::size_t kMaxStateText = 256U << 20U;

/// Whether health whose last verdict is of `verified` counts as known. A clock that stepped back
/// does not make it young for ever.
[[nodiscard]] constexpr bool is_young(base::Wall verified, base::Wall now) noexcept {
    return now - verified <= kStateKnownFor && verified - now <= kStateKnownFor;
}

struct CheckState {
    base::IpAddress address;
    std::string probe;
    std::uint64_t target = 0;  // health::target_fingerprint: what is asked, without the timing
    health::Health health = health::Health::Unknown;
    base::Wall since{};     // of this health
    base::Wall verified{};  // last verdict that counted
    std::string cause;
};

/// A CNAME target that is probed.
struct TargetState {
    std::string name;
    health::Health health = health::Health::Unknown;  // of the resolution alone
    base::Wall verified{};
    std::vector<base::IpAddress> addresses;
};

/// What is shown of a slot (endpoint and address, or the CNAME target).
struct SlotState {
    std::string endpoint;
    std::string address;
    health::Health health = health::Health::Unknown;
    base::Wall since{};
    std::string cause;
};

/// A failover route that remembers, for one judge.
struct HoldState {
    struct Better {
        std::string member;
        std::optional<base::Wall> since;  // available since; nullopt: it is not
    };

    std::string route;
    policy::Judge judge = policy::Judge::V4;
    std::string member;          // where it stays
    std::vector<Better> barred;  // better members that wait for failback
};

/// serve-last of one steered name, for one judge.
struct LastGoodState {
    std::string name;
    policy::Judge judge = policy::Judge::V4;
    std::vector<SlotState> slots;  // since and cause unused
};

struct State {
    base::Wall written{};
    std::vector<CheckState> checks;
    std::vector<TargetState> targets;
    std::vector<SlotState> slots;
    std::vector<health::NamedOrder> orders;
    std::vector<HoldState> holds;
    std::vector<LastGoodState> last_good;
};

[[nodiscard]] std::string_view to_text(policy::Judge judge) noexcept;

[[nodiscard]] std::string state_to_json(const State& state);
/// The error says what is wrong with the text; nothing of a bad text is used.
[[nodiscard]] base::Result<State, std::string> state_from_json(std::string_view text);

}  // namespace steerd::control
