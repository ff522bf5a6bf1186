// All zones of a server: the longest apex at or above a name (RFC 1034 §4.3.2 step 2), by label,
// with parent and child zones side by side and the root among them. A zone whose file or steer
// table was bad at start keeps its slot without a zone, so that its names get SERVFAIL and not the
// parent's answers. A set is built whole and replaced whole; the zones in it are shared with the
// next one. Thread rule: immutable, any thread; find() allocates nothing and never throws.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dns/split_name.h"
#include "dns/types.h"
#include "zones/zone.h"

namespace steerd::zones {

struct ZoneSlot {
    dns::Name apex;
    std::shared_ptr<const Zone> zone;  // none: unavailable, SERVFAIL
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

    [[nodiscard]] const std::vector<ZoneSlot>& slots() const noexcept { return slots_; }

  private:
    struct Entry {
        std::uint32_t hash = 0;
        std::uint32_t slot = 0;  // index + 1; 0: free
    };

    std::vector<ZoneSlot> slots_;
    std::vector<Entry> table_;          // open addressing, a power of two
    std::uint64_t depths_[2] = {0, 0};  // bit n: an apex of n labels exists
    std::vector<std::uint32_t> sole_;   // by labels: slot + 1 of the only such apex; 0: several
    std::size_t deepest_ = 0;           // labels of the longest apex
    std::uint64_t seed_ = 0;
};

}  // namespace steerd::zones
