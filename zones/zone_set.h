// All zones of a server: the longest apex at or above a name (RFC 1034 §4.3.2 step 2), by label,
// with parent and child zones side by side and the root among them. A zone whose file or steer
// table was bad at start keeps its slot without a zone, so that its names get SERVFAIL and not the
// parent's answers. A set is built whole and replaced whole; the zones in it are shared with the
// next one. Thread rule: immutable, any thread; find() allocates nothing and never throws.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dns/name_octets.h"
#include "dns/split_name.h"
#include "dns/types.h"
#include "zones/zone.h"

namespace steerd::zones {

/// The zone first: a look-up reads it and the apex's octets, which then lie in one line or two.
struct ZoneSlot {
    std::shared_ptr<const Zone> zone;  // none: unavailable, SERVFAIL
    dns::Name apex;
};

class ZoneSet {
  public:
    ZoneSet() = default;
    /// Of several slots with one apex the last counts. `seed` keeps outsiders from choosing names
    /// that collide.
    ZoneSet(std::vector<ZoneSlot> slots, std::uint64_t seed);

    /// The slot with the longest apex at or above `qname`; none: REFUSED.
    [[nodiscard]] const ZoneSlot* find(const dns::SplitName& qname) const noexcept;

    [[nodiscard]] const ZoneSlot* find(dns::NameView qname) const noexcept {
        return find(dns::SplitName(qname));
    }

    /// As find(), but DS at the apex of a zone is a question for the zone above, where that one is
    /// here too (RFC 4035 §3.1.4.1).
    [[nodiscard]] const ZoneSlot* find_for(const dns::SplitName& qname,
                                           dns::RrType qtype) const noexcept;

    [[nodiscard]] const ZoneSlot* find_for(dns::NameView qname, dns::RrType qtype) const noexcept {
        return find_for(dns::SplitName(qname), qtype);
    }

    /// The slot of exactly this apex.
    [[nodiscard]] const ZoneSlot* find_exact(dns::NameView apex) const noexcept;

    /// Whether the zones are more than a near cache holds, so that reading ahead gains time.
    [[nodiscard]] bool is_far() const noexcept { return far_; }

    /// Fetches what find() and a look-up of the exact names will read, for all of them at once: a
    /// step of all names, then the next one, so that they wait for memory together. A hint that
    /// may be left out: it changes nothing, and more than 8 names gain nothing from it. Returns of
    /// how many it found where they stand.
    std::size_t read_ahead(std::span<const dns::SplitName> names) const noexcept;

    [[nodiscard]] const std::vector<ZoneSlot>& slots() const noexcept { return slots_; }

  private:
    struct Trail;

    struct Entry {
        std::uint32_t hash = 0;
        std::uint32_t slot = 0;  // index + 1; 0: free
    };

    /// The name's own octets say where it ends, so that the size, which stands behind room for the
    /// longest name, is not read.
    [[nodiscard]] static bool is_apex(const ZoneSlot& slot, dns::NameView name) noexcept {
        return dns::equal_ignoring_case(slot.apex.view().octets().data(), name.octets().data(),
                                        name.size());
    }

    [[nodiscard]] std::uint32_t hash_of(dns::NameView apex) const noexcept {
        return static_cast<std::uint32_t>(dns::hash(apex, seed_) >> 32);
    }

    void set_out(const dns::SplitName& name, Trail& trail) const noexcept;
    void take_slot(Trail& trail) const noexcept;

    std::vector<ZoneSlot> slots_;
    std::vector<Entry> table_;          // open addressing, a power of two
    std::uint64_t depths_[2] = {0, 0};  // bit n: an apex of n labels exists
    std::vector<std::uint32_t> sole_;   // by labels: slot + 1 of the only such apex; 0: several
    std::uint32_t deepest_ = 0;         // labels of the longest apex
    bool far_ = false;
    std::uint64_t seed_ = 0;
};

}  // namespace steerd::zones
