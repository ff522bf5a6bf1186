// What an asker will want to know next, where the same zone knows it: the addresses of the servers
// that NS, MX, SRV, SVCB and HTTPS records name, and the SVCB or HTTPS records that an alias names.
// RFC 1035 §3.3.9, §3.3.11, RFC 2782, RFC 3596 §3, RFC 9460 §4.1; for NS of the root RFC 9609 §4.2.
// What does not fit is left out, without TC. Deliberately nothing that routes decide: a client
// subnet's scope speaks of the answer section alone (RFC 7871 §7.2.1), so that what depends on the
// client has no place here; and nothing from other zones, CNAMEs or wildcards, and nothing for ANY
// (RFC 8482: as little as there is).
// Thread rule: as answer_walk.h.
#include <algorithm>

#include "policy/answer_walk.h"

namespace steerd::policy {

using dns::RrType;
using dns::Section;
using zones::Finding;

namespace {

/// More servers than this are found by asking.
constexpr std::size_t kMostTargets = 16;

/// The octets before the name in rdata; nullopt for types that ask for nothing more.
std::optional<std::size_t> target_at(RrType type) noexcept {
    switch (type) {
        case RrType::NS:
            return 0;
        case RrType::MX:
        case RrType::SVCB:
        case RrType::HTTPS:
            return 2;
        case RrType::SRV:
            return 6;
        default:
            return std::nullopt;
    }
}

bool is_service_binding(RrType type) noexcept {
    return type == RrType::SVCB || type == RrType::HTTPS;
}

}  // namespace

/// What the zone itself would say of the target, wherever that is one RRset of a name that is
/// there: nothing occluded, steered or made from a wildcard.
void AnswerWalk::add_additional_of(const Finding& finding, dns::NameView target) noexcept {
    const zones::Zone& zone = *finding.zone;
    const bool binding = is_service_binding(finding.rrset.type);
    const bool itself = binding && target.is_root();  // RFC 9460 §2.5.2: "." is the owner
    if (!itself && !target.is_at_or_below(zone.apex())) {
        return;
    }
    const dns::SplitName name = itself ? split_ : dns::SplitName(target);
    const auto add = [&](RrType type) {
        const Finding found = zone.lookup(name, type);
        if (found.kind == zones::FindingKind::Records && found.steer == zones::kNotSteered &&
            (itself || !found.wildcard)) {
            writer_.add(Section::Additional, itself ? current_ : target, found.rrset.ttl,
                        found.rrset);
        }
    };
    add(RrType::A);
    add(RrType::AAAA);
    if (binding && !itself && target != current_) {
        add(finding.rrset.type);
    }
}

void AnswerWalk::add_additional(const Finding& finding) noexcept {
    const auto skipped = target_at(finding.rrset.type);
    if (!skipped || query_.qtype == RrType::ANY || writer_.truncated()) {
        return;
    }
    std::array<Followed, kMostTargets> seen;  // an RRset stands in a message once
    std::size_t count = 0;
    dns::for_each_rdata(finding.rrset, [&](auto rdata) {
        if (count == kMostTargets || rdata.size() <= *skipped) {
            return;
        }
        const auto target = dns::NameView::parse_wire(rdata.subspan(*skipped));
        if (!target) {
            return;
        }
        const auto end = seen.begin() + count;
        if (std::any_of(seen.begin(), end, [&](const Followed& other) {
                return dns::NameView(std::span(other.octets, other.size)) == *target;
            })) {
            return;
        }
        seen[count++] = {target->octets().data(), target->size()};
        add_additional_of(finding, *target);
    });
}

}  // namespace steerd::policy
