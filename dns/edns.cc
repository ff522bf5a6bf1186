// EDNS options of a query, read once. See edns.h for what is obeyed.
// Thread rule: pure functions.
#include "dns/edns.h"

#include "dns/cookie.h"
#include "dns/wire.h"

namespace steerd::dns {

namespace {

constexpr std::uint16_t kFamilyNone = 0;
constexpr std::uint16_t kFamilyV4 = 1;  // IANA address family numbers, as RFC 7871 §6 uses them
constexpr std::uint16_t kFamilyV6 = 2;

constexpr std::size_t kMinFullCookie = 16;
constexpr std::size_t kMaxFullCookie = 40;

bool cookie_length_ok(std::size_t length) noexcept {
    return length == kClientCookie || (length >= kMinFullCookie && length <= kMaxFullCookie);
}

bool parse_option(OptionCode code, std::span<const std::uint8_t> value, Edns& edns) noexcept {
    switch (code) {
        case OptionCode::Nsid:  // RFC 5001 §2.1: data in a query is to be ignored
            edns.nsid = true;
            return true;
        case OptionCode::ClientSubnet:
            if (edns.subnet) {
                return false;  // two would leave open for whom the answer is
            }
            edns.subnet = parse_client_subnet(value);
            return edns.subnet.has_value();
        case OptionCode::Cookie:
            if (!edns.cookie.empty()) {
                return true;  // RFC 7873 §5.2: all but the first are ignored
            }
            edns.cookie = value;
            return cookie_length_ok(value.size());
        case OptionCode::TcpKeepalive:
            edns.tcp_keepalive = true;
            return true;
        case OptionCode::ExtendedError:  // RFC 8914 §2: nothing in a query
            return true;
    }
    return true;
}

}  // namespace

std::optional<ClientSubnet> parse_client_subnet(std::span<const std::uint8_t> option) noexcept {
    WireReader reader(option);
    const std::uint16_t family = reader.u16();
    const unsigned source = reader.u8();
    const unsigned scope = reader.u8();
    if (!reader.ok() || family > kFamilyV6 || scope != 0) {
        return std::nullopt;
    }
    if (family == kFamilyNone) {  // no address at all: as a prefix of length 0
        return source == 0 && reader.at_end() ? std::optional(ClientSubnet{}) : std::nullopt;
    }
    const auto ip_family = family == kFamilyV4 ? base::IpFamily::V4 : base::IpFamily::V6;
    if (source > base::bits_of(ip_family)) {
        return std::nullopt;
    }
    const auto octets = option.subspan(reader.at());
    if (octets.size() != (source + 7) / 8) {  // RFC 7871 §6: as few octets as hold the prefix
        return std::nullopt;
    }
    if (source % 8 != 0 && (octets.back() & (0xFFU >> (source % 8))) != 0) {
        return std::nullopt;
    }
    return ClientSubnet{base::IpPrefix(base::IpAddress::from_octets(ip_family, octets), source),
                        family, octets};
}

bool parse_options(std::span<const std::uint8_t> options, Edns& edns) noexcept {
    const Edns without = edns;
    WireReader reader(options);
    while (!reader.at_end()) {
        const auto head = reader.take(4);
        const auto value = reader.take(head.empty() ? 0 : load_u16(head.data() + 2));
        if (!reader.ok() ||
            !parse_option(static_cast<OptionCode>(load_u16(head.data())), value, edns)) {
            edns = without;
            return false;
        }
    }
    return true;
}

}  // namespace steerd::dns
