// Builds a zone record by record. Whether a record may stand where it stands is asked when it
// comes, so that the message has its line and column; what only the whole zone can tell (SOA and NS
// at the apex, occlusion, steered names) is asked in finish(). Thread rule: see zone_builder.h.
#include "zones/zone_builder.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "zones/steer_check.h"

namespace steerd::zones {

namespace {

using dns::RrType;

constexpr std::size_t kMaxRrset = 0xFFFF;   // octets: what no message can carry
constexpr unsigned kMaxRrsetsAtName = 255;  // keeps the chain of a node short
constexpr std::uint16_t kLargeRrset = 32;   // records; above, duplicates are found by hash

bool may_join_cname(RrType type) noexcept { return type == RrType::RRSIG || type == RrType::NSEC; }

/// Equality of rdata: names in it ignore case (RFC 4034 §6.2, RFC 2181 §5), the rest does not.
bool same_rdata(RrType type, std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
    if (a.size() != b.size()) {
        return false;
    }
    if (std::equal(a.begin(), a.end(), b.begin())) {
        return true;
    }
    const auto names = dns::names_in_rdata(type);
    if (names.names == 0 || a.size() < names.skip ||
        !std::equal(a.begin(), a.begin() + names.skip, b.begin())) {
        return false;
    }
    a = a.subspan(names.skip);
    b = b.subspan(names.skip);
    for (unsigned i = 0; i < names.names; ++i) {
        const auto x = dns::NameView::parse_wire(a);
        const auto y = dns::NameView::parse_wire(b);
        if (!x || !y || *x != *y) {
            return false;
        }
        a = a.subspan(x->size());
        b = b.subspan(y->size());
    }
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// Equal for rdata that same_rdata() finds equal.
std::size_t hash_rdata(std::span<const std::uint8_t> rdata) {
    std::string lowered(rdata.begin(), rdata.end());
    for (char& c : lowered) {
        c = static_cast<char>(dns::lower(static_cast<std::uint8_t>(c)));
    }
    return std::hash<std::string>{}(lowered);
}

std::uint64_t rrset_key(Offset node, RrType type) noexcept {
    return static_cast<std::uint64_t>(node) << 16 | static_cast<std::uint16_t>(type);
}

}  // namespace

ZoneBuilder::ZoneBuilder(const dns::Name& apex, std::uint64_t seed, Report& report)
    : report_(&report), store_(seed), apex_(apex) {
    apex_node_ = store_.add_node(apex_, 0);
    last_node_ = apex_node_;
    last_parent_ = apex_node_;
}

std::uint16_t ZoneBuilder::add_file(std::string name) {
    CHECK(files_.size() <= 0xFFFF);
    files_.push_back(std::move(name));
    return static_cast<std::uint16_t>(files_.size() - 1);
}

base::SourcePos ZoneBuilder::source_pos(const TextPos& at) const {
    return {files_[at.file], at.line, at.column};
}

std::string ZoneBuilder::place_of(const RrsetHead& head) const {
    return source_pos({head.file, head.line, 0}).text();
}

/// The node of a name, made where it is missing, with all names between it and the apex: empty
/// non-terminals exist (RFC 4592 §2.2.2). 0 when the zone is full.
Offset ZoneBuilder::ensure_node(dns::NameView name) {
    if (const Offset known = store_.find(name); known != 0) {
        return known;
    }
    const auto above = name.parent();
    Offset parent = last_parent_;
    if (store_.owner(parent) != above) {
        parent = ensure_node(above);
    }
    if (parent == 0) {
        return 0;
    }
    last_parent_ = parent;
    if (name.is_wildcard()) {
        auto head = store_.node(parent);
        head.flags |= kHasWildcard;
        store_.set(parent, head);
    }
    return store_.add_node(name, parent);
}

void ZoneBuilder::add(const Record& record) {
    CHECK(record.owner.is_at_or_below(apex_));
    const bool repeated = store_.owner(last_node_) == record.owner;
    const Offset node = repeated ? last_node_ : ensure_node(record.owner);
    if (node == 0) {
        too_large(record, "the zone is over 4 GiB");
        return;
    }
    last_node_ = node;
    if (may_stand_there(node, record)) {
        add_to_rrset(node, record);
    }
}

bool ZoneBuilder::may_stand_there(Offset node, const Record& record) {
    const auto type = record.type;
    if (type == RrType::SOA && node != apex_node_) {
        report_->error(source_pos(record.at), "SOA below the apex " + apex_.to_text());
        return false;
    }
    if (type == RrType::CNAME && node == apex_node_) {
        report_->error(source_pos(record.at), "CNAME at the apex, beside SOA and NS");
        return false;
    }
    if ((type == RrType::NS || type == RrType::DNAME) && record.owner.is_wildcard()) {
        report_->error(source_pos(record.at),
                       dns::to_text(type) + " at a wildcard has no defined meaning (RFC 4592)");
        return false;
    }
    for (Offset at = store_.node(node).first_rrset; at != 0;) {
        const auto other = store_.rrset(at);
        if (!may_stand_beside(node, other, record)) {
            return false;
        }
        at = other.next;
    }
    return true;
}

bool ZoneBuilder::may_stand_beside(Offset node, const RrsetHead& other, const Record& record) {
    const auto old_type = static_cast<RrType>(other.type);
    const auto type = record.type;
    if (old_type == type) {
        return true;  // one RRset: add_to_rrset() sees to it
    }
    const auto refuse = [&](std::string what) {
        report_->error(source_pos(record.at), std::move(what) + " at " + record.owner.to_text() +
                                                  " (see " + place_of(other) + ")");
        return false;
    };
    if (type == RrType::CNAME && !may_join_cname(old_type)) {
        return refuse("CNAME beside " + dns::to_text(old_type));
    }
    if (old_type == RrType::CNAME && !may_join_cname(type)) {
        return refuse(dns::to_text(type) + " beside CNAME");
    }
    const bool ns_and_dname = (type == RrType::NS && old_type == RrType::DNAME) ||
                              (type == RrType::DNAME && old_type == RrType::NS);
    if (ns_and_dname && node != apex_node_) {
        return refuse(dns::to_text(type) + " beside " + dns::to_text(old_type));
    }
    return true;
}

bool ZoneBuilder::is_duplicate(Offset node, Offset rrset, const Record& record) {
    const auto head = store_.rrset(rrset);
    const auto view = store_.view(node, rrset);
    if (head.count >= kLargeRrset) {
        auto& hashes = large_[rrset_key(node, record.type)];
        if (hashes.empty()) {
            dns::for_each_rdata(view, [&](auto rdata) { hashes.insert(hash_rdata(rdata)); });
        }
        if (hashes.insert(hash_rdata(record.rdata)).second) {
            return false;
        }
    }
    bool found = false;
    dns::for_each_rdata(
        view, [&](auto rdata) { found = found || same_rdata(record.type, rdata, record.rdata); });
    return found;
}

void ZoneBuilder::add_to_rrset(Offset node, const Record& record) {
    Offset rrset = store_.find_rrset(node, record.type);
    if (rrset != 0) {
        if (is_duplicate(node, rrset, record)) {
            report_->warning(source_pos(record.at),
                             "the same " + dns::to_text(record.type) + " record again; ignored");
            return;
        }
        if (record.type == RrType::SOA || record.type == RrType::CNAME ||
            record.type == RrType::DNAME) {
            report_->error(source_pos(record.at), "a second " + dns::to_text(record.type) + " at " +
                                                      record.owner.to_text() + " (the first: " +
                                                      place_of(store_.rrset(rrset)) + ")");
            return;
        }
        merge_ttl(rrset, record);
        if (store_.rrset(rrset).size + 2 + record.rdata.size() > kMaxRrset) {
            too_large(record, "an RRset over 65535 octets fits no message");
            return;
        }
    } else {
        auto head = store_.node(node);
        if (head.rrsets >= kMaxRrsetsAtName || record.rdata.size() + 2 > kMaxRrset) {
            too_large(record, head.rrsets >= kMaxRrsetsAtName
                                  ? "more than 255 types at one name"
                                  : "an RRset over 65535 octets fits no message");
            return;
        }
        const bool cut = record.type == RrType::NS && node != apex_node_;
        if (cut || record.type == RrType::DNAME) {
            head.flags |= cut ? kCut : kHasDname;
            store_.set(node, head);
            redirects_ = true;
        }
        RrsetHead fresh;
        fresh.ttl_s = record.ttl.seconds();
        fresh.line = record.at.line;
        fresh.file = record.at.file;
        fresh.type = static_cast<std::uint16_t>(record.type);
        rrset = store_.add_rrset(node, fresh);
    }
    if (rrset == 0 || store_.add_record(node, rrset, record.rdata) == 0) {
        too_large(record, "the zone is over 4 GiB");
        return;
    }
    ++records_;
}

/// One RRset has one TTL; of several the lowest (RFC 2181 §5.2). RRSIGs carry that of the RRset
/// they cover (RFC 4034 §3), so there it is no mistake.
void ZoneBuilder::merge_ttl(Offset rrset, const Record& record) {
    auto head = store_.rrset(rrset);
    if (head.ttl_s == record.ttl.seconds()) {
        return;
    }
    if (record.type != RrType::RRSIG) {
        report_->warning(source_pos(record.at), "TTL " + std::to_string(record.ttl.seconds()) +
                                                    " differs from " + std::to_string(head.ttl_s) +
                                                    " of the same RRset (" + place_of(head) +
                                                    "); the lower one is used");
    }
    head.ttl_s = std::min(head.ttl_s, record.ttl.seconds());
    store_.set(rrset, head);
}

void ZoneBuilder::too_large(const Record& record, const char* what) {
    report_->error(source_pos(record.at), what);
}

/// Marks what stands below a cut or a DNAME, where no answer comes from (RFC 2181 §6.1).
void ZoneBuilder::mark_occluded() {
    std::vector<Offset> unreachable;  // below a DNAME there is not even glue
    store_.for_each_node([&](Offset node) {
        auto head = store_.node(node);
        for (Offset at = head.parent; at != 0;) {
            const auto above = store_.node(at);
            if ((above.flags & (kCut | kHasDname)) != 0) {
                head.flags |= kOccluded;
                store_.set(node, head);
                if (head.first_rrset != 0 && (above.flags & kHasDname) != 0) {
                    unreachable.push_back(node);
                }
                return;
            }
            at = above.parent;
        }
    });
    tell_unreachable(std::move(unreachable));
}

void ZoneBuilder::tell_unreachable(std::vector<Offset> nodes) {
    std::sort(nodes.begin(), nodes.end());  // as they were read, whatever the hash
    for (const Offset node : nodes) {
        const auto first = store_.rrset(store_.node(node).first_rrset);
        report_->warning(
            source_pos({first.file, first.line, 0}),
            store_.owner(node).to_text() + " stands below a DNAME and is never answered");
    }
}

void ZoneBuilder::place_steered(std::span<const SteeredOwner> steered) {
    for (const auto& one : steered) {
        if (!one.owner.view().is_at_or_below(apex_)) {
            report_->error(one.at, "steered name " + one.owner.to_text() + " is outside the zone " +
                                       apex_.to_text());
            continue;
        }
        const Offset node = ensure_node(one.owner);
        if (node == 0) {
            report_->error(one.at, "the zone is over 4 GiB");
            continue;
        }
        auto head = store_.node(node);
        if (head.steer != kNotSteered) {
            report_->error(one.at, "steered name " + one.owner.to_text() + " is given twice");
            continue;
        }
        head.steer = one.index;
        store_.set(node, head);
    }
}

std::shared_ptr<const Zone> ZoneBuilder::finish(std::span<const SteeredOwner> steered) {
    CHECK(!files_.empty());
    if (!report_->full()) {
        for (const auto type : {RrType::SOA, RrType::NS}) {
            if (store_.find_rrset(apex_node_, type) == 0 &&
                !mistaken_.contains(static_cast<std::uint16_t>(type))) {
                report_->error({files_.front(), 0, 0},
                               "no " + dns::to_text(type) + " at the apex " + apex_.to_text());
            }
        }
    }
    place_steered(steered);
    if (redirects_) {
        mark_occluded();
    }
    store_.shrink();
    auto zone = std::make_shared<const Zone>(std::move(store_), apex_, files_.front(), records_);
    check_steered(*zone, steered, files_, *report_);
    return report_->has_errors() ? nullptr : zone;
}

}  // namespace steerd::zones
