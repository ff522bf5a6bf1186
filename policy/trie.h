// A whole address space cut into runs, each with a value: which run holds an address, and how wide
// an aligned prefix around that address stays inside the run.
//
// Why runs and not nodes: neighbours of one value are one run, so the widest prefix follows from
// the run's two borders alone and is exact by construction (RFC 7871 §7.2.1 scopes are read off
// here). A multibit trie (root of 16 bits, then strides of 8) leads to at most 32 borders that lie
// together: two or three memory touches. Deliberately knows no prefixes longer than rows and no
// classes. Thread rule: immutable once built; find() allocates nothing.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"

namespace steerd::policy {

/// An IPv6 address as a number.
__extension__ using Key6 = unsigned __int128;
/// An IPv4 address as a number.
using Key4 = std::uint32_t;

template <typename Key>
inline constexpr unsigned kKeyBits = sizeof(Key) * 8;

[[nodiscard]] constexpr unsigned leading_zeros(Key4 key) noexcept {
    return static_cast<unsigned>(std::countl_zero(key));
}

[[nodiscard]] constexpr unsigned leading_zeros(Key6 key) noexcept {
    const auto high = static_cast<std::uint64_t>(key >> 64);
    return high != 0
               ? static_cast<unsigned>(std::countl_zero(high))
               : 64 + static_cast<unsigned>(std::countl_zero(static_cast<std::uint64_t>(key)));
}

/// REQUIRES: the address is of the key's family.
template <typename Key>
[[nodiscard]] Key key_of(const base::IpAddress& address) noexcept;

template <>
[[nodiscard]] inline Key4 key_of<Key4>(const base::IpAddress& address) noexcept {
    return address.v4_value();
}

template <>
[[nodiscard]] inline Key6 key_of<Key6>(const base::IpAddress& address) noexcept {
    return static_cast<Key6>(address.v6_high()) << 64 | address.v6_low();
}

/// Runs as they are gathered in address order: each begins at its start and ends before the next.
template <typename Key>
struct Runs {
    std::vector<Key> starts;
    std::vector<std::uint32_t> values;

    /// A run from `start` on; joins the one before when the value is the same.
    void add(Key start, std::uint32_t value) {
        if (values.empty() || values.back() != value) {
            starts.push_back(start);
            values.push_back(value);
        }
    }
};

template <typename Key>
class Trie {
  public:
    struct Hit {
        std::uint32_t value = 0;
        /// Length of the widest prefix around the address that lies inside the run.
        std::uint8_t depth = 0;
    };

    /// REQUIRES: the first start is 0, starts rise, neighbours differ in value.
    explicit Trie(Runs<Key> runs);

    /// In the header: every steered answer comes here.
    [[nodiscard]] Hit find(Key address) const noexcept {
        const std::size_t run = run_of(address);
        const Key* const starts = runs_.starts.data();
        // The prefix must part from the last address before the run and the first one behind it.
        unsigned depth = 0;
        if (run > 0) {
            depth = leading_zeros(static_cast<Key>(address ^ (starts[run] - 1))) + 1;
        }
        if (run + 1 < runs_.starts.size()) {
            depth = std::max(depth, leading_zeros(static_cast<Key>(address ^ starts[run + 1])) + 1);
        }
        return {runs_.values.data()[run], static_cast<std::uint8_t>(depth)};
    }

    /// Fetches what find() will read of these addresses, for all of them together; a hint.
    /// Returns of how many it came to the run.
    std::size_t read_ahead(std::span<const Key> addresses) const noexcept;

    [[nodiscard]] const Runs<Key>& runs() const noexcept { return runs_; }

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

  private:
    static constexpr std::uint32_t kChild = 0x80000000U;
    static constexpr unsigned kRunBits = 26;
    static constexpr std::uint32_t kRunMask = (1U << kRunBits) - 1;
    static constexpr unsigned kStride = 8;

    struct Level {
        std::size_t base;  // of the node's entries in index_
        unsigned shift;    // bits below those the node reads
        unsigned bits;
        Key first;  // the first address the node covers
    };

    [[nodiscard]] std::size_t run_of(Key address) const noexcept {
        std::uint32_t entry = root_;
        if (root_bits_ != 0) {
            const std::uint32_t* const index = index_.data();
            unsigned shift = kKeyBits<Key> - root_bits_;
            entry = index[static_cast<std::size_t>(address >> shift)];
            while ((entry & kChild) != 0) {
                shift -= kStride;
                const auto digit = static_cast<std::size_t>(address >> shift) & 0xFF;
                entry = index[(entry & ~kChild) + digit];
            }
        }
        const Key* run = runs_.starts.data() + (entry & kRunMask);
        for (std::size_t borders = entry >> kRunBits; borders != 0;) {
            const std::size_t half = (borders + 1) / 2;
            const bool behind = run[half] <= address;
            run += behind ? half : 0;
            borders = behind ? borders - half : half - 1;
        }
        return static_cast<std::size_t>(run - runs_.starts.data());
    }

    void build_level(const Level& level, std::size_t run);

    Runs<Key> runs_;
    /// Entries of all nodes: the run that holds the entry's first address and, above it, how many
    /// borders follow inside the entry; or, with kChild, where the entries of a finer node begin.
    std::vector<std::uint32_t> index_;
    std::uint32_t root_ = 0;  // the entry for everything where there is no node
    unsigned root_bits_ = 0;
};

extern template class Trie<Key4>;
extern template class Trie<Key6>;

}  // namespace steerd::policy
