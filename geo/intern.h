// Keeps one copy of each distinct value and gives it a dense index.
// Why: millions of cells share few distinct facts; comparing indexes is comparing values.
// Thread rule: one thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "geo/place.h"

namespace steerd::geo {

/// Order matters; 0 is a fine start.
[[nodiscard]] constexpr std::uint64_t hash_step(std::uint64_t hash, std::uint64_t value) noexcept {
    return base::mix64(hash * 0x9E3779B97F4A7C15ULL + value + 1);
}

template <std::size_t N>
[[nodiscard]] constexpr std::uint64_t number_of(const std::optional<Code<N>>& code) noexcept {
    return code ? code->packed() : 0;
}

struct HashFacts {
    [[nodiscard]] std::size_t operator()(const Facts& facts) const noexcept {
        std::uint64_t hash = number_of(facts.country) << 32 | number_of(facts.continent);
        hash = hash_step(hash, number_of(facts.subdivision));
        hash = hash_step(hash, facts.asn ? *facts.asn : 0);
        const Location at = facts.location.value_or(Location{});
        // Adding 0.0 makes one zero of the two that compare equal.
        hash = hash_step(hash, std::bit_cast<std::uint64_t>(at.latitude + 0.0));
        return hash_step(hash, std::bit_cast<std::uint64_t>(at.longitude + 0.0));
    }
};

template <typename T, typename Hash>
class Interner {
  public:
    [[nodiscard]] std::uint32_t index_of(const T& value) {
        if (values_.size() * 2 >= slots_.size()) {
            grow();
        }
        // The upper half is kept beside the index: other values are told apart without a look.
        const std::uint64_t hash = Hash{}(value);
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        std::size_t at = hash & (slots_.size() - 1);
        for (; slots_[at].index != kFree; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at].tag == tag && values_[slots_[at].index] == value) {
                return slots_[at].index;
            }
        }
        slots_[at] = {static_cast<std::uint32_t>(values_.size()), tag};
        values_.push_back(value);
        return slots_[at].index;
    }

    [[nodiscard]] const std::vector<T>& values() const noexcept { return values_; }

    /// Hands the values over and begins anew.
    [[nodiscard]] std::vector<T> take() {
        slots_.clear();
        return std::exchange(values_, {});
    }

  private:
    static constexpr std::uint32_t kFree = std::numeric_limits<std::uint32_t>::max();

    struct Slot {
        std::uint32_t index = kFree;
        std::uint32_t tag = 0;
    };

    void grow() {
        slots_.assign(std::max<std::size_t>(64, slots_.size() * 4), Slot{});
        for (std::uint32_t i = 0; i < values_.size(); ++i) {
            const std::uint64_t hash = Hash{}(values_[i]);
            std::size_t at = hash & (slots_.size() - 1);
            while (slots_[at].index != kFree) {
                at = (at + 1) & (slots_.size() - 1);
            }
            slots_[at] = {i, static_cast<std::uint32_t>(hash >> 32)};
        }
    }

    std::vector<T> values_;
    std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace steerd::geo
