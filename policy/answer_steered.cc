// What routes say: the client, its class, the decision, and what becomes of it in a response.
// product.md §4.1 (client), §4.3 (a CNAME answers every type), §4.7 (TTL of NODATA when all are
// down), §4.9 (scope 0 for negative answers). RFC 7871 §7.1.2, §7.2.1. Thread rule: as
// answer_walk.h.
#include <algorithm>

#include "policy/answer_trace.h"
#include "policy/answer_walk.h"

namespace steerd::policy {

using config::index;
using dns::RrType;
using dns::Section;
using zones::Finding;
using zones::FindingKind;

namespace {

/// Nearly all answers; more room costs time to clear.
constexpr std::size_t kFewAddresses = 8;

/// Whether an answer was found for this family; for ANY the other one is tried.
bool positive(const Decision& decision) noexcept {
    return decision.kind == DecisionKind::Addresses || decision.kind == DecisionKind::Cname;
}

}  // namespace

base::IpPrefix AnswerWalk::client() const noexcept {
    if (query_.edns && query_.edns->subnet && query_.edns->subnet->prefix.length() > 0) {
        return query_.edns->subnet->prefix;
    }
    return {request_.client, base::bits_of(request_.client.family())};
}

/// Decides; the first decision of an answer is the outcome's.
const Decision& AnswerWalk::consult(SteeredId steered, Ask ask) noexcept {
    const Tree& tree = plan_.trees[index(plan_.steered[index(steered)].tree)];
    Client who;
    step_scope_ = 0;
    if (tree.view != kNone) {
        const base::IpPrefix prefix = client();
        const ClassHit hit = plan_.views[tree.view]->lookup_given(prefix);
        who = {hit.id, hash_key(prefix)};
        step_scope_ = hit.scope;
    }
    const DecideInput input{.plan = plan_,
                            .health = health_,
                            .steered = steered,
                            .client = who,
                            .ask = ask,
                            .draw = request_.draw,
                            .now = request_.now.mono};
    Decision& decision = outcome_.steered == kNone ? outcome_.decision : later_;
    decide_into(input, decision);
    if (trace_ != nullptr && (ask != Ask::Other || decision.kind != DecisionKind::NotCname)) {
        trace_decision(input, decision, *trace_);
    }
    return decision;
}

AnswerWalk::Next AnswerWalk::steered_step(const Finding& finding, bool first) noexcept {
    const std::uint32_t zone = outcome_.zone;
    const auto steered = static_cast<SteeredId>(plan_.zones[zone].first_steered + finding.steer);
    const bool steers = finding.kind == FindingKind::Steered;
    if (!steers && !plan_.trees[index(plan_.steered[index(steered)].tree)].has_cname) {
        return static_step(finding, first);
    }
    const Ask ask = !steers ? Ask::Other : query_.qtype == RrType::AAAA ? Ask::Aaaa : Ask::A;
    const Decision& decision = consult(steered, ask);
    const bool try_other = query_.qtype == RrType::ANY && steers && !decision.fail_open;
    if (try_other && !positive(decision)) {
        forget_decision();
        (void)consult(steered, Ask::Aaaa);  // in the same place
    }
    if (decision.kind == DecisionKind::NotCname) {
        return static_step(finding, first);
    }
    note("steered");
    conclude(AnswerKind::Steered);
    if (outcome_.steered == kNone) {
        outcome_.steered = static_cast<std::uint32_t>(index(steered));
        outcome_.ttl_s = decision.ttl_s;
    }
    const dns::Ttl ttl(decision.ttl_s);
    switch (decision.kind) {
        case DecisionKind::Addresses:
            scope_ = std::max(scope_, step_scope_);
            add_slots(decision);
            return Next::Done;
        case DecisionKind::Cname: {
            scope_ = std::max(scope_, step_scope_);
            const dns::Name& target = plan_.endpoints[index(decision.endpoints[0])].target;
            writer_.add_cname(Section::Answer, current_, ttl, target);
            return follow(target);
        }
        case DecisionKind::NoData:
            negative(*finding.zone, decision.fail_open ? ttl : finding.zone->negative_ttl(),
                     AnswerKind::NoData);
            return Next::Done;
        case DecisionKind::ServFail:
            writer_.set_authoritative(false);
            outcome_.rcode = dns::Rcode::ServFail;
            return Next::Done;
        case DecisionKind::NotCname:
            break;
    }
    return Next::Done;
}

template <std::size_t N>
void AnswerWalk::add_up_to(const Decision& decision) noexcept {
    std::array<base::IpAddress, N> addresses;
    std::size_t count = 0;
    const bool several = decision.endpoint_count > 1;
    for (std::size_t i = 0; i < decision.slot_count; ++i) {
        const base::IpAddress& address = plan_.slots[index(decision.slots[i])].address;
        const auto end = addresses.begin() + count;
        // Two endpoints may share an address; an RRset has it once (RFC 2181 §5).
        if (!several || std::find(addresses.begin(), end, address) == end) {
            addresses[count++] = address;
        }
    }
    writer_.add_addresses(Section::Answer, current_, dns::Ttl(decision.ttl_s),
                          std::span(addresses).first(count));
}

void AnswerWalk::add_slots(const Decision& decision) noexcept {
    if (decision.slot_count <= kFewAddresses) {
        add_up_to<kFewAddresses>(decision);
    } else {
        add_up_to<kMaxEndpointAddresses>(decision);
    }
}

/// The other family is decided instead: explain shows that one alone.
void AnswerWalk::forget_decision() noexcept {
    if (trace_ != nullptr) {
        trace_->endpoints.clear();
        trace_->steps.clear();
        trace_->route.clear();
    }
}

void AnswerWalk::note_client() noexcept {
    if (trace_ != nullptr) {
        trace_client(plan_, client(), *trace_);
        trace_->from_ecs =
            query_.edns && query_.edns->subnet && query_.edns->subnet->prefix.length() > 0;
    }
}

}  // namespace steerd::policy
