// Where a client is: the facts that a geo source may know about an address, as plain values.
//
// Codes are short texts held inline, so that a Place is cheap to copy and comparing or reading one
// never allocates. A fact that nobody knows is absent: there is no (0,0), no "--" and no AS 0.
// What this deliberately does not do: names of countries for people. Thread rule: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace steerd::geo {

/// Degrees; north and east are positive. In [-90, 90] and [-180, 180].
struct Location {
    double latitude = 0;
    double longitude = 0;

    /// True when both are finite and in range.
    [[nodiscard]] constexpr bool valid() const noexcept {
        return latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180;
    }

    friend bool operator==(const Location&, const Location&) = default;
};

/// A code of 1 to N letters, digits or hyphens, in upper case.
template <std::size_t N>
class Code {
  public:
    /// Takes either case; nullopt for anything that is no such code.
    [[nodiscard]] static constexpr std::optional<Code> from(std::string_view text) noexcept {
        if (text.empty() || text.size() > N) {
            return std::nullopt;
        }
        Code code;
        for (std::size_t i = 0; i < text.size(); ++i) {
            char c = text[i];
            if (c >= 'a' && c <= 'z') {
                c = static_cast<char>(c - 'a' + 'A');
            }
            const bool fits = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
            if (!fits) {
                return std::nullopt;
            }
            code.text_[i] = c;
        }
        code.size_ = static_cast<std::uint8_t>(text.size());
        return code;
    }

    /// Lives as long as this value.
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_.data(), size_}; }

    /// Another number for each code; never 0.
    [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
        static_assert(N <= 7);
        std::uint64_t value = size_;
        for (const char c : text_) {
            value = value << 8 | static_cast<unsigned char>(c);
        }
        return value;
    }

    friend constexpr bool operator==(const Code&, const Code&) = default;
    friend constexpr auto operator<=>(const Code&, const Code&) = default;

    friend constexpr bool operator==(const Code& a, std::string_view b) noexcept {
        return a.view() == b;
    }

  private:
    std::array<char, N> text_{};  // unused octets stay zero, so the defaulted == is right
    std::uint8_t size_ = 0;
};

using CountryCode = Code<2>;      ///< ISO 3166-1 alpha-2
using ContinentCode = Code<2>;    ///< AF AN AS EU NA OC SA
using SubdivisionCode = Code<6>;  ///< ISO 3166-2, "US-CA"

/// What one source, or all together, know of an address.
struct Facts {
    std::optional<CountryCode> country;
    std::optional<ContinentCode> continent;
    std::optional<SubdivisionCode> subdivision;
    std::optional<std::uint32_t> asn;
    std::optional<Location> location;

    [[nodiscard]] bool known() const noexcept {
        return country || continent || subdivision || asn || location;
    }

    friend bool operator==(const Facts&, const Facts&) = default;
};

/// The facts and who gave them: the file name of the first source that knew one, "networks" or
/// "country table"; empty when nobody knew any. The text belongs to the World (or is a literal).
struct Place : Facts {
    std::string_view source;

    friend bool operator==(const Place&, const Place&) = default;
};

}  // namespace steerd::geo
