// The short answer to a client that may be forged: nothing in it is worth reflecting, and a real
// client comes back in a way that proves its address. One that speaks cookies is told BADCOOKIE
// with a good one (RFC 7873 §5.2.3, §5.2.4), any other comes by TCP for an empty answer with TC
// (RFC 7766 §5). Who is turned away is decided elsewhere (server/rate_limiter.h).
// Thread rule: as answer.h.
#pragma once

#include <cstdint>
#include <span>

#include "policy/answer.h"

namespace steerd::policy {

/// Writes it over the answer in `out`, at most 16 octets longer than the query (and than a
/// TSIG key's name that it had compressed); the RCODE stays beside TC. Outcome: size, rcode and
/// truncated are those of what is sent, and it tells no endpoint any more. REQUIRES: answer() has
/// filled `out` for this request, and answered it.
void turn_away(const Snapshot& snapshot, const Request& request, std::span<std::uint8_t> out,
               Outcome& outcome) noexcept;

}  // namespace steerd::policy
