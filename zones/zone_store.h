// What a zone is made of in memory: one run of octets (the arena) that holds nodes and RRsets
// behind each other in the order in which they were read, and one flat table from hashed names to
// nodes. Why so: a record exists once and costs no heap object, so that a million names fit in some
// 90 MiB and load in about a second; a probe of the table touches one cache line, and an RRset lies
// right behind its node, the way a response needs it (dns/rrset.h). Deliberately knows no rule of
// DNS but that names form a tree: meaning is zone.cc and zone_builder.cc. Empty non-terminals are
// real nodes (RFC 4592 §2.2.2). Thread rule: one writer while it is built, then immutable and read
// by any thread.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include "dns/name.h"
#include "dns/name_octets.h"
#include "dns/rrset.h"

namespace steerd::zones {

inline constexpr std::uint32_t kNotSteered = 0xFFFFFFFF;

/// Where a node or an RRset begins in the arena; 0 is nothing.
using Offset = std::uint32_t;

enum NodeFlag : std::uint8_t {
    kCut = 1,          // has NS and is not the apex
    kHasDname = 2,     // has DNAME
    kOccluded = 4,     // stands below a cut or a DNAME
    kHasWildcard = 8,  // has a child "*"
};

/// Heads of what stands in the arena; the owner's octets follow the node, the records the RRset.
struct NodeHead {
    Offset first_rrset = 0;
    Offset parent = 0;
    std::uint32_t steer = kNotSteered;
    std::uint8_t flags = 0;
    std::uint8_t labels = 0;
    std::uint8_t owner_size = 0;
    std::uint8_t rrsets = 0;
};

struct RrsetHead {
    Offset next = 0;
    std::uint32_t ttl_s = 0;
    std::uint32_t line = 0;  // of the first record, for messages
    std::uint16_t file = 0;
    std::uint16_t type = 0;
    std::uint16_t count = 0;
    std::uint16_t size = 0;      // octets of records
    std::uint16_t capacity = 0;  // octets set aside for records
};

class ZoneStore {
  public:
    explicit ZoneStore(std::uint64_t seed) noexcept : seed_(seed) {}

    [[nodiscard]] NodeHead node(Offset at) const noexcept { return load<NodeHead>(at); }

    [[nodiscard]] RrsetHead rrset(Offset at) const noexcept { return load<RrsetHead>(at); }

    [[nodiscard]] dns::NameView owner(Offset node) const noexcept {
        const std::uint8_t* const octets = arena_.get() + node + sizeof(NodeHead);
        return dns::NameView(std::span(octets, load<NodeHead>(node).owner_size));
    }

    /// REQUIRES: `head` is that of the RRset.
    [[nodiscard]] std::span<const std::uint8_t> records(Offset rrset,
                                                        const RrsetHead& head) const noexcept {
        return {arena_.get() + rrset + sizeof(RrsetHead), head.size};
    }

    [[nodiscard]] dns::RrsetView view(Offset node, Offset rrset) const noexcept;

    /// The node of exactly this name, or 0.
    [[nodiscard]] Offset find(dns::NameView name) const noexcept {
        return find(name.octets().data(), name.size());
    }

    /// The same of a name's octets. In the header, as find_rrset(): every query comes here.
    [[nodiscard]] Offset find(const std::uint8_t* name, std::size_t size) const noexcept {
        if (slot_count_ == 0) {
            return 0;
        }
        const auto hash = static_cast<std::uint32_t>(dns::hash_octets(name, size, seed_) >> 32);
        const Slot* const slots = slots_.get();
        for (std::size_t i = slot_of(hash);; i = i + 1 == slot_count_ ? 0 : i + 1) {
            const Slot slot = slots[i];
            if (slot.node == 0) {
                return 0;
            }
            const std::uint8_t* const head = arena_.get() + slot.node;
            if (slot.hash == hash && load<NodeHead>(slot.node).owner_size == size &&
                dns::equal_ignoring_case(head + sizeof(NodeHead), name, size)) {
                return slot.node;
            }
        }
    }

    /// The RRset of this type at the node, or 0.
    [[nodiscard]] Offset find_rrset(Offset node, dns::RrType type) const noexcept {
        Offset at = load<NodeHead>(node).first_rrset;
        while (at != 0 && load<RrsetHead>(at).type != static_cast<std::uint16_t>(type)) {
            at = load<RrsetHead>(at).next;
        }
        return at;
    }

    /// Reading ahead (zone_set.h): fetches where the search for a name begins; its hash.
    [[nodiscard]] std::uint32_t fetch_slot(dns::NameView name) const noexcept;
    /// Fetches the node that a name with this hash has; false when there is none.
    bool fetch_node(std::uint32_t hash) const noexcept;

    [[nodiscard]] std::size_t nodes() const noexcept { return nodes_; }

    [[nodiscard]] std::size_t octets() const noexcept {
        return capacity_ + slot_count_ * sizeof(Slot);
    }

    /// Calls fn(Offset) for each node, in no order.
    template <typename Fn>
    void for_each_node(Fn&& fn) const {
        for (std::size_t i = 0; i < slot_count_; ++i) {
            if (slots_[i].node != 0) {
                fn(slots_[i].node);
            }
        }
    }

    // Writing; 0 or false where the arena would pass 4 GiB. Throws std::bad_alloc.

    /// A node that is not there yet. REQUIRES: find(owner) == 0.
    Offset add_node(dns::NameView owner, Offset parent);
    /// An RRset without records as the node's last.
    Offset add_rrset(Offset node, const RrsetHead& head);
    /// One record more; where it does not fit behind the others the RRset moves, and its new place
    /// is returned. REQUIRES: the RRset stays within 65,535 octets.
    Offset add_record(Offset node, Offset rrset, std::span<const std::uint8_t> rdata);

    void set(Offset at, const NodeHead& head) noexcept { save(at, head); }

    void set(Offset at, const RrsetHead& head) noexcept { save(at, head); }

    /// Gives back what was set aside. Nothing can be added afterwards without growing again.
    void shrink();

  private:
    /// `hash` orders the table, so it can be grown without reading a name.
    struct Slot {
        std::uint32_t hash = 0;
        Offset node = 0;
    };

    struct Free {
        void operator()(void* memory) const noexcept { std::free(memory); }
    };

    template <typename T>
    [[nodiscard]] T load(Offset at) const noexcept {
        T value;
        std::memcpy(&value, arena_.get() + at, sizeof(T));
        return value;
    }

    template <typename T>
    void save(Offset at, const T& value) noexcept {
        std::memcpy(arena_.get() + at, &value, sizeof(T));
    }

    [[nodiscard]] std::size_t slot_of(std::uint32_t hash) const noexcept {
        return static_cast<std::size_t>((static_cast<std::uint64_t>(hash) * slot_count_) >> 32);
    }

    [[nodiscard]] Offset allocate(std::size_t octets);
    void resize_arena(std::size_t capacity);
    void insert(Slot slot) noexcept;
    void resize_table(std::size_t slots);
    void relink(Offset node, Offset from, Offset to) noexcept;

    std::unique_ptr<std::uint8_t[], Free> arena_;  // malloc: realloc moves pages, not octets
    std::unique_ptr<Slot[], Free> slots_;          // calloc: pages come when touched
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    std::size_t slot_count_ = 0;
    std::size_t nodes_ = 0;
    std::uint64_t seed_;
};

}  // namespace steerd::zones
