// Where the labels of a name begin, and the hash of a name: what every look-up in a table starts
// with. RFC 1035 §2.3.4, §3.1; RFC 4343 (case).
// The hash takes eight octets at a time straight from the packet, so no name is copied or lowered
// for it; the last eight may overlap the ones before. Setting bit 0x20 makes letters alike in
// either case, and some other octets alike too, which costs a comparison and no more. Thread rule:
// pure functions on values; SplitName as in its header.
#include "dns/split_name.h"

#include <algorithm>
#include <cstring>

#include "base/rng.h"

namespace steerd::dns {

namespace {

constexpr std::size_t kMaxLabelSize = 63;

std::uint64_t load8(const std::uint8_t* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    return word;
}

/// Up to seven octets as a number.
std::uint64_t load_short(const std::uint8_t* at, std::size_t size) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < size; ++i) {
        word = word << 8 | at[i];
    }
    return word;
}

/// Takes in eight octets: both halves of a product with a secret sum, as wyhash has it (Wang Yi).
std::uint64_t fold(std::uint64_t state, std::uint64_t word) noexcept {
    __extension__ using Wide = unsigned __int128;
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
    constexpr std::uint64_t kIgnoreCase = 0x2020202020202020ULL;
    const Wide product = static_cast<Wide>(state ^ (word | kIgnoreCase)) * kOdd;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t hash(NameView name, std::uint64_t seed) noexcept {
    const std::uint8_t* const octets = name.octets().data();
    const std::size_t size = name.size();
    std::uint64_t state = base::mix64(seed + size);
    if (size < 8) {
        return base::mix64(fold(state, load_short(octets, size)));
    }
    for (std::size_t i = 0; i + 8 < size; i += 8) {
        state = fold(state, load8(octets + i));
    }
    return fold(fold(state, load8(octets + size - 8)), seed);
}

std::size_t SplitName::read(std::span<const std::uint8_t> data) noexcept {
    const std::uint8_t* const octets = data.data();
    const std::size_t end = std::min(data.size(), kMaxNameSize);
    std::size_t count = 0;
    std::size_t i = 0;
    while (i < end && octets[i] != 0) {
        if (octets[i] > kMaxLabelSize) {
            return 0;
        }
        at_[count++] = static_cast<std::uint8_t>(i);
        i += 1U + octets[i];
    }
    if (i >= end) {
        return 0;
    }
    octets_ = octets;
    size_ = i + 1;
    labels_ = count;
    return size_;
}

}  // namespace steerd::dns
