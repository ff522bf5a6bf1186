#include "base/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"

namespace steerd::base {

IpAddress IpAddress::from_octets(IpFamily family, std::span<const std::uint8_t> octets) noexcept {
    IpAddress a;
    a.family_ = family;
    CHECK(octets.size() <= bits_of(family) / 8U);
    std::copy(octets.begin(), octets.end(), a.octets_.begin());
    return a;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
    char buffer[INET6_ADDRSTRLEN + 1];
    // Nothing may come without an address, which memcpy must not be given.
    if (text.empty() || text.size() >= sizeof buffer || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
    IpAddress a;
    if (text.find(':') == std::string_view::npos) {
        if (inet_pton(AF_INET, buffer, a.octets_.data()) != 1) {
            return std::nullopt;
        }
        return a;
    }
    a.family_ = IpFamily::V6;
    if (inet_pton(AF_INET6, buffer, a.octets_.data()) != 1) {
        return std::nullopt;
    }
    return a;
}

std::uint32_t IpAddress::v4_value() const noexcept {
    CHECK(is_v4());
    return (std::uint32_t{octets_[0]} << 24) | (std::uint32_t{octets_[1]} << 16) |
           (std::uint32_t{octets_[2]} << 8) | octets_[3];
}

namespace {

std::uint64_t load_be64(const std::uint8_t* p) noexcept {
    std::uint64_t v = 0;
    for (int i = 0; i < 8; ++i) {
        v = (v << 8) | p[i];
    }
    return v;
}

}  // namespace

std::uint64_t IpAddress::v6_high() const noexcept { return load_be64(octets_.data()); }

std::uint64_t IpAddress::v6_low() const noexcept { return load_be64(octets_.data() + 8); }

IpAddress IpAddress::masked(unsigned length) const noexcept {
    IpAddress a = *this;
    const unsigned whole = length / 8;
    if (whole < a.octets_.size()) {
        const auto kept = static_cast<std::uint8_t>(a.octets_[whole] & (0xFF00U >> (length % 8)));
        std::memset(a.octets_.data() + whole, 0, a.octets_.size() - whole);
        a.octets_[whole] = kept;
    }
    return a;
}

std::string IpAddress::text() const {
    char buffer[INET6_ADDRSTRLEN];
    inet_ntop(is_v4() ? AF_INET : AF_INET6, octets_.data(), buffer, sizeof buffer);
    return buffer;
}

IpPrefix::IpPrefix(const IpAddress& address, unsigned length) noexcept
    : address_(address.masked(length)), length_(static_cast<std::uint8_t>(length)) {
    CHECK(length <= bits_of(address.family()));
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    if (slash == std::string_view::npos) {
        return IpPrefix(*address, bits_of(address->family()));
    }
    const auto digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), length);
    if (error != std::errc{} || end != digits.end() || length > bits_of(address->family()) ||
        address->masked(length) != *address) {
        return std::nullopt;
    }
    return IpPrefix(*address, length);
}

bool IpPrefix::contains(const IpAddress& address) const noexcept {
    return address.family() == address_.family() && address.masked(length_) == address_;
}

bool IpPrefix::contains(const IpPrefix& other) const noexcept {
    return other.length_ >= length_ && contains(other.address_);
}

std::string IpPrefix::text() const { return address_.text() + "/" + std::to_string(length_); }

NormalisedPrefix normalised(const IpPrefix& prefix) noexcept {
    if (prefix.address().is_v4()) {
        return {prefix, 0};
    }
    const auto o = prefix.address().octets();
    const bool mapped = prefix.length() >= 96 && o[10] == 0xFF && o[11] == 0xFF &&
                        std::all_of(o.begin(), o.begin() + 10, [](auto b) { return b == 0; });
    if (mapped) {
        return {
            IpPrefix(IpAddress::from_octets(IpFamily::V4, o.subspan(12, 4)), prefix.length() - 96),
            96};
    }
    if (prefix.length() >= 16 && o[0] == 0x20 && o[1] == 0x02) {
        return {IpPrefix(IpAddress::from_octets(IpFamily::V4, o.subspan(2, 4)),
                         std::min(prefix.length() - 16, 32U)),
                16};
    }
    return {prefix, 0};
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) noexcept {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    auto host = text.substr(0, colon);
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    const auto address = IpAddress::parse(host);
    if (!address || address->is_v4() == bracketed) {
        return std::nullopt;
    }
    const auto digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
    if (error != std::errc{} || end != digits.end() || digits.empty()) {
        return std::nullopt;
    }
    return SocketAddress{*address, port};
}

std::string SocketAddress::text() const {
    return (address.is_v4() ? address.text() : "[" + address.text() + "]") + ":" +
           std::to_string(port);
}

}  // namespace steerd::base
