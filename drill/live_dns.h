// The little DNS that a live drill's stubs and monitors speak: one question with the client's
// subnet (RFC 7871), and what an answer says: addresses, TTL, or a negative TTL (RFC 2308 5). Any
// octets may come back. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ip.h"
#include "dns/name.h"

namespace steerd::drill {

/// An A question without RD. Returns the octets written; `out` has room for 512.
[[nodiscard]] std::size_t compose_question(std::span<std::uint8_t> out, std::uint16_t id,
                                           const dns::Name& name, const base::IpPrefix& subnet);

struct LiveReply {
    std::uint16_t id = 0;
    bool failed = false;  // no NOERROR, or cut short
    std::vector<base::IpAddress> addresses;
    std::uint32_t ttl_s = 0;  // of the addresses; negative: for how long there are none
};

/// nullopt for what is no answer.
[[nodiscard]] std::optional<LiveReply> parse_reply(std::span<const std::uint8_t> message);

}  // namespace steerd::drill
