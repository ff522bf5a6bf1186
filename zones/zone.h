// One zone, compiled and immutable: what stands at a name, and what the zone says about a name that
// is not there. RFC 1034 §4.3.2 (steps 3a to 3c), RFC 4592 (wildcards, empty non-terminals), RFC
// 6672 (DNAME), RFC 4035 §3.1.4.1 (DS at the parent's side of a cut). Deliberately follows no CNAME
// and no DNAME, adds no glue and knows no health: the answer function does, with what a Finding
// tells. A zone lives behind shared_ptr<const Zone>, so that a reload replaces one zone and queries
// under way keep theirs. Thread rule: immutable, any thread; lookups allocate nothing and never
// throw.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fetch.h"
#include "dns/rrset.h"
#include "dns/split_name.h"
#include "dns/types.h"
#include "zones/negative_soa.h"
#include "zones/zone_store.h"

namespace steerd::zones {

class Zone;

/// One name of a zone, to ask further. A default one stands for no name. Valid as long as its zone.
class NodeRef {
  public:
    NodeRef() = default;

    NodeRef(const ZoneStore* store, Offset at) noexcept
        : store_(at == 0 ? nullptr : store), at_(at) {}

    explicit operator bool() const noexcept { return store_ != nullptr; }

    // All below REQUIRE a name.

    [[nodiscard]] dns::NameView owner() const noexcept { return store_->owner(at_); }

    /// The RRset of this type; false when there is none.
    [[nodiscard]] bool find(dns::RrType type, dns::RrsetView& out) const noexcept;

    [[nodiscard]] bool has(dns::RrType type) const noexcept {
        return store_->find_rrset(at_, type) != 0;
    }

    /// No RRset of its own: an empty non-terminal, or a name that is only steered.
    [[nodiscard]] bool empty() const noexcept { return store_->node(at_).first_rrset == 0; }

    [[nodiscard]] std::uint32_t steer() const noexcept { return store_->node(at_).steer; }

    /// fn(const dns::RrsetView&) for each RRset, in the order of the file.
    template <typename Fn>
    void for_each_rrset(Fn&& fn) const {
        for (Offset at = store_->node(at_).first_rrset; at != 0; at = store_->rrset(at).next) {
            fn(store_->view(at_, at));
        }
    }

  private:
    const ZoneStore* store_ = nullptr;
    Offset at_ = 0;
};

enum class FindingKind : std::uint8_t {
    Records,     // `rrset` answers; for ANY it is the first one of the name
    Steered,     // A, AAAA (or ANY where nothing else stands there) at a steered name
    Cname,       // `rrset` is the CNAME at the name
    Dname,       // `rrset` is a DNAME above the name
    Delegation,  // `rrset` is the NS at the zone cut
    NoData,      // the name exists, also as an empty non-terminal
    NxDomain,
};

struct Finding {
    FindingKind kind = FindingKind::NxDomain;
    /// The answer comes from "*" below the closest encloser; its owner is then the qname.
    bool wildcard = false;
    /// Set for every kind whose node is steered: a CNAME member may answer any type.
    std::uint32_t steer = kNotSteered;
    const Zone* zone = nullptr;
    /// The longest existing name at or above the qname.
    dns::NameView closest_encloser;
    dns::RrsetView rrset;
    /// The node that matched (with `wildcard` the "*" one); none for NxDomain.
    NodeRef node;
};

/// What stands at a name, or at the wildcard that covers it, where nothing else has to be looked
/// at.
struct Plain {
    enum class Kind : std::uint8_t {
        Other,     // look it up as usual
        Records,   // of the type
        Steered,   // no records of the type, but a route for it
        NoData,    // no records of the type and no CNAME
        NxDomain,  // no such name
    };
    Kind kind = Kind::Other;
    std::uint16_t count = 0;
    std::uint32_t ttl_s = 0;
    /// Of every kind but NxDomain: a CNAME member may answer any type.
    std::uint32_t steer = kNotSteered;
    std::span<const std::uint8_t> records;  // as in dns::RrsetView
};

class Zone {
  public:
    /// For the builder. REQUIRES: `store` has a node for `apex` with an SOA and NS.
    Zone(ZoneStore store, dns::NameView apex, std::string file, std::size_t records);

    [[nodiscard]] dns::NameView apex() const noexcept { return store_.owner(apex_); }

    [[nodiscard]] const NegativeSoa& negative_soa() const noexcept { return negative_soa_; }

    [[nodiscard]] dns::RrsetView soa() const noexcept { return store_.view(apex_, soa_); }

    /// min(SOA TTL, SOA minimum) (RFC 2308 §5).
    [[nodiscard]] dns::Ttl negative_ttl() const noexcept { return negative_ttl_; }

    [[nodiscard]] std::uint32_t serial() const noexcept { return serial_; }

    [[nodiscard]] const std::string& file() const noexcept { return file_; }

    [[nodiscard]] std::size_t record_count() const noexcept { return records_; }

    /// Empty non-terminals and steered names included.
    [[nodiscard]] std::size_t name_count() const noexcept { return store_.nodes(); }

    [[nodiscard]] std::size_t memory_octets() const noexcept { return store_.octets(); }

    /// REQUIRES: qname is at or below the apex.
    [[nodiscard]] Finding lookup(const dns::SplitName& qname, dns::RrType qtype) const noexcept;

    [[nodiscard]] Finding lookup(dns::NameView qname, dns::RrType qtype) const noexcept {
        return lookup(dns::SplitName(qname), qtype);
    }

    /// The short way for the most common questions; agrees with lookup() where it is not Other.
    /// REQUIRES: as lookup(); qtype is neither ANY nor DS.
    [[nodiscard]] Plain lookup_plain(const dns::SplitName& qname, dns::RrType qtype) const noexcept;
    /// The RRset at exactly this name, also where a zone cut occludes it: addresses for the
    /// additional section (RFC 9471). False when there is none; `out` is then untouched.
    [[nodiscard]] bool glue(dns::NameView target, dns::RrType type,
                            dns::RrsetView& out) const noexcept;

    /// Exactly this name, whatever stands above it.
    [[nodiscard]] NodeRef find(dns::NameView name) const noexcept {
        return {&store_, store_.find(name)};
    }

    /// Reading ahead (zone_set.h): fetches what says where names stand.
    void fetch_head() const noexcept {
        base::fetch(&store_);
        base::fetch(&apex_);
    }

    /// Below this class everything is octets; for the checks of the load plane.
    [[nodiscard]] const ZoneStore& store() const noexcept { return store_; }

    /// Every name in canonical order (RFC 4034 §6.1). Allocates and sorts: not for packets.
    [[nodiscard]] std::vector<NodeRef> canonical_nodes() const;

  private:
    [[nodiscard]] Offset closest_encloser(const dns::SplitName& qname) const noexcept;
    /// The highest cut or DNAME at or above `from`; 0 when there is none.
    [[nodiscard]] Offset highest_redirect(Offset from) const noexcept;
    void answer_from(Offset node, dns::RrType qtype, Finding& out) const noexcept;
    [[nodiscard]] Offset wildcard_for(const dns::SplitName& qname, Plain& out) const noexcept;

    ZoneStore store_;
    Offset apex_;
    Offset soa_;
    dns::Ttl negative_ttl_;
    NegativeSoa negative_soa_;
    std::uint32_t serial_ = 0;
    std::size_t records_;
    std::string file_;
};

}  // namespace steerd::zones
