// IP addresses and prefixes as values. No sockets here.
// RFC 5952 text for IPv6; RFC 4291 §2.5.5.2 (IPv4-mapped) and RFC 3056 (6to4) are recognised by
// normalised(), which steering uses so that one client is never two.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace steerd::base {

enum class IpFamily : std::uint8_t { V4, V6 };

/// 32 or 128.
[[nodiscard]] constexpr std::uint8_t bits_of(IpFamily family) noexcept {
    return family == IpFamily::V4 ? 32 : 128;
}

class IpAddress {
  public:
    /// 0.0.0.0
    constexpr IpAddress() = default;

    [[nodiscard]] static constexpr IpAddress v4(std::uint32_t host_order) noexcept {
        IpAddress a;
        for (unsigned i = 0; i < 4; ++i) {
            a.octets_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
        }
        return a;
    }

    [[nodiscard]] static constexpr IpAddress v6(
        const std::array<std::uint8_t, 16>& octets) noexcept {
        IpAddress a;
        a.family_ = IpFamily::V6;
        a.octets_ = octets;
        return a;
    }

    /// Up to 4 or 16 octets in network order, the rest zero. REQUIRES: not more than the family
    /// has.
    [[nodiscard]] static IpAddress from_octets(IpFamily family,
                                               std::span<const std::uint8_t> octets) noexcept;
    /// nullopt unless the whole text is one address (no zone id, no brackets).
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text) noexcept;

    [[nodiscard]] constexpr IpFamily family() const noexcept { return family_; }

    [[nodiscard]] constexpr bool is_v4() const noexcept { return family_ == IpFamily::V4; }

    /// 4 or 16 octets, network order.
    [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept {
        return {octets_.data(), is_v4() ? 4U : 16U};
    }

    /// REQUIRES: is_v4().
    [[nodiscard]] std::uint32_t v4_value() const noexcept;
    /// The first 64 bits of an IPv6 address. REQUIRES: !is_v4().
    [[nodiscard]] std::uint64_t v6_high() const noexcept;
    [[nodiscard]] std::uint64_t v6_low() const noexcept;

    /// The address with all bits behind the first `length` cleared.
    [[nodiscard]] IpAddress masked(unsigned length) const noexcept;
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

  private:
    IpFamily family_ = IpFamily::V4;
    std::array<std::uint8_t, 16> octets_{};  // IPv4 in the first four, the rest zero
};

/// An address block; the bits behind the length are zero.
class IpPrefix {
  public:
    constexpr IpPrefix() = default;
    /// Clears the bits behind `length`. REQUIRES: length <= 32 or 128.
    IpPrefix(const IpAddress& address, unsigned length) noexcept;
    /// "192.0.2.0/24", or an address alone (full length). nullopt when bits behind the length are
    /// set.
    [[nodiscard]] static std::optional<IpPrefix> parse(std::string_view text) noexcept;

    [[nodiscard]] const IpAddress& address() const noexcept { return address_; }

    [[nodiscard]] unsigned length() const noexcept { return length_; }

    [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
    [[nodiscard]] bool contains(const IpPrefix& other) const noexcept;
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;

  private:
    IpAddress address_;
    std::uint8_t length_ = 0;
};

/// A client as steering sees it: IPv4-mapped and 6to4 addresses become the IPv4 address inside
/// (when the prefix is long enough to hold any of it); `offset` is what must be added to an IPv4
/// scope to express it in the address that was given (0, 96 or 16).
struct NormalisedPrefix {
    IpPrefix prefix;
    unsigned offset = 0;
};

[[nodiscard]] NormalisedPrefix normalised(const IpPrefix& prefix) noexcept;

/// An address with a port ("127.0.0.1:53", "[::1]:53").
struct SocketAddress {
    IpAddress address;
    std::uint16_t port = 0;

    [[nodiscard]] static std::optional<SocketAddress> parse(std::string_view text) noexcept;
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

}  // namespace steerd::base
