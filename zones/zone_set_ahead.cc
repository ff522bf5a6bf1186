// Reading ahead for several names at once. A look-up among many zones reads five places that each
// tell where the next one is (table of apexes, slot, zone, its table of names, node); by itself it
// waits for each of them. Here all names go a step together, and the next step finds what the one
// before has fetched. An apex is judged by its hash alone: who errs has fetched in vain, and the
// look-up that follows finds what it would have found.
// Deliberately reads only what find() may read as well. Thread rule: see zone_set.h.
#include <algorithm>
#include <array>

#include "base/fetch.h"
#include "zones/zone_set.h"

namespace steerd::zones {

namespace {

constexpr std::size_t kMost = 8;    // names
constexpr std::size_t kApexes = 4;  // of each that may be its zone's

}  // namespace

/// How far one name has come.
struct ZoneSet::Trail {
    const dns::SplitName* name;
    const ZoneSlot* slot;
    std::array<std::uint32_t, kApexes> hashes;  // the longest apex first
    std::size_t apexes;
    std::uint32_t name_hash;  // in its zone
};

/// Fetches the entries of the apexes that may be there.
void ZoneSet::set_out(const dns::SplitName& name, Trail& trail) const noexcept {
    trail.name = &name;
    trail.slot = nullptr;
    trail.apexes = 0;
    for (std::size_t labels = std::min<std::size_t>(name.label_count(), deepest_) + 1;
         labels-- > 0;) {
        if ((depths_[labels / 64] >> (labels % 64) & 1) == 0) {
            continue;
        }
        const std::uint32_t sole = sole_.data()[labels];
        if (sole != 0) {
            const ZoneSlot& slot = slots_.data()[sole - 1];
            if (is_apex(slot, name.suffix(labels))) {
                trail.slot = &slot;
                return;
            }
        } else if (trail.apexes == kApexes) {
            return;
        } else {
            const std::uint32_t hash = hash_of(name.suffix(labels));
            base::fetch(table_.data() + (hash & (table_.size() - 1)));
            trail.hashes.data()[trail.apexes++] = hash;
        }
    }
}

void ZoneSet::take_slot(Trail& trail) const noexcept {
    const Entry* const table = table_.data();
    const std::size_t mask = table_.size() - 1;
    for (std::size_t n = 0; n < trail.apexes; ++n) {
        const std::uint32_t hash = trail.hashes.data()[n];
        for (std::size_t i = hash & mask; table[i].slot != 0; i = (i + 1) & mask) {
            if (table[i].hash == hash) {
                trail.slot = slots_.data() + (table[i].slot - 1);
                base::fetch(trail.slot);
                base::fetch(trail.slot->apex.view().octets().data() + trail.name->view().size());
                return;
            }
        }
    }
}

namespace {

/// A zone alone: nothing leads to it.
std::size_t read_zone_ahead(const Zone& zone, std::span<const dns::SplitName> names) noexcept {
    std::array<std::uint32_t, kMost> hashes;  // NOLINT: filled as far as it is read
    const std::size_t count = std::min(names.size(), kMost);
    for (std::size_t i = 0; i < count; ++i) {
        hashes.data()[i] = zone.store().fetch_slot(names[i].view());
    }
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        found += zone.store().fetch_node(hashes.data()[i]) ? 1 : 0;
    }
    return found;
}

}  // namespace

std::size_t ZoneSet::read_ahead(std::span<const dns::SplitName> names) const noexcept {
    if (slots_.size() == 1) {
        const Zone* const zone = slots_.data()->zone.get();
        return zone == nullptr ? 0 : read_zone_ahead(*zone, names);
    }
    std::array<Trail, kMost> room;  // NOLINT: filled as far as it is read
    const std::span trails = std::span(room).first(std::min(names.size(), kMost));
    for (std::size_t i = 0; i < trails.size(); ++i) {
        set_out(names[i], trails[i]);
    }
    for (Trail& trail : trails) {
        take_slot(trail);
    }
    const auto in_zone = [&](auto&& step) {
        for (Trail& trail : trails) {
            if (trail.slot != nullptr && trail.slot->zone != nullptr) {
                step(*trail.slot->zone, trail);
            }
        }
    };
    in_zone([](const Zone& zone, const Trail&) { zone.fetch_head(); });
    in_zone([](const Zone& zone, Trail& trail) {
        trail.name_hash = zone.store().fetch_slot(trail.name->view());
    });
    std::size_t found = 0;
    in_zone([&](const Zone& zone, const Trail& trail) {
        found += zone.store().fetch_node(trail.name_hash) ? 1 : 0;
    });
    return found;
}

}  // namespace steerd::zones
