// An RRset as it lies in memory: one owner, type and TTL, and the rdata of all its records one
// after the other, each behind a 16-bit length in network order, names in it uncompressed. Zones
// store RRsets like this, the response copies them from here; nothing is decoded in between.
// Thread rule: a view of immutable octets.
#pragma once

#include <cstdint>
#include <span>

#include "dns/name.h"
#include "dns/types.h"

namespace steerd::dns {

struct RrsetView {
    NameView owner;
    RrType type{};
    Ttl ttl;
    std::uint16_t count = 0;
    /// count times: length (2 octets, network order), then that many octets of rdata.
    std::span<const std::uint8_t> records;
};

/// Walks the records of an RRset. `fn` takes std::span<const std::uint8_t> (the rdata alone).
template <typename Fn>
void for_each_rdata(const RrsetView& rrset, Fn&& fn) {
    auto rest = rrset.records;
    for (unsigned i = 0; i < rrset.count; ++i) {
        const std::size_t length = static_cast<std::size_t>(rest[0]) << 8 | rest[1];
        fn(rest.subspan(2, length));
        rest = rest.subspan(2 + length);
    }
}

/// Where domain names stand in the rdata of a type, for compression (only the types of RFC 1035 may
/// be compressed on the wire, RFC 3597 §4) and for finding targets: `skip` octets, then `names`
/// names. names == 0: none known.
struct RdataNames {
    std::uint8_t skip = 0;
    std::uint8_t names = 0;
    bool compressible = false;
};

[[nodiscard]] RdataNames names_in_rdata(RrType type) noexcept;

}  // namespace steerd::dns
