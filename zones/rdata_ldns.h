// The types we do not read ourselves, by ldns; rdata_ldns.cc is the only file that includes it.
// Thread rule: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/name.h"
#include "dns/types.h"

namespace steerd::zones {

/// The type of a word that only ldns knows ("SPF", "EUI48").
[[nodiscard]] std::optional<dns::RrType> ldns_type(const std::string& word);
/// True when ldns has a form for rdata of this type other than \#.
[[nodiscard]] bool ldns_knows(dns::RrType type);
/// Whether the rdata's word `index` (from 0) is a domain name.
[[nodiscard]] bool ldns_reads_name(dns::RrType type, std::size_t index);
/// Replaces `out` by the wire octets of `text`; what is wrong otherwise.
[[nodiscard]] std::optional<std::string> ldns_parse_rdata(dns::RrType type, const std::string& text,
                                                          dns::NameView origin,
                                                          std::vector<std::uint8_t>& out);
/// What is wrong with octets that claim to be rdata of a known type.
[[nodiscard]] std::optional<std::string> ldns_check_rdata(dns::RrType type,
                                                          std::span<const std::uint8_t> rdata);

}  // namespace steerd::zones
