// Whether octets can be rdata of a type: for what was written as \#, and for what ldns read.
// Thread rule: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "dns/types.h"

namespace steerd::zones {

/// What is wrong with `rdata`; nothing for types that nobody here knows (RFC 3597 §3).
[[nodiscard]] std::optional<std::string> check_rdata(dns::RrType type,
                                                     std::span<const std::uint8_t> rdata);

}  // namespace steerd::zones
