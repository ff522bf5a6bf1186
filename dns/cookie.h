// DNS cookies: a server's half is made from a secret, the client's half and address, and the time,
// so that nothing is remembered for a client and every server with the same secret agrees with
// every other, BIND, NSD and Knot among them. RFC 9018 §4 (the interoperable form, SipHash-2-4),
// §5 (rollover: the first secret makes, each verifies), RFC 7873 §5.2.
// Decides nothing: an answer to a client whose cookie is bad is the caller's business.
// SipHash and the comparison in constant time are libsodium's; neither allocates.
// Thread rule: pure functions; secrets are immutable once made.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/ip.h"

namespace steerd::dns {

inline constexpr std::size_t kClientCookie = 8;
inline constexpr std::size_t kFullCookie = 24;  // of RFC 9018: the client's half and 16 octets

using CookieSecret = std::array<std::uint8_t, 16>;

struct CookieSecrets {
    static constexpr std::size_t kMost = 2;

    std::array<CookieSecret, kMost> secrets{};  // the first makes cookies, each verifies them
    std::uint32_t count = 0;                    // 0: no cookies are spoken

    friend bool operator==(const CookieSecrets&, const CookieSecrets&) = default;
};

enum class CookieState : std::uint8_t {
    None,   // no cookie in the query, or none are spoken here
    Fresh,  // the client's half alone
    Bad,    // a server's half that is not ours, not for this address, or out of time
    Good
};

/// What is sent back: the client's half as it came, then a server's half that is good now.
struct Cookie {
    CookieState state = CookieState::None;
    std::array<std::uint8_t, kFullCookie> octets{};  // only where state is not None
};

/// `option`: a cookie of a query, 8 or 16..40 octets, or empty. A good one younger than half an
/// hour comes back as it was; all others get a new server's half (RFC 9018 §4.3).
[[nodiscard]] Cookie judge_cookie(const CookieSecrets& secrets,
                                  std::span<const std::uint8_t> option,
                                  const base::IpAddress& client, base::Wall now) noexcept;

}  // namespace steerd::dns
