// What a view is made of, for those who build one: tables and classes. Everyone else asks view.h.
// Thread rule: immutable once it is a View's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "policy/trie.h"
#include "policy/view.h"
#include "policy/view_cells.h"
#include "policy/view_shape.h"

namespace steerd::policy {

/// Value of the IPv6 addresses that stand for more than one kind of IPv4 client: never a class, and
/// never like a neighbour, so no scope around a native IPv6 client can take them in.
inline constexpr std::uint32_t kMixed = 0xFFFFFFFE;

/// From addresses to values (classes, or the joint values that several views map to theirs).
class ViewTable {
  public:
    struct Hit {
        std::uint32_t value = 0;
        std::uint8_t depth = 0;
    };

    /// `value_of_cell` by index into cells.cells.
    ViewTable(const Cells& cells, std::span<const std::uint32_t> value_of_cell);

    [[nodiscard]] Hit find(const base::IpPrefix& client) const noexcept;

    /// find() of an IPv4 client. REQUIRES: the bits behind the length are zero.
    [[nodiscard]] Hit find4(std::uint32_t address, unsigned length) const noexcept {
        const auto hit = trie4_.find(address);
        if (hit.depth <= length) {
            return {hit.value, hit.depth};
        }
        return find(base::IpPrefix(base::IpAddress::v4(address), length));
    }

    std::size_t read_ahead4(std::span<const std::uint32_t> addresses) const noexcept {
        return trie4_.read_ahead(addresses);
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    [[nodiscard]] const Runs<Key4>& runs4() const noexcept { return trie4_.runs(); }

    [[nodiscard]] const Runs<Key6>& runs6() const noexcept { return trie6_.runs(); }

  private:
    /// Values for sources too short for the trie, by longest prefix.
    struct Shorter {
        std::vector<base::IpPrefix> prefixes;
        std::vector<std::uint32_t> parents;
        std::vector<std::uint32_t> values;
    };

    template <typename Key>
    static Shorter shorter(const Trie<Key>& trie, std::span<const Cells::Partial> partials,
                           std::span<const std::uint32_t> value_of_cell);
    template <typename Key>
    static Hit find_in(const Trie<Key>& trie, const Shorter& shorter,
                       const base::IpPrefix& client) noexcept;

    Trie<Key4> trie4_;
    Trie<Key6> trie6_;
    Shorter shorter4_;
    Shorter shorter6_;
};

struct View::Impl {
    std::string shape_key;
    std::shared_ptr<const ViewTable> table;
    std::vector<std::uint32_t> class_of_value;  // joint table; empty: the value is the class
    std::vector<SlotLayout> slots;
    std::size_t words = 0;             // of one class
    std::vector<ClassWord> classes;    // class after class
    std::vector<std::uint8_t> hashed;  // by class
};

}  // namespace steerd::policy
