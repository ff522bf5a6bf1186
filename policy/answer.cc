// The door: parse, the limits of transport and class, then AnswerWalk. See answer.h.
// RFC 1035 §4.1, RFC 6891 §6.2.3 (sizes), RFC 4892 (class CH), RFC 8482 by way of the walk.
// Deliberately no zone transfer, no update, no recursion. Thread rule: any thread.
#include "policy/answer.h"

#include <algorithm>

#include "policy/answer_common.h"
#include "policy/answer_options.h"
#include "policy/answer_walk.h"
#include "policy/trace.h"

namespace steerd::policy {
namespace {

constexpr std::size_t kMaxCharacterString = 255;
constexpr std::uint8_t kIdServer[] = {2, 'i', 'd', 6, 's', 'e', 'r', 'v', 'e', 'r', 0};
constexpr std::uint8_t kHostnameBind[] = {8,   'h', 'o', 's', 't', 'n', 'a', 'm',
                                          'e', 4,   'b', 'i', 'n', 'd', 0};
constexpr std::uint8_t kVersionBind[] = {7,   'v', 'e', 'r', 's', 'i', 'o',
                                         'n', 4,   'b', 'i', 'n', 'd', 0};
constexpr std::uint8_t kVersionServer[] = {7, 'v', 'e', 'r', 's', 'i', 'o', 'n',
                                           6, 's', 'e', 'r', 'v', 'e', 'r', 0};

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

/// What is told at a name of class CH; empty: nothing.
std::span<const std::uint8_t> chaos_text(const Plan& plan, dns::NameView qname) noexcept {
    if (qname == dns::NameView(kIdServer) || qname == dns::NameView(kHostnameBind)) {
        return octets_of(plan.identity);
    }
    if (qname == dns::NameView(kVersionBind) || qname == dns::NameView(kVersionServer)) {
        return octets_of(plan.version);
    }
    return {};
}

/// Which server is this, and what runs there? RFC 4892. Told where it is configured alone.
void answer_chaos(const Plan& plan, const dns::Query& query, dns::ResponseWriter& writer,
                  Outcome& outcome) noexcept {
    const auto text = chaos_text(plan, query.qname);
    const bool asked = query.qtype == dns::RrType::TXT || query.qtype == dns::RrType::ANY;
    if (!asked || text.empty()) {
        outcome.kind = AnswerKind::Refused;
        outcome.rcode = dns::Rcode::Refused;
        return;
    }
    std::array<std::uint8_t, 3 + kMaxCharacterString> record{};
    const std::size_t size = std::min(text.size(), kMaxCharacterString);
    record[1] = static_cast<std::uint8_t>(size + 1);
    record[0] = static_cast<std::uint8_t>((size + 1) >> 8);
    record[2] = static_cast<std::uint8_t>(size);
    std::copy_n(text.begin(), size, record.begin() + 3);
    dns::RrsetView rrset;
    rrset.type = dns::RrType::TXT;
    rrset.count = 1;
    rrset.records = std::span(record).first(3 + size);
    writer.set_authoritative(true);
    writer.add(dns::Section::Answer, query.qname, dns::Ttl(0), rrset);
    outcome.kind = AnswerKind::Chaos;
}

AnswerKind kind_of_reply(dns::Rcode rcode) noexcept {
    return rcode == dns::Rcode::NotImp    ? AnswerKind::NotImplemented
           : rcode == dns::Rcode::NotAuth ? AnswerKind::Refused  // signed with a key
           : rcode == dns::Rcode::NoError ? AnswerKind::CookieOnly
                                          : AnswerKind::Malformed;
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
    AnswerOptions options(query, writer);
    options.begin(*snapshot.plan, request, outcome);
    if (parsed.verdict == dns::QueryVerdict::Reply) {
        outcome.kind = kind_of_reply(parsed.rcode);
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
    options.explain(outcome);
    writer.set_rcode(outcome.rcode);
    outcome.truncated = writer.truncated();
    outcome.size = writer.finish();
    return outcome;
}

static_assert(noexcept(answer(std::declval<const Snapshot&>(), std::declval<const Request&>(),
                              std::declval<std::span<std::uint8_t>>())));

}  // namespace steerd::policy
