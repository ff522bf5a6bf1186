// Reading and writing wire octets within bounds: a cursor with a sticky error, so that a parser can
// read a whole structure and ask once, and a bounded writer that can be taken back to a mark.
// RFC 1035 §4.1: all numbers in network order. Neither allocates nor throws; neither knows what the
// octets mean, but for the skipping of names. Thread rule: one owner, on the stack.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "dns/name.h"

namespace steerd::dns {

inline constexpr std::uint8_t kPointerBits = 0xC0;
/// The first offset that a compression pointer cannot name (14 bits).
inline constexpr std::size_t kPointerEnd = 0x4000;

[[nodiscard]] constexpr std::uint16_t load_u16(const std::uint8_t* p) noexcept {
    return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}

[[nodiscard]] constexpr std::uint32_t load_u32(const std::uint8_t* p) noexcept {
    return std::uint32_t{load_u16(p)} << 16 | load_u16(p + 2);
}

constexpr void store_u16(std::uint8_t* p, std::uint16_t value) noexcept {
    p[0] = static_cast<std::uint8_t>(value >> 8);
    p[1] = static_cast<std::uint8_t>(value);
}

constexpr void store_u32(std::uint8_t* p, std::uint32_t value) noexcept {
    store_u16(p, static_cast<std::uint16_t>(value >> 16));
    store_u16(p + 2, static_cast<std::uint16_t>(value));
}

/// A cursor over octets. After a read past the end every further read gives zero or nothing, and
/// ok() says so.
class WireReader {
  public:
    explicit WireReader(std::span<const std::uint8_t> data, std::size_t at = 0) noexcept
        : data_(data), at_(at), ok_(at <= data.size()) {}

    [[nodiscard]] bool ok() const noexcept { return ok_; }

    /// For a caller that found the content wrong.
    void fail() noexcept { ok_ = false; }

    [[nodiscard]] std::size_t at() const noexcept { return at_; }

    [[nodiscard]] bool at_end() const noexcept { return at_ == data_.size(); }

    [[nodiscard]] std::span<const std::uint8_t> take(std::size_t count) noexcept {
        if (!ok_ || data_.size() - at_ < count) {
            ok_ = false;
            return {};
        }
        const auto taken = data_.subspan(at_, count);
        at_ += count;
        return taken;
    }

    std::uint8_t u8() noexcept {
        const auto octets = take(1);
        return ok_ ? octets[0] : std::uint8_t{0};
    }

    std::uint16_t u16() noexcept {
        const auto octets = take(2);
        return ok_ ? load_u16(octets.data()) : std::uint16_t{0};
    }

    std::uint32_t u32() noexcept {
        const std::uint32_t high = u16();
        return high << 16 | u16();
    }

    /// The uncompressed name that begins here; an error when there is none.
    [[nodiscard]] NameView plain_name() noexcept {
        const auto name = ok_ ? NameView::parse_wire(data_.subspan(at_)) : std::nullopt;
        if (!name) {
            ok_ = false;
            return {};
        }
        at_ += name->size();
        return *name;
    }

    /// Goes behind a name that may end in a pointer, which is not followed but must point back.
    void skip_name() noexcept;
    /// The name that begins here, its pointers followed (RFC 1035 §4.1.4). REQUIRES: the data is
    /// the whole message. Pointers must point before the label run they are in, so this ends.
    [[nodiscard]] Name name() noexcept;

  private:
    std::span<const std::uint8_t> data_;
    std::size_t at_;
    bool ok_;
};

/// Writes up to a limit; what does not fit is not written and makes the writer fail until it is
/// taken back to a mark.
class WireWriter {
  public:
    WireWriter(std::uint8_t* out, std::size_t limit) noexcept : out_(out), limit_(limit) {}

    [[nodiscard]] bool ok() const noexcept { return ok_; }

    /// Octets written.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] std::uint8_t* data() const noexcept { return out_; }

    void set_limit(std::size_t limit) noexcept { limit_ = limit; }

    /// Back to a size that was before.
    void rollback(std::size_t size) noexcept {
        size_ = size;
        ok_ = true;
    }

    /// Room for `count` octets that the caller fills, or nullptr.
    [[nodiscard]] std::uint8_t* room(std::size_t count) noexcept {
        if (!ok_ || size_ > limit_ || limit_ - size_ < count) {
            ok_ = false;
            return nullptr;
        }
        std::uint8_t* const at = out_ + size_;
        size_ += count;
        return at;
    }

    void bytes(std::span<const std::uint8_t> octets) noexcept {
        if (std::uint8_t* const to = room(octets.size()); to != nullptr && !octets.empty()) {
            std::memcpy(to, octets.data(), octets.size());
        }
    }

    void u16(std::uint16_t value) noexcept {
        if (std::uint8_t* const to = room(2); to != nullptr) {
            store_u16(to, value);
        }
    }

  private:
    std::uint8_t* out_;
    std::size_t limit_;
    std::size_t size_ = 0;
    bool ok_ = true;
};

}  // namespace steerd::dns
