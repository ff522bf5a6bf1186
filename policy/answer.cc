// The door: parse, the limits of transport and class, then AnswerWalk. See answer.h.
// RFC 1035 §4.1, RFC 6891 §6.2.3 (sizes), RFC 4892 (id.server), RFC 8482 by way of the walk.
// Deliberately no zone transfer, no update, no recursion. Thread rule: any thread.
#include "policy/answer.h"

#include <algorithm>

#include "policy/answer_common.h"
#include "policy/answer_walk.h"
#include "policy/trace.h"

namespace steerd::policy {
namespace {

constexpr std::size_t kMaxCharacterString = 255;
constexpr std::uint8_t kIdServer[] = {2, 'i', 'd', 6, 's', 'e', 'r', 'v', 'e', 'r', 0};
constexpr std::uint8_t kHostnameBind[] = {8,   'h', 'o', 's', 't', 'n', 'a', 'm',
                                          'e', 4,   'b', 'i', 'n', 'd', 0};

std::size_t limit_of(const Request& request, const dns::Query& query) noexcept {
    if (request.transport == Transport::Tcp) {
        return kMaxTcpAnswer;
    }
    const std::size_t announced = query.edns ? query.edns->udp_size : dns::kMinUdpSize;
    return std::clamp(announced, dns::kMinUdpSize, kMaxUdpAnswer);
}

std::span<const std::uint8_t> octets_of(const std::string& text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Which server is this? RFC 4892. Everything else of this class is refused, versions included.
void answer_chaos(const Plan& plan, const dns::Query& query, dns::ResponseWriter& writer,
                  Outcome& outcome) noexcept {
    const bool asked =
        query.qname == dns::NameView(kIdServer) || query.qname == dns::NameView(kHostnameBind);
    const bool text = query.qtype == dns::RrType::TXT || query.qtype == dns::RrType::ANY;
    if (!asked || !text || plan.identity.empty()) {
        outcome.kind = AnswerKind::Refused;
        outcome.rcode = dns::Rcode::Refused;
        return;
    }
    std::array<std::uint8_t, 3 + kMaxCharacterString> record{};
    const std::size_t size = std::min(plan.identity.size(), kMaxCharacterString);
    record[1] = static_cast<std::uint8_t>(size + 1);
    record[0] = static_cast<std::uint8_t>((size + 1) >> 8);
    record[2] = static_cast<std::uint8_t>(size);
    std::copy_n(octets_of(plan.identity).begin(), size, record.begin() + 3);
    dns::RrsetView rrset;
    rrset.type = dns::RrType::TXT;
    rrset.count = 1;
    rrset.records = std::span(record).first(3 + size);
    writer.set_authoritative(true);
    writer.add(dns::Section::Answer, query.qname, dns::Ttl(0), rrset);
    outcome.kind = AnswerKind::Chaos;
}

AnswerKind kind_of_refusal(dns::Rcode rcode) noexcept {
    return rcode == dns::Rcode::NotImp ? AnswerKind::NotImplemented : AnswerKind::Malformed;
}

}  // namespace

Outcome answer(const Snapshot& snapshot, const Request& request, std::span<std::uint8_t> out,
               Trace* trace) noexcept {
    Outcome outcome;
    if (trace == nullptr && answer_common(snapshot, request, out, outcome)) {
        return outcome;
    }
    const dns::ParsedQuery parsed = dns::parse_query(request.query);
    if (parsed.verdict == dns::QueryVerdict::Drop) {
        return outcome;
    }
    const dns::Query& query = parsed.query;
    dns::ResponseWriter writer(out, limit_of(request, query), query);
    writer.set_announced_size(kMaxUdpAnswer);
    writer.set_identity(octets_of(snapshot.plan->identity));
    if (parsed.verdict == dns::QueryVerdict::Reply) {
        outcome.kind = kind_of_refusal(parsed.rcode);
        outcome.rcode = parsed.rcode;
    } else if (query.qclass == dns::RrClass::IN || query.qclass == dns::RrClass::ANY) {
        AnswerWalk walk(snapshot, request, query, writer, outcome);
        walk.set_trace(trace);
        walk.run();
    } else if (query.qclass == dns::RrClass::CH) {
        answer_chaos(*snapshot.plan, query, writer, outcome);
    } else {
        outcome.kind = AnswerKind::Refused;
        outcome.rcode = dns::Rcode::Refused;
    }
    writer.set_rcode(outcome.rcode);
    outcome.truncated = writer.truncated();
    outcome.size = writer.finish();
    return outcome;
}

static_assert(noexcept(answer(std::declval<const Snapshot&>(), std::declval<const Request&>(),
                              std::declval<std::span<std::uint8_t>>())));

}  // namespace steerd::policy
