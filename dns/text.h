// Rdata for people: presentation form of the commonest types, RFC 3597 §5 (\# length hex) for all
// others and for rdata that is not what its type says. Load plane and commands only; it allocates.
// Deliberately does not read text: zones/ does that. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dns/types.h"

namespace steerd::dns {

/// A, AAAA, NS, CNAME, PTR, DNAME, MX, TXT, SOA, SRV and CAA in their own form. Names in `rdata`
/// are uncompressed.
[[nodiscard]] std::string rdata_to_text(RrType type, std::span<const std::uint8_t> rdata);

/// The RFC 3597 form: "\# 4 c0000201".
[[nodiscard]] std::string rdata_to_unknown_text(std::span<const std::uint8_t> rdata);

}  // namespace steerd::dns
