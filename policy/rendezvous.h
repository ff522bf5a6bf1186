// Weighted rendezvous hashing: each member draws -log2(u) / weight from a hash of its name and the
// client, and the least wins (Thaler and Ravishankar 1998; the weighting by exponential variates is
// Efraimidis and Spirakis 2006). A member's share is its part of the weight, and a change of one
// weight or member moves only the share it must. In integers throughout, so that every node and
// compiler gets the same winner. Thread rule: pure.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/rng.h"

namespace steerd::policy {
namespace rendezvous_detail {

inline constexpr unsigned kFraction = 40;  // bits behind the point
inline constexpr std::size_t kSegments = 256;

/// log2(1 + numerator / 512) with kFraction bits, by squaring.
constexpr std::uint64_t log2_of(std::uint64_t numerator) noexcept {
    __extension__ using Wide = unsigned __int128;
    std::uint64_t x = (512 + numerator) << 53;  // 1.0 is 2^62, below 2.0
    std::uint64_t result = 0;
    for (unsigned i = 0; i < kFraction; ++i) {
        Wide square = (static_cast<Wide>(x) * x) >> 62;
        result <<= 1;
        if ((square >> 63) != 0) {
            square >>= 1;
            result |= 1;
        }
        x = static_cast<std::uint64_t>(square);
    }
    return result;
}

struct Segment {
    std::uint64_t base;   // log2 at its start
    std::uint64_t slope;  // to its end
    std::uint64_t curve;  // how far the middle stands above the chord, times 4
};

constexpr std::array<Segment, kSegments> make_table() noexcept {
    std::array<Segment, kSegments> table{};
    for (std::size_t i = 0; i < kSegments; ++i) {
        const std::uint64_t start = log2_of(2 * i);
        const std::uint64_t end =
            i + 1 == kSegments ? std::uint64_t{1} << kFraction : log2_of(2 * i + 2);
        const std::uint64_t middle = log2_of(2 * i + 1);
        table[i] = {start, end - start, 2 * (2 * middle - start - end)};
    }
    return table;
}

inline constexpr std::array<Segment, kSegments> kTable = make_table();

/// -log2((h | 1) / 2^64) with kFraction bits, to about 1e-8.
constexpr std::uint64_t minus_log2(std::uint64_t h) noexcept {
    __extension__ using Wide = unsigned __int128;
    const std::uint64_t x = h | 1;
    const auto zeros = static_cast<unsigned>(std::countl_zero(x));
    const std::uint64_t mantissa = x << zeros << 1;  // without the leading one
    const Segment& segment = kTable[mantissa >> 56];
    const std::uint64_t t = mantissa << 8;  // within the segment, of 2^64
    const auto part = [](std::uint64_t a, std::uint64_t b) {
        return static_cast<std::uint64_t>((static_cast<Wide>(a) * b) >> 64);
    };
    const std::uint64_t log2 =
        segment.base + part(segment.slope, t) + part(segment.curve, part(t, ~t));
    return (static_cast<std::uint64_t>(zeros + 1) << kFraction) - log2;
}

}  // namespace rendezvous_detail

/// The bits by which the route at this place of a tree draws, of its own from those of the query.
[[nodiscard]] constexpr std::uint64_t route_draw(std::uint64_t draw, std::uint32_t at) noexcept {
    return base::mix64(draw + (std::uint64_t{at} + 1) * 0x9E3779B97F4A7C15ULL);
}

/// What one member drew for one client.
struct Lot {
    std::uint64_t distance = 0;  // below 2^47
    std::uint64_t weight = 0;    // 1 .. 65535; 0: no lot
    std::uint64_t name_hash = 0;
};

[[nodiscard]] constexpr Lot draw_lot(std::uint64_t name_hash, std::uint64_t client_key,
                                     std::uint64_t weight) noexcept {
    const std::uint64_t h =
        base::mix64(base::mix64(client_key + 0x9E3779B97F4A7C15ULL) ^ name_hash);
    return {rendezvous_detail::minus_log2(h), weight, name_hash};
}

[[nodiscard]] constexpr bool beats(const Lot& a, const Lot& b) noexcept {
    if (b.weight == 0) {
        return true;
    }
    const std::uint64_t left = a.distance * b.weight;
    const std::uint64_t right = b.distance * a.weight;
    return left != right ? left < right : a.name_hash < b.name_hash;
}

}  // namespace steerd::policy
