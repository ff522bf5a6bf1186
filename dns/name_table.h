// Where names stand in the message being written, so that later ones can point to them.
// RFC 1035 §4.1.4, RFC 4343 (case does not count). Bounded: when the table is full, further names
// are still compressed against what is in it. Not a hash of all names: an answer has few of them,
// and comparing a word for each entry is quicker than hashing every suffix. Thread rule: one owner,
// on the stack.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dns/name.h"
#include "dns/wire.h"

namespace steerd::dns {

class NameTable {
  public:
    NameTable() noexcept {}  // NOLINT(modernize-use-equals-default): entries stay uninitialised

    /// Entries now; hand it to rollback() together with the writer's size.
    [[nodiscard]] std::uint8_t count() const noexcept { return count_; }

    void rollback(std::uint8_t count) noexcept { count_ = count; }

    /// Remembers the suffixes of an uncompressed name that stands at `offset`; of a very long name
    /// only the last ones, which others are likelier to share.
    void learn(NameView name, std::size_t offset) noexcept;

    /// Writes `name`: the labels that nothing in the message ends with, then a pointer or the root.
    /// What is written is learned.
    void write(WireWriter& writer, NameView name) noexcept;

  private:
    /// `key` tells most different names apart, so that few are compared octet by octet.
    struct Entry {
        std::uint32_t key;
        std::uint16_t offset;
    };

    static constexpr std::size_t kCapacity = 32;
    static constexpr std::size_t kMostOfOneName = 16;

    [[nodiscard]] static std::uint32_t key_of(NameView name) noexcept;
    [[nodiscard]] const Entry* find(const std::uint8_t* message, NameView name) const noexcept;
    void add(NameView name, std::size_t offset) noexcept;

    std::array<Entry, kCapacity> entries_;
    std::uint8_t count_ = 0;
};

}  // namespace steerd::dns
