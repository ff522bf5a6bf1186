// Equality and hash of the octets of uncompressed names, eight at a time, in a header because every
// look-up of every query begins with them and a call would cost as much again.
// RFC 4343 (case). Length octets are at most 63, below 'A', so a whole name may be lowered at once.
// The hash takes words straight from the packet: setting bit 0x20 makes letters alike in either
// case, and some other octets alike too, which costs a comparison and no more. In both the last
// word may overlap the one before. Deliberately checks no name: dns/name.h promises what one is.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/rng.h"

namespace steerd::dns {

[[nodiscard]] inline std::uint64_t load8(const std::uint8_t* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    return word;
}

/// Sets bit 0x20 in each of eight octets that is an ASCII capital, all at once.
[[nodiscard]] constexpr std::uint64_t lower8(std::uint64_t w) noexcept {
    constexpr std::uint64_t kEach = 0x0101010101010101ULL;
    const std::uint64_t low7 = w & (kEach * 0x7F);
    const std::uint64_t from_a = low7 + kEach * (0x80 - 'A');
    const std::uint64_t over_z = low7 + kEach * (0x7F - 'Z');
    const std::uint64_t capital = (from_a & ~over_z & ~w) & (kEach * 0x80);
    return w | (capital >> 2);
}

[[nodiscard]] inline bool equal8(const std::uint8_t* a, const std::uint8_t* b) noexcept {
    const std::uint64_t left = load8(a);
    const std::uint64_t right = load8(b);
    return left == right || lower8(left) == lower8(right);
}

/// REQUIRES: both hold `size` octets.
[[nodiscard]] inline bool equal_ignoring_case(const std::uint8_t* a, const std::uint8_t* b,
                                              std::size_t size) noexcept {
    if (size < 8) {
        for (std::size_t i = 0; i < size; ++i) {
            const unsigned different = a[i] ^ b[i];
            const unsigned letter = (a[i] | 0x20U) - 'a';
            if (different != 0 && (different != 0x20 || letter > 'z' - 'a')) {
                return false;
            }
        }
        return true;
    }
    for (std::size_t i = 0; i + 8 < size; i += 8) {
        if (!equal8(a + i, b + i)) {
            return false;
        }
    }
    return equal8(a + size - 8, b + size - 8);
}

/// Up to seven octets as a number.
[[nodiscard]] inline std::uint64_t load_short(const std::uint8_t* at, std::size_t size) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < size; ++i) {
        word = word << 8 | at[i];
    }
    return word;
}

/// Takes in eight octets: both halves of a product with a secret sum, as wyhash has it (Wang Yi).
[[nodiscard]] inline std::uint64_t fold(std::uint64_t state, std::uint64_t word) noexcept {
    __extension__ using Wide = unsigned __int128;
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
    constexpr std::uint64_t kIgnoreCase = 0x2020202020202020ULL;
    const Wide product = static_cast<Wide>(state ^ (word | kIgnoreCase)) * kOdd;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// The hash of dns::hash() for a name of these octets.
[[nodiscard]] inline std::uint64_t hash_octets(const std::uint8_t* octets, std::size_t size,
                                               std::uint64_t seed) noexcept {
    std::uint64_t state = base::mix64(seed + size);
    if (size < 8) {
        return base::mix64(fold(state, load_short(octets, size)));
    }
    for (std::size_t i = 0; i + 8 < size; i += 8) {
        state = fold(state, load8(octets + i));
    }
    return fold(fold(state, load8(octets + size - 8)), seed);
}

}  // namespace steerd::dns
