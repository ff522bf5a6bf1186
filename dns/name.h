// Domain names as the protocol has them: absolute, uncompressed wire octets, 1..255 of them, labels
// of 1..63 (RFC 1035 §2.3.4, §3.1). Comparison ignores ASCII case (RFC 4343); the case that was
// seen is kept. Order is canonical (RFC 4034 §6.1). A Name is never empty: the root is one zero
// octet.
// Thread rule: plain values. No allocation except in to_text().
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace steerd::dns {

inline constexpr std::size_t kMaxNameSize = 255;
inline constexpr std::size_t kMaxLabels = 127;  // without the root

/// Lower-case of one octet, ASCII letters only (RFC 4343 §3).
[[nodiscard]] constexpr std::uint8_t lower(std::uint8_t c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c + 32) : c;
}

/// A name that lives elsewhere; the promise of Name, not owning. Two words, cheap to pass.
class NameView {
  public:
    /// The root.
    constexpr NameView() noexcept;

    /// REQUIRES: `octets` is exactly one valid uncompressed name (parse_wire checks, this does
    /// not).
    explicit constexpr NameView(std::span<const std::uint8_t> octets) noexcept : octets_(octets) {}

    /// The uncompressed name at the start of `data`, or nullopt: label over 63, pointer, over 255
    /// octets, or data that ends early.
    [[nodiscard]] static std::optional<NameView> parse_wire(
        std::span<const std::uint8_t> data) noexcept;

    [[nodiscard]] constexpr std::span<const std::uint8_t> octets() const noexcept {
        return octets_;
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return octets_.size(); }

    [[nodiscard]] constexpr bool is_root() const noexcept { return octets_.size() == 1; }

    /// Labels without the root: "." has 0, "example.com." has 2.
    [[nodiscard]] std::size_t label_count() const noexcept;
    /// The first label without its length octet; empty for the root.
    [[nodiscard]] std::span<const std::uint8_t> first_label() const noexcept;
    /// Without the first label. REQUIRES: !is_root().
    [[nodiscard]] NameView parent() const noexcept;
    /// The last `labels` labels. REQUIRES: labels <= label_count().
    [[nodiscard]] NameView suffix(std::size_t labels) const noexcept;
    [[nodiscard]] bool is_wildcard() const noexcept;
    /// True for the name itself and all below it.
    [[nodiscard]] bool is_at_or_below(NameView ancestor) const noexcept;
    /// Presentation form with the final dot, escaped by RFC 1035 §5.1 (\., \\, \DDD).
    [[nodiscard]] std::string to_text() const;

    friend bool operator==(NameView a, NameView b) noexcept;
    /// RFC 4034 §6.1: by label from the right, octets lower-cased.
    friend std::strong_ordering operator<=>(NameView a, NameView b) noexcept;

  private:
    std::span<const std::uint8_t> octets_;
};

/// An owned name in 256 octets, no allocation.
class Name {
  public:
    /// The root.
    constexpr Name() noexcept = default;
    explicit Name(NameView view) noexcept;

    /// Presentation form. A name without a final dot is taken below `origin` ("@" is the origin
    /// itself); without an origin it is absolute anyway. The error says what is wrong.
    [[nodiscard]] static base::Result<Name, std::string> parse(std::string_view text);
    [[nodiscard]] static base::Result<Name, std::string> parse(std::string_view text,
                                                               NameView origin);

    [[nodiscard]] NameView view() const noexcept {
        return NameView(std::span<const std::uint8_t>(octets_.data(), size_));
    }

    // NOLINTNEXTLINE(google-explicit-constructor): a Name is usable wherever a view is
    operator NameView() const noexcept { return view(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] bool is_root() const noexcept { return size_ == 1; }

    /// label.parent; nullopt when it would be over 63 or 255 octets.
    [[nodiscard]] static std::optional<Name> join(std::span<const std::uint8_t> label,
                                                  NameView parent) noexcept;
    /// The name with `from` at its end replaced by `to` (DNAME, RFC 6672 §2.2); nullopt when over
    /// 255 octets. REQUIRES: name.is_at_or_below(from).
    [[nodiscard]] static std::optional<Name> substitute(NameView name, NameView from,
                                                        NameView to) noexcept;
    /// All letters lower-cased.
    [[nodiscard]] Name lowered() const noexcept;

    [[nodiscard]] std::string to_text() const { return view().to_text(); }

    friend bool operator==(const Name& a, const Name& b) noexcept { return a.view() == b.view(); }

    friend std::strong_ordering operator<=>(const Name& a, const Name& b) noexcept {
        return a.view() <=> b.view();
    }

  private:
    std::array<std::uint8_t, kMaxNameSize> octets_{};
    std::uint8_t size_ = 1;
};

inline constexpr std::uint8_t kRootOctets[1] = {0};

constexpr NameView::NameView() noexcept : octets_(kRootOctets) {}

/// Case-insensitive, seeded (xxHash of the lower-cased octets), so that nobody outside can choose
/// names that collide.
[[nodiscard]] std::uint64_t hash(NameView name, std::uint64_t seed) noexcept;

/// For hash maps of the load plane.
struct NameHash {
    std::size_t operator()(const Name& name) const noexcept { return hash(name.view(), 0); }
};

}  // namespace steerd::dns
