// One sweep over the world and the networks side by side. Thread rule: see view_cells.h.
#include "policy/view_cells.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace steerd::policy {

namespace {

/// Numbers cells as they are met; those without a network, nearly all, without hashing.
class CellIds {
  public:
    CellIds(std::size_t places, std::vector<Cell>& cells) : plain_(places, kNone), cells_(cells) {}

    std::uint32_t id(const Cell& cell) {
        std::uint32_t* id = &plain_[static_cast<std::size_t>(cell.place)];
        if (cell.network != kNone) {
            const std::uint64_t key = static_cast<std::uint64_t>(cell.network) << 32 |
                                      static_cast<std::uint32_t>(cell.place);
            id = &in_network_.try_emplace(key, kNone).first->second;
        }
        if (*id == kNone) {
            *id = static_cast<std::uint32_t>(cells_.size());
            cells_.push_back(cell);
        }
        return *id;
    }

  private:
    std::vector<std::uint32_t> plain_;
    std::unordered_map<std::uint64_t, std::uint32_t> in_network_;
    std::vector<Cell>& cells_;
};

template <typename Key>
Key last_of(const base::IpPrefix& prefix) noexcept {
    const unsigned host = kKeyBits<Key> - prefix.length();
    const Key first = key_of<Key>(prefix.address());
    return host == kKeyBits<Key> ? static_cast<Key>(~Key{0})
                                 : first | ((static_cast<Key>(1) << host) - 1);
}

/// Runs of the longest network for each address: a stack of those that are open.
template <typename Key>
Runs<Key> network_runs(std::span<const base::IpPrefix> networks, base::IpFamily family) {
    Runs<Key> runs;
    runs.add(0, kNone);
    std::vector<std::uint32_t> open;
    const auto set = [&](Key start, std::uint32_t value) {
        // A border set twice: the later word counts.
        if (runs.starts.back() == start) {
            runs.values.back() = value;
        } else {
            runs.add(start, value);
        }
    };
    const auto close = [&] {
        const Key last = last_of<Key>(networks[open.back()]);
        open.pop_back();
        if (last != static_cast<Key>(~Key{0})) {
            set(last + 1, open.empty() ? kNone : open.back());
        }
    };
    for (std::uint32_t i = 0; i < networks.size(); ++i) {
        if (networks[i].address().family() != family) {
            continue;
        }
        const Key first = key_of<Key>(networks[i].address());
        while (!open.empty() && last_of<Key>(networks[open.back()]) < first) {
            close();
        }
        open.push_back(i);
        set(first, i);
    }
    while (!open.empty()) {
        close();
    }
    return runs;
}

/// A prefix of the world and its place.
struct Placed {
    base::IpPrefix prefix;
    geo::PlaceId place;
};

/// What of the world is split by networks goes to `split`.
template <typename Key>
Runs<Key> cell_runs(const geo::World& world, const Runs<Key>& networks, CellIds& ids,
                    std::vector<Placed>& split) {
    const auto family = sizeof(Key) == 4 ? base::IpFamily::V4 : base::IpFamily::V6;
    Runs<Key> runs;
    const std::size_t expected = world.cell_count(family) + networks.starts.size();
    runs.starts.reserve(expected);
    runs.values.reserve(expected);
    std::size_t at = 0;  // in networks
    world.for_each_range(family, [&](const base::IpAddress& first, const base::IpAddress& last,
                                     geo::PlaceId place) {
        Key start = key_of<Key>(first);
        const Key end = key_of<Key>(last);
        for (;;) {
            while (at + 1 < networks.starts.size() && networks.starts[at + 1] <= start) {
                ++at;
            }
            runs.add(start, ids.id({place, networks.values[at]}));
            if (at + 1 >= networks.starts.size() || networks.starts[at + 1] > end) {
                break;
            }
            start = networks.starts[at + 1];
            if (split.empty() || split.back().prefix.address() != first) {
                const unsigned length = leading_zeros(static_cast<Key>(key_of<Key>(first) ^ end));
                split.push_back({base::IpPrefix(first, length), place});
            }
        }
    });
    return runs;
}

void add_partials(const geo::World& world, base::IpFamily family, std::span<const Placed> split,
                  CellIds& ids, Cells& out) {
    const std::vector<std::uint32_t> parents = parents_of(out.networks);
    auto& partials = out.partials[family == base::IpFamily::V4 ? 0 : 1];
    const auto add = [&](const base::IpPrefix& prefix, geo::PlaceId place) {
        partials.push_back({prefix, ids.id({place, longest_match(out.networks, parents, prefix)})});
    };
    world.for_each_partial(family, add);
    for (const Placed& cell : split) {
        add(cell.prefix, cell.place);
    }
    for (const base::IpPrefix& network : out.networks) {
        if (network.address().family() == family) {
            add(network, world.locate(network));
        }
    }
    const auto by_prefix = [](const auto& a, const auto& b) { return a.prefix < b.prefix; };
    std::stable_sort(partials.begin(), partials.end(), by_prefix);
    const auto same = [](const auto& a, const auto& b) { return a.prefix == b.prefix; };
    partials.erase(std::unique(partials.begin(), partials.end(), same), partials.end());
}

}  // namespace

std::vector<std::uint32_t> parents_of(std::span<const base::IpPrefix> sorted) {
    std::vector<std::uint32_t> parents(sorted.size(), kNone);
    std::vector<std::uint32_t> open;
    for (std::uint32_t i = 0; i < sorted.size(); ++i) {
        while (!open.empty() && !sorted[open.back()].contains(sorted[i])) {
            open.pop_back();
        }
        parents[i] = open.empty() ? kNone : open.back();
        open.push_back(i);
    }
    return parents;
}

std::uint32_t longest_match(std::span<const base::IpPrefix> sorted,
                            std::span<const std::uint32_t> parents,
                            const base::IpPrefix& prefix) noexcept {
    const auto behind = std::upper_bound(sorted.begin(), sorted.end(), prefix);
    auto at = static_cast<std::uint32_t>(behind - sorted.begin()) - 1;  // kNone when at the start
    while (at != kNone && !sorted[at].contains(prefix)) {
        at = parents[at];
    }
    return at;
}

Cells make_cells(const geo::World& world, std::vector<base::IpPrefix> networks) {
    Cells out;
    out.networks = std::move(networks);
    CellIds ids(world.place_count(), out.cells);
    std::vector<Placed> split;
    out.runs4 = cell_runs(world, network_runs<Key4>(out.networks, base::IpFamily::V4), ids, split);
    add_partials(world, base::IpFamily::V4, split, ids, out);
    split.clear();
    out.runs6 = cell_runs(world, network_runs<Key6>(out.networks, base::IpFamily::V6), ids, split);
    add_partials(world, base::IpFamily::V6, split, ids, out);
    return out;
}

}  // namespace steerd::policy
