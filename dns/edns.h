// The options of a query's OPT record. RFC 6891 §6.1.2 (options), RFC 7871 (client subnet), RFC
// 5001 (NSID), RFC 7873 §5.2 (cookies: lengths only, cookie.h verifies), RFC 7828 (keepalive), RFC
// 8914 (extended errors, in answers alone). Options this server does not know are passed over.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "dns/query.h"

namespace steerd::dns {

enum class OptionCode : std::uint16_t {
    Nsid = 3,
    ClientSubnet = 8,
    Cookie = 10,
    TcpKeepalive = 11,
    ExtendedError = 15
};

/// Why there is no answer, for people who debug (RFC 8914 §4).
enum class InfoCode : std::uint16_t {
    Other = 0,
    Prohibited = 18,
    NotAuthoritative = 20,
    NotSupported = 21,
    InvalidData = 24
};

/// The octets of an ECS option, checked as RFC 7871 §7.1.2 wants it of a query; nullopt is FORMERR.
[[nodiscard]] std::optional<ClientSubnet> parse_client_subnet(
    std::span<const std::uint8_t> option) noexcept;

/// Reads all options into `edns`; false is FORMERR, and `edns` then has no option set.
[[nodiscard]] bool parse_options(std::span<const std::uint8_t> options, Edns& edns) noexcept;

}  // namespace steerd::dns
