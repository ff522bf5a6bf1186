// Everything that status, metrics and the dashboard show of the control, as one plain value made at
// one moment. Holds no words for people but causes. Thread rule: plain values.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "health/health.h"
#include "health/orders.h"
#include "policy/health_state.h"

namespace steerd::control {

/// Counted since the check began; survives a reload for what stays.
struct CheckCounts {
    std::uint64_t pass = 0;
    std::uint64_t slow = 0;
    std::uint64_t fail = 0;
    std::uint64_t inconclusive = 0;
};

/// How long the checks of one probe took that came to a verdict, on all its addresses.
struct CheckDurations {
    /// Upper bounds of the buckets in seconds; what is above all of them comes last.
    static constexpr std::array kBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                        0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
    std::array<std::uint64_t, kBounds.size() + 1> counts{};
    double sum_s = 0;

    void add(base::Duration took) noexcept {
        const double seconds = std::chrono::duration<double>(took).count();
        const auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
        ++counts[static_cast<std::size_t>(bucket)];
        sum_s += seconds;
    }
};

struct ProbeStatus {
    std::string probe;
    CheckDurations durations;
};

/// One check: an address and a probe, shared by all endpoints that use it.
struct CheckStatus {
    base::IpAddress address;
    std::string probe;
    health::Health health = health::Health::Unknown;
    std::optional<health::Outcome> last;  // nullopt: no verdict yet
    std::string reason;                   // of the last verdict
    base::Duration latency{};
    std::optional<base::Wall> last_at;
    std::optional<base::Wall> certificate_expires;
    CheckCounts counts;
    bool inconclusive_long = false;  // longer than fall x interval
};

struct AddressStatus {
    std::string address;  // or the CNAME target
    bool cname = false;
    health::Health health = health::Health::Unknown;
    base::Wall since{};
    std::string cause;
    health::Health next = health::Health::Unknown;  // differs from health: a change is under way
    std::optional<base::Wall> earliest;             // of that change
    std::vector<base::IpAddress> resolved;          // of a CNAME target
    std::string resolution;                         // its last outcome, "" when never resolved
    std::uint64_t transitions = 0;
    std::vector<std::uint32_t> checks;  // into Status::checks
};

struct EndpointStatus {
    std::string name;
    std::string region;  // "": none
    bool probed = false;
    std::optional<health::Order> order;      // in force: its own, else its region's
    std::string order_of;                    // the name that was ordered
    std::optional<base::Wall> safe_to_stop;  // drained: when caches that keep to TTLs have let go
    std::vector<AddressStatus> addresses;
};

/// A failover route that stays off its first choice.
struct HoldStatus {
    std::string route;
    policy::Judge judge = policy::Judge::V4;
    std::string member;
    std::string better;               // what it would go back to
    std::optional<base::Wall> until;  // nullopt: when released
    std::string failback;             // "manual", "5m"
};

struct SteeredStatus {
    std::string name;
    std::string route;
    bool available_v4 = true;
    bool available_v6 = true;
};

struct Status {
    base::Wall at{};
    std::uint64_t generation = 0;
    base::Wall published{};
    bool first_round_done = false;
    std::size_t checks_in_flight = 0;
    std::vector<CheckStatus> checks;
    std::vector<ProbeStatus> probes;  // those that are used, by name
    std::vector<EndpointStatus> endpoints;
    std::vector<HoldStatus> holds;
    std::vector<SteeredStatus> steered;
    std::vector<health::NamedOrder> orders;         // all in force
    std::vector<health::NamedOrder> absent_orders;  // kept for names that are not configured now
};

}  // namespace steerd::control
