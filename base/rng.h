// Randomness is handed in as numbers: a query gets one draw of 64 bits and expands it when a
// decision needs more. SplitMix64 (Steele, Lea, Flood 2014): small, and any seed is a good seed.
#pragma once

#include <cstdint>

namespace steerd::base {

/// A bijection of 64 bits whose output looks random; also good to mix hash keys.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9ULL;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

/// A stream of draws from a seed. Thread rule: one owner.
class Rng {
  public:
    explicit constexpr Rng(std::uint64_t seed) noexcept : state_(seed) {}

    constexpr std::uint64_t next() noexcept { return mix64(state_ += 0x9E3779B97F4A7C15ULL); }

    /// Uniform in [0, bound) without the bias of a remainder worth mentioning (Lemire's
    /// multiplication; the bias is below bound / 2^64). REQUIRES: bound > 0.
    constexpr std::uint64_t below(std::uint64_t bound) noexcept {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
    }

    /// Uniform in [0, 1).
    constexpr double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  private:
    std::uint64_t state_;
};

}  // namespace steerd::base
