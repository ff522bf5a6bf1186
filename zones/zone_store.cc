// The octets of a zone: adding, growing, finding.
// The table is open-addressed with linear probing. Its index is the hash scaled to the number of
// slots (Lemire's multiplication), so any size will do and a bigger table keeps the order of the
// hashes: growing is one sweep that reads no name. Where an RRset outgrows its place it moves to
// the end with twice the room, so records of one RRset may be spread over a file at a cost that
// stays in proportion. Thread rule: see zone_store.h.
#include "zones/zone_store.h"

#include <algorithm>
#include <new>

#include "base/check.h"
#include "base/fetch.h"
#include "base/large_pages.h"

namespace steerd::zones {

namespace {

constexpr std::size_t kFirstOctets = 512;
constexpr std::size_t kFirstSlots = 8;
constexpr std::size_t kMaxOctets = 0xFFFFFFFF;
constexpr std::size_t kStart = 8;  // offset 0 means nothing
constexpr std::size_t kMaxRrset = 0xFFFF;

std::uint32_t table_hash(dns::NameView name, std::uint64_t seed) noexcept {
    return static_cast<std::uint32_t>(dns::hash(name, seed) >> 32);
}

}  // namespace

dns::RrsetView ZoneStore::view(Offset node, Offset rrset) const noexcept {
    const auto head = load<RrsetHead>(rrset);
    return {.owner = owner(node),
            .type = static_cast<dns::RrType>(head.type),
            .ttl = dns::Ttl(head.ttl_s),
            .count = head.count,
            .records = records(rrset, head)};
}

std::uint32_t ZoneStore::fetch_slot(dns::NameView name) const noexcept {
    const auto octets = name.octets();
    const auto hash =
        static_cast<std::uint32_t>(dns::hash_octets(octets.data(), octets.size(), seed_) >> 32);
    base::fetch(slots_.get() + slot_of(hash));
    return hash;
}

bool ZoneStore::fetch_node(std::uint32_t hash) const noexcept {
    constexpr std::size_t kLine = 64;
    if (slot_count_ == 0) {
        return false;
    }
    const Slot* const slots = slots_.get();
    for (std::size_t i = slot_of(hash); slots[i].node != 0; i = i + 1 == slot_count_ ? 0 : i + 1) {
        if (slots[i].hash == hash) {
            const std::uint8_t* const node = arena_.get() + slots[i].node;
            base::fetch(node);
            base::fetch(node + std::min(kLine, size_ - slots[i].node));
            return true;
        }
    }
    return false;
}

Offset ZoneStore::add_node(dns::NameView owner, Offset parent) {
    if ((nodes_ + 1) * 10 > slot_count_ * 7) {
        resize_table(std::max(kFirstSlots, slot_count_ * 2));
    }
    const auto octets = owner.octets();
    const Offset at = allocate(sizeof(NodeHead) + octets.size());
    if (at == 0) {
        return 0;
    }
    NodeHead head;
    head.parent = parent;
    head.labels = static_cast<std::uint8_t>(owner.label_count());
    head.owner_size = static_cast<std::uint8_t>(octets.size());
    save(at, head);
    std::copy(octets.begin(), octets.end(), arena_.get() + at + sizeof(NodeHead));
    insert({table_hash(owner, seed_), at});
    ++nodes_;
    return at;
}

Offset ZoneStore::add_rrset(Offset node, const RrsetHead& head) {
    const Offset at = allocate(sizeof(RrsetHead));
    if (at == 0) {
        return 0;
    }
    save(at, head);
    auto owner_head = load<NodeHead>(node);
    ++owner_head.rrsets;
    if (owner_head.first_rrset == 0) {
        owner_head.first_rrset = at;
    } else {
        relink(node, 0, at);
    }
    save(node, owner_head);
    return at;
}

Offset ZoneStore::add_record(Offset node, Offset rrset, std::span<const std::uint8_t> rdata) {
    auto head = load<RrsetHead>(rrset);
    const std::size_t wanted = head.size + 2U + rdata.size();
    CHECK(wanted <= kMaxRrset);
    if (wanted > head.capacity) {
        const bool last = rrset + sizeof(RrsetHead) + head.capacity == size_;
        const std::size_t capacity =
            last ? wanted : std::min(kMaxRrset, std::max<std::size_t>(wanted, head.size * 2U));
        const std::size_t grow = last ? wanted - head.capacity : sizeof(RrsetHead) + capacity;
        const Offset fresh = allocate(grow);
        if (fresh == 0) {
            return 0;
        }
        if (!last) {
            std::memcpy(arena_.get() + fresh, arena_.get() + rrset, sizeof(RrsetHead) + head.size);
            relink(node, rrset, fresh);
            rrset = fresh;
        }
        head.capacity = static_cast<std::uint16_t>(capacity);
    }
    std::uint8_t* const to = arena_.get() + rrset + sizeof(RrsetHead) + head.size;
    to[0] = static_cast<std::uint8_t>(rdata.size() >> 8);
    to[1] = static_cast<std::uint8_t>(rdata.size());
    std::copy(rdata.begin(), rdata.end(), to + 2);
    head.size = static_cast<std::uint16_t>(wanted);
    ++head.count;
    save(rrset, head);
    return rrset;
}

/// Makes whoever pointed at `from` among the RRsets of a node point at `to`.
void ZoneStore::relink(Offset node, Offset from, Offset to) noexcept {
    auto owner_head = load<NodeHead>(node);
    if (owner_head.first_rrset == from) {
        owner_head.first_rrset = to;
        save(node, owner_head);
        return;
    }
    Offset at = owner_head.first_rrset;
    auto head = load<RrsetHead>(at);
    while (head.next != from) {
        at = head.next;
        head = load<RrsetHead>(at);
    }
    head.next = to;
    save(at, head);
}

Offset ZoneStore::allocate(std::size_t octets) {
    const std::size_t at = size_ == 0 ? kStart : size_;
    if (octets > kMaxOctets - at) {
        return 0;
    }
    if (at + octets > capacity_) {
        resize_arena(std::min(kMaxOctets, std::max({kFirstOctets, capacity_ + capacity_ / 2,  //
                                                    at + octets})));
    }
    size_ = at + octets;
    return static_cast<Offset>(at);
}

void ZoneStore::resize_arena(std::size_t capacity) {
    void* const moved = std::realloc(arena_.get(), capacity);
    if (moved == nullptr) {
        throw std::bad_alloc();
    }
    static_cast<void>(arena_.release());  // realloc owns it already
    arena_.reset(static_cast<std::uint8_t*>(moved));
    capacity_ = capacity;
}

void ZoneStore::insert(Slot slot) noexcept {
    std::size_t i = slot_of(slot.hash);
    while (slots_[i].node != 0) {
        i = i + 1 == slot_count_ ? 0 : i + 1;
    }
    slots_[i] = slot;
}

void ZoneStore::resize_table(std::size_t slots) {
    void* const fresh = std::calloc(slots, sizeof(Slot));
    if (fresh == nullptr) {
        throw std::bad_alloc();
    }
    const auto old = std::move(slots_);
    const auto old_count = slot_count_;
    slots_.reset(static_cast<Slot*>(fresh));
    slot_count_ = slots;
    for (std::size_t i = 0; i < old_count; ++i) {
        if (old[i].node != 0) {
            insert(old[i]);
        }
    }
}

void ZoneStore::shrink() {
    if (size_ > 0 && size_ < capacity_) {
        resize_arena(size_);
    }
    const std::size_t enough = nodes_ * 3 / 2 + 1;
    if (slot_count_ > enough * 2) {
        resize_table(enough);
    }
    base::use_large_pages(arena_.get(), size_);
    base::use_large_pages(slots_.get(), slot_count_ * sizeof(Slot));
}

}  // namespace steerd::zones
