// Records one by one to an immutable Zone, and what may not stand beside what: RFC 1034 §3.6.2 and
// RFC 2181 §10.1 (CNAME alone, but for RRSIG and NSEC, RFC 4035 §2.5), RFC 2181 §5 (one TTL for an
// RRset, duplicates are one record), RFC 6672 §2.3, §2.4 (DNAME), RFC 4592 §4.2, §4.4 (no NS or
// DNAME at a wildcard).
// Deliberately reads no text: master_file.cc does, and a transfer or an update could as well.
// Thread rule: one thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "zones/report.h"
#include "zones/steered_owner.h"
#include "zones/zone.h"

namespace steerd::zones {

/// A place in one of the files of a zone, small enough to keep with each RRset.
struct TextPos {
    std::uint16_t file = 0;  // as add_file() said
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

struct Record {
    dns::NameView owner;
    dns::RrType type{};
    dns::Ttl ttl;
    std::span<const std::uint8_t> rdata;  // valid, names uncompressed, at most 65,535 octets
    TextPos at;
};

class ZoneBuilder {
  public:
    /// `report` must outlive the builder.
    ZoneBuilder(const dns::Name& apex, std::uint64_t seed, Report& report);

    /// Names a file for messages; the first one is the zone's. At most 65,536.
    std::uint16_t add_file(std::string name);
    [[nodiscard]] base::SourcePos source_pos(const TextPos& at) const;

    /// One record of class IN. What is wrong with it goes to the report. REQUIRES: the owner is at
    /// or below the apex, and a file was added.
    void add(const Record& record);

    /// A record of this type was there but could not be read: finish() need not miss it.
    void note_mistake(dns::RrType type) { mistaken_.insert(static_cast<std::uint16_t>(type)); }

    /// The zone with its steered names, or nullptr where the report has errors. The builder is
    /// spent afterwards.
    [[nodiscard]] std::shared_ptr<const Zone> finish(std::span<const SteeredOwner> steered);

  private:
    [[nodiscard]] Offset ensure_node(dns::NameView name);
    [[nodiscard]] bool may_stand_there(Offset node, const Record& record);
    [[nodiscard]] bool may_stand_beside(Offset node, const RrsetHead& other, const Record& record);
    [[nodiscard]] bool is_duplicate(Offset node, Offset rrset, const Record& record);
    void add_to_rrset(Offset node, const Record& record);
    void merge_ttl(Offset rrset, const Record& record);
    void mark_occluded();
    void tell_unreachable(std::vector<Offset> nodes);
    void place_steered(std::span<const SteeredOwner> steered);
    [[nodiscard]] std::string place_of(const RrsetHead& head) const;
    void too_large(const Record& record, const char* what);

    Report* report_;
    ZoneStore store_;
    dns::Name apex_;
    Offset apex_node_ = 0;
    Offset last_node_ = 0;    // the owner of most records is that of the record before
    Offset last_parent_ = 0;  // and its parent that of the name before
    bool redirects_ = false;  // the zone has a cut or a DNAME
    std::size_t records_ = 0;
    std::vector<std::string> files_;
    std::unordered_set<std::uint16_t> mistaken_;
    /// Hashes of the records of large RRsets, by node and type, to find duplicates.
    std::unordered_map<std::uint64_t, std::unordered_set<std::size_t>> large_;
};

}  // namespace steerd::zones
