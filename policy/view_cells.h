// The address space as views are compiled from it: the world's cells cut further at the networks
// that geo matches ask for. Made once for all views that ask for the same networks.
//
// A cell stands for every address with the same facts, rows and matching networks. Deliberately
// knows no routes. Thread rule: immutable once built.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"
#include "geo/world.h"
#include "policy/plan.h"
#include "policy/trie.h"

namespace steerd::policy {

struct Cell {
    geo::PlaceId place{};
    std::uint32_t network = kNone;  // the longest that contains it, index into Cells::networks

    friend bool operator==(const Cell&, const Cell&) = default;
};

struct Cells {
    /// A prefix for which rows and networks hold while longer ones split it.
    struct Partial {
        base::IpPrefix prefix;
        std::uint32_t cell = 0;
    };

    std::vector<base::IpPrefix> networks;  // sorted, each once
    std::vector<Cell> cells;               // each once
    Runs<Key4> runs4;                      // values: indexes into cells
    Runs<Key6> runs6;
    std::vector<Partial> partials[2];  // by family; sorted by address, then length

    [[nodiscard]] const base::IpPrefix* within(const Cell& cell) const noexcept {
        return cell.network == kNone ? nullptr : &networks[cell.network];
    }
};

/// REQUIRES: networks are normalised, sorted, each once.
[[nodiscard]] Cells make_cells(const geo::World& world, std::vector<base::IpPrefix> networks);

/// Of prefixes sorted by address, then length: the longest that contains `prefix`, or kNone.
/// `parents` holds for each the next wider one that contains it, or kNone.
[[nodiscard]] std::vector<std::uint32_t> parents_of(std::span<const base::IpPrefix> sorted);
[[nodiscard]] std::uint32_t longest_match(std::span<const base::IpPrefix> sorted,
                                          std::span<const std::uint32_t> parents,
                                          const base::IpPrefix& prefix) noexcept;

}  // namespace steerd::policy
