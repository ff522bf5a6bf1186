// Keeps one copy of each distinct value and gives it a dense index.
// Why: millions of cells share few distinct facts; comparing indexes is comparing values.
// Thread rule: one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <string_view>
#include <unordered_set>
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
[[nodiscard]] std::uint64_t hash_code(std::uint64_t hash, const std::optional<Code<N>>& code) {
    hash = hash_step(hash, code ? 1 : 0);
    for (const char c : code ? code->view() : std::string_view{}) {
        hash = hash_step(hash, static_cast<unsigned char>(c));
    }
    return hash;
}

struct HashFacts {
    [[nodiscard]] std::size_t operator()(const Facts& facts) const noexcept {
        std::uint64_t hash = hash_code(0, facts.country);
        hash = hash_code(hash, facts.continent);
        hash = hash_code(hash, facts.subdivision);
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
    Interner() : known_(16, ByIndex{&values_}, ByIndex{&values_}) {}

    Interner(const Interner&) = delete;
    Interner& operator=(const Interner&) = delete;

    [[nodiscard]] std::uint32_t index_of(const T& value) {
        values_.push_back(value);
        const auto [at, added] = known_.insert(static_cast<std::uint32_t>(values_.size() - 1));
        if (!added) {
            values_.pop_back();
        }
        return *at;
    }

    [[nodiscard]] const std::vector<T>& values() const noexcept { return values_; }

    /// Hands the values over; the interner must not be used any more.
    [[nodiscard]] std::vector<T> take() {
        known_.clear();
        return std::move(values_);
    }

  private:
    struct ByIndex {
        const std::vector<T>* values;

        std::size_t operator()(std::uint32_t i) const noexcept { return Hash{}((*values)[i]); }

        bool operator()(std::uint32_t a, std::uint32_t b) const noexcept {
            return (*values)[a] == (*values)[b];
        }
    };

    std::vector<T> values_;
    std::unordered_set<std::uint32_t, ByIndex, ByIndex> known_;
};

}  // namespace steerd::geo
