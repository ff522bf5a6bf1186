// Route, class, health, draw, now to a Decision: product.md §4 in code. Never sees octets of DNS.
// decide() is for the packet path: noexcept, no allocation, no clock; enumerate() is its load-plane
// twin that lists every possible outcome with its share, for forecast, drill, explain and views.
// Thread rule: pure functions of immutable data.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "policy/health_state.h"
#include "policy/plan.h"
#include "policy/view.h"

namespace steerd::policy {

enum class DecisionKind : std::uint8_t {
    Addresses,
    Cname,
    NotCname,  // asked only "is it a CNAME?" (other types): no, answer from the zone
    NoData,    // chosen endpoint has no address of the family, or when_all_down = nodata
    ServFail   // when_all_down = servfail
};

/// The arrays stay as they are behind their counts: clearing them would cost every query.
struct Decision {
    DecisionKind kind = DecisionKind::NoData;
    bool fail_open = false;  // all were down, when_all_down acted
    std::uint8_t endpoint_count = 0;
    std::uint8_t slot_count = 0;
    std::uint32_t ttl_s = 0;
    std::array<EndpointId, kMaxAnswers> endpoints;    // chosen, each once
    std::array<SlotId, kMaxEndpointAddresses> slots;  // to hand out, in answer order
};

/// Who asks: class and hash key. `hash_key` is made of the client's /24 or /56 (or a shorter ECS
/// source), the same on every node.
struct Client {
    ClassId cls{};
    std::uint64_t hash_key = 0;
};

[[nodiscard]] std::uint64_t hash_key(const base::IpPrefix& client) noexcept;

/// The same for an IPv4 address or a prefix of it. REQUIRES: the bits behind the prefix are zero.
[[nodiscard]] inline std::uint64_t hash_key4(std::uint32_t address) noexcept {
    constexpr std::uint32_t kHashed = ~std::uint32_t{0} << 8;
    return base::mix64((address & kHashed) | std::uint64_t{4} << 32);
}

/// Which question: A, AAAA, or any other type (only whether the answer is a CNAME).
enum class Ask : std::uint8_t { A, Aaaa, Other };

struct DecideInput {
    const Plan& plan;
    const HealthState& health;
    SteeredId steered{};
    Client client;
    Ask ask = Ask::A;
    std::uint64_t draw = 0;
    base::Mono now{};
};

struct Step;  // for explain, see trace.h

/// `steps`, when not null, gets the walk (only explain and tests pass it; it allocates then).
[[nodiscard]] Decision decide(const DecideInput& input,
                              std::vector<Step>* steps = nullptr) noexcept;
/// The same into `out`, whatever was there.
void decide_into(const DecideInput& input, Decision& out) noexcept;

/// One possible outcome and its share of the draws (all shares add up to 1). Multivalue windows are
/// listed as sets; the order inside is not an outcome of its own.
struct Possible {
    DecisionKind kind = DecisionKind::NoData;
    std::vector<EndpointId> endpoints;
    std::vector<SlotId> slots;  // sorted
    double share = 0;
    bool fail_open = false;
};

[[nodiscard]] std::vector<Possible> enumerate(const DecideInput& input);

}  // namespace steerd::policy
