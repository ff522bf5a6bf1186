// Building the strides over a list of runs, and the search through them.
// Thread rule: see trie.h.
#include "policy/trie.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/fetch.h"
#include "base/large_pages.h"

namespace steerd::policy {

namespace {

/// Borders that one entry leaves to the search: five halvings, and five bits of the entry.
constexpr std::size_t kBorders = 31;

unsigned root_bits_for(std::size_t runs) noexcept {
    if (runs <= kBorders + 1) {
        return 0;
    }
    return runs <= 4096 ? 8 : 16;
}

}  // namespace

template <typename Key>
Trie<Key>::Trie(Runs<Key> runs) : runs_(std::move(runs)) {
    CHECK(!runs_.starts.empty() && runs_.starts.front() == 0);
    CHECK(runs_.starts.size() == runs_.values.size() && runs_.starts.size() <= kRunMask);
    runs_.starts.shrink_to_fit();
    runs_.values.shrink_to_fit();
    root_bits_ = root_bits_for(runs_.starts.size());
    if (root_bits_ != 0) {
        index_.resize(std::size_t{1} << root_bits_);
        build_level({0, kKeyBits<Key> - root_bits_, root_bits_, 0}, 0);
        index_.shrink_to_fit();
    } else {
        root_ = static_cast<std::uint32_t>(runs_.starts.size() - 1) << kRunBits;
    }
    base::use_large_pages(runs_.starts);
    base::use_large_pages(runs_.values);
    base::use_large_pages(index_);
}

/// `run` is the one that holds level.first.
template <typename Key>
void Trie<Key>::build_level(const Level& level, std::size_t run) {
    const std::vector<Key>& starts = runs_.starts;
    for (std::size_t i = 0; i < std::size_t{1} << level.bits; ++i) {
        const Key first = level.first | static_cast<Key>(i) << level.shift;
        const Key last = first | ((static_cast<Key>(1) << level.shift) - 1);
        while (run + 1 < starts.size() && starts[run + 1] <= first) {
            ++run;
        }
        const std::size_t probe = run + kBorders + 1;  // one border too many for a search
        if (probe >= starts.size() || starts[probe] > last) {
            const auto inside = std::upper_bound(
                starts.begin() + static_cast<std::ptrdiff_t>(run) + 1,
                starts.begin() + static_cast<std::ptrdiff_t>(std::min(probe, starts.size())), last);
            const auto borders = static_cast<std::uint32_t>(inside - starts.begin() -
                                                            static_cast<std::ptrdiff_t>(run) - 1);
            index_[level.base + i] = borders << kRunBits | static_cast<std::uint32_t>(run);
            continue;
        }
        const std::size_t base = index_.size();
        CHECK(base < kChild);
        index_.resize(base + (std::size_t{1} << kStride));
        index_[level.base + i] = static_cast<std::uint32_t>(base) | kChild;
        build_level({base, level.shift - kStride, kStride, first}, run);
    }
}

template <typename Key>
std::size_t Trie<Key>::read_ahead(std::span<const Key> addresses) const noexcept {
    constexpr std::size_t kMost = 8;
    if (root_bits_ == 0) {
        return 0;
    }
    const std::uint32_t* const index = index_.data();
    std::array<std::uint32_t, kMost> at;  // NOLINT: filled as far as it is read
    const std::size_t count = std::min(addresses.size(), kMost);
    unsigned shift = kKeyBits<Key> - root_bits_;
    for (std::size_t i = 0; i < count; ++i) {
        at.data()[i] = static_cast<std::uint32_t>(addresses[i] >> shift);
        base::fetch(index + at.data()[i]);
    }
    // Below the root where an entry leads on; a deeper node is rare, and then it is waited for.
    shift -= kStride;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t entry = index[at.data()[i]];
        if ((entry & kChild) != 0) {
            const auto digit = static_cast<std::uint32_t>(addresses[i] >> shift) & 0xFF;
            at.data()[i] = (entry & ~kChild) + digit;
            base::fetch(index + at.data()[i]);
        }
    }
    std::size_t reached = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t entry = index[at.data()[i]];
        if ((entry & kChild) == 0) {
            ++reached;
            const std::size_t first = entry & kRunMask;
            const std::size_t last = first + (entry >> kRunBits);
            base::fetch(runs_.starts.data() + first);
            base::fetch(runs_.starts.data() + last);
            base::fetch(runs_.values.data() + first);
            base::fetch(runs_.values.data() + last);
        }
    }
    return reached;
}

template <typename Key>
std::size_t Trie<Key>::memory_bytes() const noexcept {
    return runs_.starts.capacity() * sizeof(Key) +
           (runs_.values.capacity() + index_.capacity()) * sizeof(std::uint32_t);
}

template class Trie<Key4>;
template class Trie<Key6>;

}  // namespace steerd::policy
