// Addresses of both families as one kind of number, so that the joint descent is written once: 128
// bits with the first bit of the address on top (an IPv4 address stands in the upper 32).
// Thread rule: pure.
#pragma once

#include "base/ip.h"

namespace steerd::geo {

__extension__ using Bits = unsigned __int128;

[[nodiscard]] inline Bits to_bits(const base::IpAddress& address) noexcept {
    if (address.is_v4()) {
        return static_cast<Bits>(address.v4_value()) << 96;
    }
    return static_cast<Bits>(address.v6_high()) << 64 | address.v6_low();
}

[[nodiscard]] inline base::IpAddress from_bits(base::IpFamily family, Bits bits) noexcept {
    if (family == base::IpFamily::V4) {
        return base::IpAddress::v4(static_cast<std::uint32_t>(bits >> 96));
    }
    std::array<std::uint8_t, 16> octets{};
    for (unsigned i = 0; i < 16; ++i) {
        octets[i] = static_cast<std::uint8_t>(bits >> (120 - 8 * i));
    }
    return base::IpAddress::v6(octets);
}

/// The lowest `128 - depth` bits set: what a prefix of that length leaves open. Of an IPv4 prefix
/// it also covers the 96 bits that no address has, which changes no comparison.
[[nodiscard]] constexpr Bits open_bits(unsigned depth) noexcept {
    return depth >= 128 ? Bits{0} : ~Bits{0} >> depth;
}

/// The bit that tells the two halves of a prefix of that length apart. REQUIRES: depth < 128.
[[nodiscard]] constexpr Bits half_bit(unsigned depth) noexcept { return Bits{1} << (127 - depth); }

}  // namespace steerd::geo
