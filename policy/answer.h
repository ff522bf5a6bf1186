// The one door: octets in, octets out, for UDP, TCP, explain, drills, fuzzing and benchmarks alike.
// parse -> zone -> lookup -> (steered only) class, decide -> response, each a call that returns a
// value. RFC 1034 §4.3.2, RFC 2308, RFC 4592, RFC 6672, RFC 6891, RFC 7828, RFC 7871, RFC 7873,
// RFC 8482, RFC 8914, RFC 9018, RFC 9471.
// No allocation, lock, log, clock or exception. Thread rule: any thread; the snapshot must outlive
// the call.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/ip.h"
#include "dns/cookie.h"
#include "dns/types.h"
#include "policy/decide.h"
#include "policy/snapshot.h"

namespace steerd::policy {

struct Trace;

enum class Transport : std::uint8_t { Udp, Tcp };

struct Request {
    std::span<const std::uint8_t> query;
    base::IpAddress client;
    Transport transport = Transport::Udp;
    base::Now now{};         // read once for a batch
    std::uint64_t draw = 0;  // fresh random bits for each query
    /// TCP: how long the connection may be idle, in units of 100 ms, for who asks (RFC 7828).
    std::optional<std::uint16_t> idle_100ms{};
};

enum class AnswerKind : std::uint8_t {
    Dropped,
    Malformed,
    Static,
    Steered,
    Referral,
    NoData,
    NxDomain,
    Refused,
    Unavailable,
    NotImplemented,
    Any,
    Chaos,
    CookieOnly  // no question: RFC 7873 §5.4
};

struct Outcome {
    std::size_t size = 0;  // 0: send nothing
    dns::Rcode rcode = dns::Rcode::NoError;
    AnswerKind kind = AnswerKind::Dropped;
    bool truncated = false;
    dns::CookieState cookie = dns::CookieState::None;
    std::uint32_t zone = kNone;     // index into Plan::zones
    std::uint32_t steered = kNone;  // SteeredId
    std::uint32_t ttl_s = 0;
    /// Which records answered or referred first, the wildcard's for a name it covers; valid as an
    /// address no longer than the snapshot. Null: none of a zone's own.
    const std::uint8_t* source = nullptr;
    Decision decision;  // when steered
};

/// The largest answer this server sends over UDP, whatever the client announces.
inline constexpr std::size_t kMaxUdpAnswer = 1232;
/// Over TCP the length has 16 bits.
inline constexpr std::size_t kMaxTcpAnswer = 65535;

/// REQUIRES: out.size() >= kMaxUdpAnswer or kMaxTcpAnswer, by transport.
[[nodiscard]] Outcome answer(const Snapshot& snapshot, const Request& request,
                             std::span<std::uint8_t> out, Trace* trace = nullptr) noexcept;

}  // namespace steerd::policy
