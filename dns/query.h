// A datagram or TCP message to Drop, Reply(rcode) or Query: the whole early-exit policy in one
// value. RFC 1035 §4.1, RFC 6891 (EDNS), RFC 7871 (ECS), RFC 7873 (cookies, length rules only), RFC
// 5001 (NSID), RFC 8945 §5.2 (no key is known here), RFC 9619 (one question). Touches each octet
// once, allocates nothing, never throws; views in the result point into the packet, which must
// outlive it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/ip.h"
#include "dns/name.h"
#include "dns/types.h"

namespace steerd::dns {

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kMinUdpSize = 512;

/// The EDNS Client Subnet option of a query (RFC 7871 §6), already validated: the address is zero
/// behind the prefix, the family known, the scope zero.
struct ClientSubnet {
    base::IpPrefix prefix;     // source prefix-length and address; /0 means "do not use my address"
    std::uint16_t family = 0;  // as it came; 0 only with /0
    std::span<const std::uint8_t> address_octets;  // as they came, to be echoed
};

struct Edns {
    std::uint16_t udp_size = kMinUdpSize;  // at least 512
    bool dnssec_ok = false;
    bool nsid = false;
    bool tcp_keepalive = false;
    std::optional<ClientSubnet> subnet;
    std::span<const std::uint8_t> cookie;  // empty: none; 8, or 16..40 octets
};

/// The TSIG record of a query (RFC 8945 §4.2) as far as its refusal repeats it.
struct Signature {
    std::span<const std::uint8_t> message;  // the whole query
    std::size_t key_at = 0;                 // where the key's name begins, perhaps compressed
    std::span<const std::uint8_t> head;     // algorithm, time signed and fudge
    std::uint16_t original_id = 0;
};

struct Query {
    std::uint16_t id = 0;
    Opcode opcode = Opcode::Query;
    bool recursion_desired = false;
    bool checking_disabled = false;
    /// The question as it came (name, type, class), echoed octet for octet; empty when there is
    /// none.
    std::span<const std::uint8_t> question;
    NameView qname;  // uncompressed, the case that was asked
    RrType qtype{};
    RrClass qclass{};
    std::optional<Edns> edns;  // nullopt: no OPT in the query, so none in the answer
    std::optional<Signature> signature;
};

enum class QueryVerdict : std::uint8_t {
    Drop,   // no answer at all: shorter than a header, QR = 1
    Reply,  // an answer of this RCODE with the question, if one could be read, and OPT if one came;
            // NoError: no question, but a cookie (RFC 7873 §5.4)
    Query   // to be looked up
};

struct ParsedQuery {
    QueryVerdict verdict = QueryVerdict::Drop;
    Rcode rcode = Rcode::NoError;  // for Reply
    Query query;                   // for Reply what could be read of it
};

[[nodiscard]] ParsedQuery parse_query(std::span<const std::uint8_t> packet) noexcept;

}  // namespace steerd::dns
