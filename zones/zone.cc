// What a zone says about a name. The exact node is tried first, since most questions have one; only
// where it is missing is the closest encloser sought, from the apex down, so that a storm of random
// deep names costs no more than the zone is deep. Whether anything above redirects is one bit of
// the node (kOccluded), computed when the zone was built.
// RFC 1034 §4.3.2, RFC 4592 §3.3 (the source of synthesis is "*" at the closest encloser and
// nothing else), RFC 6672 §2.2 (a DNAME redirects below itself, not itself), RFC 4035 §3.1.4.1.
// Thread rule: see zone.h.
#include "zones/zone.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace steerd::zones {

namespace {

constexpr std::uint8_t kRedirects = kCut | kHasDname;
constexpr std::uint8_t kStar[1] = {'*'};

std::uint32_t read32(std::span<const std::uint8_t> octets, std::size_t at) noexcept {
    return static_cast<std::uint32_t>(octets[at]) << 24 |
           static_cast<std::uint32_t>(octets[at + 1]) << 16 |
           static_cast<std::uint32_t>(octets[at + 2]) << 8 | octets[at + 3];
}

}  // namespace

bool NodeRef::find(dns::RrType type, dns::RrsetView& out) const noexcept {
    const Offset at = store_->find_rrset(at_, type);
    if (at != 0) {
        out = store_->view(at_, at);
    }
    return at != 0;
}

Zone::Zone(ZoneStore store, dns::NameView apex, std::string file, std::size_t records)
    : store_(std::move(store)),
      apex_(store_.find(apex)),
      soa_(store_.find_rrset(apex_, dns::RrType::SOA)),
      records_(records),
      file_(std::move(file)) {
    if (soa_ == 0) {
        return;
    }
    const auto rrset = soa();
    // Serial, refresh, retry, expire, minimum: the last 20 octets, behind the two names.
    const auto numbers = rrset.records.last(20);
    serial_ = read32(numbers, 0);
    negative_ttl_ = std::min(rrset.ttl, dns::Ttl(read32(numbers, 16)));
    negative_soa_ = NegativeSoa(rrset, negative_ttl_);
}

Finding Zone::lookup(const dns::SplitName& qname, dns::RrType qtype) const noexcept {
    Finding out;
    out.zone = this;
    const Offset exact = store_.find(qname.view());
    const Offset encloser = exact != 0 ? exact : closest_encloser(qname);
    const auto head = store_.node(encloser);
    Offset redirect = 0;
    if (exact == 0) {
        redirect = (head.flags & (kOccluded | kRedirects)) != 0 ? highest_redirect(encloser) : 0;
    } else if ((head.flags & kOccluded) != 0) {
        redirect = highest_redirect(head.parent);
    } else if ((head.flags & kCut) != 0 && qtype != dns::RrType::DS) {
        redirect = exact;  // DS stands on this side of the cut
    }
    if (redirect != 0) {
        const bool cut = (store_.node(redirect).flags & kCut) != 0;
        const auto type = cut ? dns::RrType::NS : dns::RrType::DNAME;
        out.kind = cut ? FindingKind::Delegation : FindingKind::Dname;
        out.closest_encloser = store_.owner(redirect);
        out.rrset = store_.view(redirect, store_.find_rrset(redirect, type));
        out.node = NodeRef(&store_, redirect);
        return out;
    }
    out.closest_encloser = store_.owner(encloser);
    if (exact != 0) {
        answer_from(exact, qtype, out);
        return out;
    }
    if ((head.flags & kHasWildcard) != 0) {
        if (const auto source = dns::Name::join(kStar, out.closest_encloser)) {
            out.wildcard = true;
            answer_from(store_.find(*source), qtype, out);
            return out;
        }
    }
    out.kind = FindingKind::NxDomain;
    return out;
}

