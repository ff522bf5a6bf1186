// The layers of a forecast, and which addresses stand for clients: those the IANA special-purpose
// registries (RFC 6890) do not set apart. Thread rule: see forecast_walk.h.
#include "policy/forecast_walk.h"

#include "geo/world.h"
#include "policy/view.h"

namespace steerd::policy {

namespace {

template <typename Key>
struct Block {
    Key first;
    unsigned length;
};

constexpr Key4 v4(Key4 a, Key4 b = 0, Key4 c = 0) noexcept { return a << 24 | b << 16 | c << 8; }

constexpr Key6 v6(std::uint64_t a, std::uint64_t b) noexcept {
    return static_cast<Key6>(a << 48 | b << 32) << 64;
}

/// Sorted, without overlap: not globally reachable, multicast, reserved, anycast to relays.
constexpr Block<Key4> kNotPublic4[] = {{v4(0), 8},
                                       {v4(10), 8},
                                       {v4(100, 64), 10},
                                       {v4(127), 8},
                                       {v4(169, 254), 16},
                                       {v4(172, 16), 12},
                                       {v4(192, 0, 0), 24},
                                       {v4(192, 0, 2), 24},
                                       {v4(192, 88, 99), 24},
                                       {v4(192, 168), 16},
                                       {v4(198, 18), 15},
                                       {v4(198, 51, 100), 24},
                                       {v4(203, 0, 113), 24},
                                       {v4(224), 3}};

/// Within 2000::/3: protocol assignments (Teredo among them), documentation, 6to4 (an IPv4 client).
constexpr Block<Key6> kNotPublic6[] = {
    {v6(0x2001, 0), 23}, {v6(0x2001, 0xDB8), 32}, {v6(0x2002, 0), 16}, {v6(0x3FFF, 0), 20}};

template <typename Key, std::size_t N>
void cut_out(Runs<Key>& runs, const Block<Key> (&blocks)[N]) {
    for (const Block<Key>& block : blocks) {
        const Key size = Key{1} << (kKeyBits<Key> - block.length);
        if (!runs.starts.empty() && runs.starts.back() == block.first) {
            runs.values.back() = 0;  // it begins where the one before ends
        } else {
            runs.add(block.first, 0);
        }
        if (const Key end = block.first + size; end != 0) {
            runs.add(end, 1);
        }
    }
}

template <typename Key>
Runs<Key> place_runs(const geo::World& world) {
    const auto family = sizeof(Key) == 4 ? base::IpFamily::V4 : base::IpFamily::V6;
    Runs<Key> runs;
    runs.starts.reserve(world.cell_count(family));
    runs.values.reserve(world.cell_count(family));
    world.for_each_range(
        family, [&](const base::IpAddress& first, const base::IpAddress&, geo::PlaceId place) {
            runs.add(key_of<Key>(first), static_cast<std::uint32_t>(place));
        });
    return runs;
}

template <typename Key>
Runs<Key> class_runs(const ForecastSide& side) {
    Runs<Key> runs;
    const auto& name = side.plan.steered[config::index(side.steered)];
    const std::uint32_t view = side.plan.trees[config::index(name.tree)].view;
    if (view == kNone) {
        runs.add(0, 0);
        return runs;
    }
    const View& table = *side.plan.views[view];
    if constexpr (sizeof(Key) == 4) {
        table.for_each_run4([&](std::uint32_t first, ClassId id) {
            runs.add(first, static_cast<std::uint32_t>(id));
        });
    } else {
        table.for_each_run6([&](std::uint64_t high, std::uint64_t low, ClassId id) {
            runs.add(static_cast<Key6>(high) << 64 | low, static_cast<std::uint32_t>(id));
        });
    }
    return runs;
}

}  // namespace

template <>
Runs<Key4> public_space<Key4>() {
    Runs<Key4> runs;
    cut_out(runs, kNotPublic4);
    return runs;
}

template <>
Runs<Key6> public_space<Key6>() {
    Runs<Key6> runs;
    runs.add(0, 0);
    runs.add(v6(0x2000, 0), 1);
    cut_out(runs, kNotPublic6);
    runs.add(v6(0x4000, 0), 0);
    return runs;
}

template <typename Key>
ForecastLayers<Key>::ForecastLayers(const ForecastSide& before, const ForecastSide& after)
    : same_(&before.plan == &after.plan && before.steered == after.steered) {
    layers_.push_back(place_runs<Key>(*before.plan.world));
    layers_.push_back(class_runs<Key>(before));
    if (!same_) {
        layers_.push_back(place_runs<Key>(*after.plan.world));
        layers_.push_back(class_runs<Key>(after));
    }
}

template class ForecastLayers<Key4>;
template class ForecastLayers<Key6>;

}  // namespace steerd::policy
