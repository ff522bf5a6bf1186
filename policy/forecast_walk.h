// Layers of one address space laid over each other: places and classes of both sides of a forecast,
// cut into pieces on which none of them changes.
// Thread rule: load plane, one owner.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "policy/forecast.h"
#include "policy/plan.h"
#include "policy/trie.h"

namespace steerd::policy {

/// What one side sees of a client.
struct Seen {
    std::uint32_t place = 0;  // geo::PlaceId
    std::uint32_t cls = 0;    // ClassId; 0 where the name has no view

    friend bool operator==(const Seen&, const Seen&) = default;
};

template <typename Key>
struct Piece {
    Key first{};
    Key last{};
    Seen before;
    Seen after;
};

/// The address space that stands for clients: 1 where it does, 0 elsewhere.
template <typename Key>
[[nodiscard]] Runs<Key> public_space();

template <typename Key>
class ForecastLayers {
  public:
    ForecastLayers(const ForecastSide& before, const ForecastSide& after);

    /// Pieces of [first, last] in address order.
    template <typename Fn>
    void walk(Key first, Key last, Fn&& fn) const {
        std::array<std::size_t, 4> at{};
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const auto& starts = layers_[i].starts;
            at[i] = static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), first) -
                                             starts.begin() - 1);
        }
        for (;;) {
            Key end = last;
            for (std::size_t i = 0; i < layers_.size(); ++i) {
                const auto& starts = layers_[i].starts;
                if (at[i] + 1 < starts.size()) {
                    end = std::min<Key>(end, starts[at[i] + 1] - 1);
                }
            }
            fn(piece(first, end, at));
            if (end == last) {
                return;
            }
            first = end + 1;
            for (std::size_t i = 0; i < layers_.size(); ++i) {
                const auto& starts = layers_[i].starts;
                at[i] += at[i] + 1 < starts.size() && starts[at[i] + 1] == first ? 1U : 0U;
            }
        }
    }

  private:
    [[nodiscard]] Piece<Key> piece(Key first, Key last,
                                   const std::array<std::size_t, 4>& at) const noexcept {
        const auto value = [&](std::size_t layer) { return layers_[layer].values[at[layer]]; };
        Piece<Key> out{first, last, {value(0), value(1)}, {}};
        out.after = same_ ? out.before : Seen{value(2), value(3)};
        return out;
    }

    bool same_;                      // one plan: both sides see the same
    std::vector<Runs<Key>> layers_;  // places and classes before, then after
};

extern template class ForecastLayers<Key4>;
extern template class ForecastLayers<Key6>;

}  // namespace steerd::policy