Plain Zone::lookup_plain(const dns::SplitName& qname, dns::RrType qtype) const noexcept {
    Plain out;
    const auto name = qname.view().octets();
    Offset node = store_.find(name.data(), name.size());
    if (node == 0) {
        node = wildcard_for(qname, out);
        if (node == 0) {
            return out;
        }
    }
    const auto head = store_.node(node);
    if ((head.flags & (kOccluded | kCut)) != 0) {
        return out;
    }
    out.steer = head.steer;
    bool alias = false;
    for (Offset at = head.first_rrset; at != 0;) {
        const auto rrset = store_.rrset(at);
        if (rrset.type == static_cast<std::uint16_t>(qtype)) {
            out.kind = Plain::Kind::Records;
            out.count = rrset.count;
            out.ttl_s = rrset.ttl_s;
            out.records = store_.records(at, rrset);
            return out;
        }
        alias = alias || rrset.type == static_cast<std::uint16_t>(dns::RrType::CNAME);
        at = rrset.next;
    }
    if (!alias) {
        const bool address = qtype == dns::RrType::A || qtype == dns::RrType::AAAA;
        const bool steered = address && head.steer != kNotSteered;
        out.kind = steered ? Plain::Kind::Steered : Plain::Kind::NoData;
    }
    return out;
}

/// For a name that is not there: the "*" that stands for it; 0: `out` says the rest. Apart, so that
/// what is asked most stays in one piece.
[[gnu::noinline]] Offset Zone::wildcard_for(const dns::SplitName& qname,
                                            Plain& out) const noexcept {
    const Offset encloser = closest_encloser(qname);
    const auto head = store_.node(encloser);
    if ((head.flags & (kOccluded | kRedirects)) != 0) {
        return 0;
    }
    if ((head.flags & kHasWildcard) == 0) {
        out.kind = Plain::Kind::NxDomain;
        return 0;
    }
    std::array<std::uint8_t, dns::kMaxNameSize> star;  // NOLINT: filled as far as it is read
    const auto octets = store_.owner(encloser).octets();
    const std::size_t size = octets.size() + 2;
    if (size > star.size()) {
        return 0;
    }
    star[0] = 1;
    star[1] = '*';
    std::memcpy(star.data() + 2, octets.data(), octets.size());
    return store_.find(star.data(), size);
}

Offset Zone::closest_encloser(const dns::SplitName& qname) const noexcept {
    const std::size_t labels = qname.label_count();
    Offset at = apex_;
    for (std::size_t n = store_.node(apex_).labels + 1U; n < labels; ++n) {
        const Offset next = store_.find(qname.suffix(n));
        if (next == 0) {
            break;  // every ancestor of a node is a node, so nothing longer exists
        }
        at = next;
    }
    return at;
}

Offset Zone::highest_redirect(Offset from) const noexcept {
    Offset highest = 0;
    for (Offset at = from; at != 0;) {
        const auto head = store_.node(at);
        if ((head.flags & kRedirects) != 0) {
            highest = at;
        }
        at = head.parent;
    }
    return highest;
}

void Zone::answer_from(Offset node, dns::RrType qtype, Finding& out) const noexcept {
    const auto head = store_.node(node);
    out.node = NodeRef(&store_, node);
    out.steer = head.steer;
    const bool steered = head.steer != kNotSteered;
    if (qtype == dns::RrType::ANY) {
        if (head.first_rrset != 0) {
            out.kind = FindingKind::Records;
            out.rrset = store_.view(node, head.first_rrset);
        } else {
            out.kind = steered ? FindingKind::Steered : FindingKind::NoData;
        }
        return;
    }
    if (const Offset at = store_.find_rrset(node, qtype); at != 0) {
        out.kind = FindingKind::Records;
        out.rrset = store_.view(node, at);
    } else if (const Offset alias = store_.find_rrset(node, dns::RrType::CNAME); alias != 0) {
        out.kind = FindingKind::Cname;
        out.rrset = store_.view(node, alias);
    } else {
        const bool address = qtype == dns::RrType::A || qtype == dns::RrType::AAAA;
        out.kind = steered && address ? FindingKind::Steered : FindingKind::NoData;
    }
}

bool Zone::glue(dns::NameView target, dns::RrType type, dns::RrsetView& out) const noexcept {
    const Offset node = store_.find(target);
    return node != 0 && NodeRef(&store_, node).find(type, out);
}

std::vector<NodeRef> Zone::canonical_nodes() const {
    std::vector<NodeRef> nodes;
    nodes.reserve(store_.nodes());
    store_.for_each_node([&](Offset at) { nodes.emplace_back(&store_, at); });
    std::sort(nodes.begin(), nodes.end(),
              [](const NodeRef& a, const NodeRef& b) { return a.owner() < b.owner(); });
    return nodes;
}

}  // namespace steerd::zones
