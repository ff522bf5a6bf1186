// A question as the short way takes it (answer_common.h), and how its answers are written: what
// answer_common.cc and answer_ready.cc share. Octets are reached by pointers that were compared
// with the end before, so that nothing is checked twice. RFC 1035 §4.1, RFC 6891, RFC 7871.
// Deliberately writes no name but a pointer to the one in the question. Thread rule: as answer.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "dns/query.h"
#include "dns/split_name.h"
#include "dns/wire.h"
#include "policy/answer.h"

namespace steerd::policy {

struct Asked {
    enum class Subnet : std::uint8_t { None, V4, V6 };

    dns::SplitName name;
    dns::RrType qtype{};
    std::size_t question_size = 0;
    bool edns = false;
    bool dnssec_ok = false;
    std::uint16_t udp_size = dns::kMinUdpSize;
    Subnet subnet = Subnet::None;
    std::uint8_t subnet_length = 0;        // 0: nothing is told about the client
    std::uint8_t cookie_size = 0;          // of a cookie's octets
    std::uint8_t cookie_room = 0;          // of the cookie option in the answer; 0: none
    std::uint32_t subnet_address = 0;      // V4; the bits behind the length are zero
    std::size_t option_size = 0;           // of the client subnet option, its head included
    const std::uint8_t* option = nullptr;  // where it stands in the query
    const std::uint8_t* cookie = nullptr;
};

/// The short way for a steered name: true with `out` and `outcome` complete.
/// REQUIRES: outcome.steered is set, and the name has no records of the type.
[[nodiscard]] bool answer_ready(const Snapshot& snapshot, const Request& request,
                                const Asked& asked, std::uint8_t* out, Outcome& outcome) noexcept;

inline constexpr std::size_t kOptHead = 11;
inline constexpr std::size_t kOptionHead = 4;
inline constexpr std::size_t kRecordHead = 10;  // pointer, type, class, TTL

/// How much there is room for in records.
[[nodiscard]] inline std::size_t room_for(const Request& request, const Asked& asked) noexcept {
    const std::size_t limit =
        request.transport == Transport::Tcp
            ? kMaxTcpAnswer
            : std::clamp<std::size_t>(asked.udp_size, dns::kMinUdpSize, kMaxUdpAnswer);
    const std::size_t opt = asked.edns ? kOptHead + asked.option_size + asked.cookie_room : 0;
    return limit - dns::kHeaderSize - asked.question_size - opt;
}

/// Sixteen octets at a time; the last ones may overlap those before. REQUIRES: size >= 16.
inline void copy_octets(std::uint8_t* to, const std::uint8_t* from, std::size_t size) noexcept {
    for (std::size_t i = 0; i + 16 < size; i += 16) {
        std::memcpy(to + i, from + i, 16);
    }
    std::memcpy(to + size - 16, from + size - 16, 16);
}

/// Header and question of an answer with AA; counts of records as two numbers of 16 bits.
inline std::uint8_t* put_head(const Request& request, const Asked& asked, unsigned answers,
                              unsigned authority, std::uint8_t* to) noexcept {
    constexpr std::uint8_t kRecursionDesired = 0x01;
    const std::size_t size = dns::kHeaderSize + asked.question_size;
    copy_octets(to, request.query.data(), size);                             // 12 + at least 5
    to[2] = static_cast<std::uint8_t>(0x84U | (to[2] & kRecursionDesired));  // QR, AA
    to[3] = 0;
    dns::store_u16(to + 6, static_cast<std::uint16_t>(answers));
    dns::store_u16(to + 8, static_cast<std::uint16_t>(authority));
    return to + size;
}

inline std::uint8_t* put_record_head(const Asked& asked, std::uint32_t ttl_s,
                                     std::uint8_t* to) noexcept {
    constexpr std::uint16_t kToQuestion = 0xC00C;  // pointer to the name in the question
    dns::store_u16(to, kToQuestion);
    dns::store_u16(to + 2, static_cast<std::uint16_t>(asked.qtype));
    dns::store_u16(to + 4, static_cast<std::uint16_t>(dns::RrClass::IN));
    dns::store_u32(to + 6, ttl_s);
    return to + kRecordHead;
}

/// The OPT where the query had one: the message's end but for a cookie, for which it has room.
inline std::uint8_t* put_opt(const Asked& asked, std::uint8_t scope, std::uint8_t* to) noexcept {
    constexpr std::size_t kScopeAt = 7;  // in a client subnet option
    if (!asked.edns) {
        return to;
    }
    to[0] = 0;
    dns::store_u16(to + 1, static_cast<std::uint16_t>(dns::RrType::OPT));
    dns::store_u16(to + 3, kMaxUdpAnswer);
    dns::store_u32(to + 5, asked.dnssec_ok ? 0x8000 : 0);
    dns::store_u16(to + 9, static_cast<std::uint16_t>(asked.option_size + asked.cookie_room));
    to += kOptHead;
    if (asked.option_size != 0) {       // as it came, with our scope (RFC 7871 §7.2.1)
        if (asked.option_size == 11) {  // a /24 of IPv4, what resolvers tell
            std::memcpy(to, asked.option, 11);
        } else {
            std::memcpy(to, asked.option, asked.option_size);
        }
        to[kScopeAt] = scope;
        to += asked.option_size;
    }
    return to;
}

}  // namespace steerd::policy
