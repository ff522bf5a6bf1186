// The zones of a server by apex. A suffix of the name is looked up only where some apex has that
// many labels (`depths_`), so a server of usual zones hashes a name once or twice, and a name of
// 127 labels costs no more. Where one apex alone has that many (`sole_`) it is compared and nothing
// is hashed. Thread rule: see zone_set.h.
#include "zones/zone_set.h"

#include <algorithm>
#include <bit>
#include <span>

#include "base/check.h"
#include "base/large_pages.h"

namespace steerd::zones {

namespace {

/// Octets of zones that stay in a near cache beside what the kernel does for each packet.
constexpr std::size_t kNear = std::size_t{2} << 20;

/// Many small zones are read at as many places as one large zone is. Where the octets of a zone
/// begin, there about its table lies too. Returns how many octets there are.
std::size_t gather(std::span<const ZoneSlot> slots) {
    base::LargePages pages;
    std::size_t octets = 0;
    for (const ZoneSlot& slot : slots) {
        if (slot.zone) {
            pages.add(slot.zone->apex().octets().data(), slot.zone->memory_octets());
            octets += slot.zone->memory_octets();
        }
    }
    pages.use();
    return octets;
}

}  // namespace

ZoneSet::ZoneSet(std::vector<ZoneSlot> slots, std::uint64_t seed)
    : slots_(std::move(slots)), seed_(seed) {
    CHECK(slots_.size() < 0x7FFFFFFF);
    table_.resize(std::bit_ceil(slots_.size() * 2 + 2));
    const std::size_t mask = table_.size() - 1;
    for (std::size_t n = 0; n < slots_.size(); ++n) {
        const dns::NameView apex = slots_[n].apex;
        const auto hash = hash_of(apex);
        std::size_t i = hash & mask;
        while (table_[i].slot != 0 &&
               (table_[i].hash != hash || slots_[table_[i].slot - 1].apex.view() != apex)) {
            i = (i + 1) & mask;
        }
        const std::uint32_t before = table_[i].slot;
        table_[i] = {hash, static_cast<std::uint32_t>(n + 1)};
        const std::size_t labels = apex.label_count();
        const bool first = (depths_[labels / 64] >> (labels % 64) & 1) == 0;
        depths_[labels / 64] |= std::uint64_t{1} << (labels % 64);
        deepest_ = std::max(deepest_, static_cast<std::uint32_t>(labels));
        sole_.resize(deepest_ + 1);
        const bool again = before != 0 && sole_[labels] == before;
        sole_[labels] = first || again ? static_cast<std::uint32_t>(n + 1) : 0;
    }
    base::use_large_pages(slots_);
    base::use_large_pages(table_);
    far_ = gather(slots_) > kNear;
}

const ZoneSlot* ZoneSet::find_exact(dns::NameView apex) const noexcept {
    if (table_.empty()) {
        return nullptr;
    }
    const Entry* const table = table_.data();
    const std::size_t mask = table_.size() - 1;
    const auto hash = hash_of(apex);
    for (std::size_t i = hash & mask; table[i].slot != 0; i = (i + 1) & mask) {
        const ZoneSlot& slot = slots_.data()[table[i].slot - 1];
        // As is_apex(), by a call: of two copies in place find() would get neither.
        const std::span there(slot.apex.view().octets().data(), apex.size());
        if (table[i].hash == hash && dns::NameView(there) == apex) {
            return &slot;
        }
    }
    return nullptr;
}

const ZoneSlot* ZoneSet::find(const dns::SplitName& qname) const noexcept {
    for (std::size_t labels = std::min<std::size_t>(qname.label_count(), deepest_) + 1;
         labels-- > 0;) {
        if ((depths_[labels / 64] >> (labels % 64) & 1) == 0) {
            continue;
        }
        const dns::NameView suffix = qname.suffix(labels);
        const std::uint32_t sole = sole_.data()[labels];
        if (sole == 0) {
            if (const ZoneSlot* slot = find_exact(suffix); slot != nullptr) {
                return slot;
            }
            continue;
        }
        const ZoneSlot& slot = slots_.data()[sole - 1];
        if (is_apex(slot, suffix)) {
            return &slot;
        }
    }
    return nullptr;
}

const ZoneSlot* ZoneSet::find_for(const dns::SplitName& qname, dns::RrType qtype) const noexcept {
    const ZoneSlot* const slot = find(qname);
    if (qtype != dns::RrType::DS || slot == nullptr || qname.label_count() == 0 ||
        slot->apex.view() != qname.view()) {
        return slot;
    }
    const ZoneSlot* const above = find(qname.view().parent());
    return above != nullptr ? above : slot;
}

}  // namespace steerd::zones
