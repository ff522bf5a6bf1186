// Rdata from text to wire octets, names uncompressed: A, NS, CNAME, SOA, PTR, MX, TXT (RFC 1035),
// AAAA (RFC 3596), SRV (RFC 2782) and DNAME (RFC 6672) by us, because they are nearly every record
// there is and a message can then point at the very word; the rest by ldns (rdata_ldns.h). RFC 3597
// §5 (\#) for all of them, checked against the type where we know it. Thread rule: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dns/name.h"
#include "dns/types.h"
#include "zones/tokenizer.h"

namespace steerd::zones {

struct RdataError {
    std::size_t token = 0;  // of the entry
    std::string message;
};

/// The words of an entry that are rdata, and what relative names in them are below.
struct RdataText {
    const Entry* entry = nullptr;
    std::size_t first = 0;
    dns::NameView origin;
};

/// Replaces `out` by the wire octets, at most 65,535.
[[nodiscard]] std::optional<RdataError> parse_rdata(dns::RrType type, const RdataText& text,
                                                    std::vector<std::uint8_t>& out);
/// A name from a bare word; the message without a place.
[[nodiscard]] base::Result<dns::Name, std::string> parse_name(const Entry& entry, std::size_t token,
                                                              dns::NameView origin);

}  // namespace steerd::zones
