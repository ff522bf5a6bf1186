// What zones say, step by step: each lookup gives a Finding, each Finding becomes records, and a
// CNAME or DNAME leads to the next name while it stays in the zone. RFC 1034 §4.3.2, RFC 2308 §3
// (negative answers), RFC 6604 (RCODE of the last name), RFC 6672 (DNAME), RFC 8482 §4.1 (one RRset
// for ANY), RFC 9471 (glue). Nothing that was not asked for stands in the authority section.
// Thread rule: as answer_walk.h.
#include <algorithm>

#include "policy/answer_walk.h"
#include "policy/trace.h"

namespace steerd::policy {

using dns::RrType;
using dns::Section;
using zones::Finding;
using zones::FindingKind;

namespace {

constexpr auto kMailB = static_cast<RrType>(253);
constexpr auto kMailA = static_cast<RrType>(254);

/// The first name in the first record of an RRset.
dns::NameView target_of(const dns::RrsetView& rrset) noexcept {
    dns::NameView target;
    dns::for_each_rdata(rrset, [&](auto rdata) { target = dns::NameView(rdata); });
    return target;
}

}  // namespace

void AnswerWalk::note(const char* finding) noexcept {
    if (trace_ != nullptr && trace_->finding.empty()) {
        trace_->finding = finding;
    }
}

void AnswerWalk::conclude(AnswerKind kind) noexcept {
    const bool decided = outcome_.kind == AnswerKind::Steered || outcome_.kind == AnswerKind::Any;
    if (!decided) {
        outcome_.kind = kind;
    }
}

/// Questions that are no questions to a zone.
bool AnswerWalk::is_meta(dns::Rcode& rcode) const noexcept {
    const RrType qtype = query_.qtype;
    if (qtype == RrType::AXFR || qtype == RrType::IXFR) {  // RFC 5936 §2.2.1: of a zone alone
        const bool ours = plan_.zone_set.find_exact(current_) != nullptr;
        rcode = ours ? dns::Rcode::Refused : dns::Rcode::NotAuth;
    } else if (qtype == RrType::OPT || qtype == RrType::TSIG) {
        rcode = dns::Rcode::FormErr;
    } else if (qtype == RrType::TKEY || qtype == kMailA || qtype == kMailB) {
        rcode = dns::Rcode::NotImp;
    } else {
        return false;
    }
    return true;
}

void AnswerWalk::run() noexcept {
    note_client();
    if (is_meta(outcome_.rcode)) {
        outcome_.kind = outcome_.rcode == dns::Rcode::FormErr  ? AnswerKind::Malformed
                        : outcome_.rcode == dns::Rcode::NotImp ? AnswerKind::NotImplemented
                                                               : AnswerKind::Refused;
        return;
    }
    const zones::ZoneSlot* const slot = plan_.zone_set.find_for(split_, query_.qtype);
    if (slot == nullptr) {
        note("refused");
        outcome_.kind = AnswerKind::Refused;
        outcome_.rcode = dns::Rcode::Refused;
        return;
    }
    outcome_.zone = static_cast<std::uint32_t>(slot - plan_.zone_set.slots().data());
    if (trace_ != nullptr) {
        trace_->zone = slot->apex.to_text();
    }
    if (slot->zone == nullptr) {
        note("unavailable");
        outcome_.kind = AnswerKind::Unavailable;
        outcome_.rcode = dns::Rcode::ServFail;
        return;
    }
    writer_.set_authoritative(true);
    if (query_.qtype == RrType::ANY) {
        outcome_.kind = AnswerKind::Any;
    }
    followed_[followed_count_++] = {current_.octets().data(), current_.size()};
    for (bool first = true; step(*slot->zone, first) == Next::Follow; first = false) {
    }
    const bool opted_out =
        query_.edns && query_.edns->subnet && query_.edns->subnet->prefix.length() == 0;
    if (opted_out) {
        scope_ = 0;  // RFC 7871 §7.1.2: nothing about the client may be told by the answer
    }
    writer_.set_ecs_scope(static_cast<std::uint8_t>(scope_));
    if (trace_ != nullptr) {
        trace_->scope = scope_;
        trace_->ttl_s = trace_->route.empty() ? outcome_.ttl_s : trace_->ttl_s;
    }
}

/// Whether the name stands outside the zone, or in a zone of its own below it: the asker goes on
/// from there.
bool AnswerWalk::leaves(const zones::Zone& zone) const noexcept {
    return !current_.is_at_or_below(zone.apex()) ||
           plan_.zone_set.find_for(split_, query_.qtype) != &plan_.zone_set.slots()[outcome_.zone];
}

AnswerWalk::Next AnswerWalk::step(const zones::Zone& zone, bool first) noexcept {
    if (!first && leaves(zone)) {
        return Next::Done;
    }
    const Finding finding = zone.lookup(split_, query_.qtype);
    if (finding.steer != zones::kNotSteered && finding.kind != FindingKind::Delegation) {
        return steered_step(finding, first);
    }
    return static_step(finding, first);
}

AnswerWalk::Next AnswerWalk::follow(dns::NameView target) noexcept {
    if (query_.qtype == RrType::CNAME || query_.qtype == RrType::ANY) {
        return Next::Done;  // the CNAME itself was asked for
    }
    return follow_to(target);
}

AnswerWalk::Next AnswerWalk::follow_to(dns::NameView target) noexcept {
    for (unsigned i = 0; i < followed_count_; ++i) {
        if (dns::NameView(std::span(followed_[i].octets, followed_[i].size)) == target) {
            return Next::Done;  // a loop: the records are in the answer already
        }
    }
    if (followed_count_ == kMaxChain) {
        return Next::Done;
    }
    followed_[followed_count_++] = {target.octets().data(), target.size()};
    current_ = target;
    split_.assign(target);
    return Next::Follow;
}

AnswerWalk::Next AnswerWalk::static_step(const Finding& finding, bool first) noexcept {
    if (first && finding.rrset.count != 0) {
        outcome_.source = finding.rrset.records.data();
    }
    switch (finding.kind) {
        case FindingKind::Records:
            note("records");
            writer_.add(Section::Answer, current_, finding.rrset.ttl, finding.rrset);
            conclude(AnswerKind::Static);
            outcome_.ttl_s = first ? finding.rrset.ttl.seconds() : outcome_.ttl_s;
            add_additional(finding);
            return Next::Done;
        case FindingKind::Cname:
            note("cname");
            writer_.add(Section::Answer, current_, finding.rrset.ttl, finding.rrset);
            conclude(AnswerKind::Static);
            outcome_.ttl_s = first ? finding.rrset.ttl.seconds() : outcome_.ttl_s;
            return follow(target_of(finding.rrset));
        case FindingKind::Dname:
            note("dname");
            return dname(finding);
        case FindingKind::Delegation:
            note("delegation");
            refer(finding, first);
            return Next::Done;
        case FindingKind::Steered:  // answered by steered_step()
        case FindingKind::NoData:
            note("nodata");
            negative(*finding.zone, finding.zone->negative_ttl(), AnswerKind::NoData);
            return Next::Done;
        case FindingKind::NxDomain:
            note("nxdomain");
            outcome_.rcode = dns::Rcode::NxDomain;
            negative(*finding.zone, finding.zone->negative_ttl(), AnswerKind::NxDomain);
            return Next::Done;
    }
    return Next::Done;
}

/// Whether it stands in the answer already: a DNAME that leads below itself is met again.
bool AnswerWalk::has_dname(const dns::RrsetView& rrset) const noexcept {
    const auto end = dnames_.begin() + synthesised_count_;
    return std::find(dnames_.begin(), end, rrset.records.data()) != end;
}

AnswerWalk::Next AnswerWalk::dname(const Finding& finding) noexcept {
    if (!has_dname(finding.rrset)) {
        writer_.add(Section::Answer, finding.rrset);
    }
    conclude(AnswerKind::Static);
    const auto next =
        dns::Name::substitute(current_, finding.rrset.owner, target_of(finding.rrset));
    if (!next) {
        outcome_.rcode = dns::Rcode::YxDomain;  // RFC 6672 §2.2
        return Next::Done;
    }
    if (synthesised_count_ == kMaxChain) {
        return Next::Done;
    }
    dnames_[synthesised_count_] = finding.rrset.records.data();
    auto& room = synthesised_[synthesised_count_++];
    const auto octets = next->view().octets();
    std::copy(octets.begin(), octets.end(), room.begin());
    const dns::NameView kept{std::span(room).first(octets.size())};
    writer_.add_cname(Section::Answer, current_, finding.rrset.ttl, kept);
    return follow(kept);
}

void AnswerWalk::refer(const Finding& finding, bool first) noexcept {
    if (first) {
        writer_.set_authoritative(false);
    }
    conclude(AnswerKind::Referral);
    if (!writer_.add(Section::Authority, finding.rrset)) {
        return;
    }
    // Names below the cut cannot be found without their glue; behind an answer it is a courtesy.
    add_glue(finding, true, first);
    add_glue(finding, false, false);
}

void AnswerWalk::add_glue(const Finding& finding, bool in_domain, bool required) noexcept {
    dns::for_each_rdata(finding.rrset, [&](auto rdata) {
        const dns::NameView server(rdata);
        if (server.is_at_or_below(finding.rrset.owner) != in_domain) {
            return;
        }
        for (const RrType type : {RrType::A, RrType::AAAA}) {
            dns::RrsetView glue;
            if (finding.zone->glue(server, type, glue)) {
                writer_.add(Section::Additional, glue, required);
            }
        }
    });
}

void AnswerWalk::negative(const zones::Zone& zone, dns::Ttl ttl, AnswerKind kind) noexcept {
    conclude(kind);
    outcome_.ttl_s = ttl.seconds();
    writer_.add(Section::Authority, zone.apex(), ttl, zone.soa());
}

}  // namespace steerd::policy
