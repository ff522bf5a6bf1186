// See answer_options.h. Extended errors stand beside the RCODEs that people ask about: REFUSED,
// SERVFAIL and NOTIMP; FORMERR and BADVERS say it themselves. Thread rule: as answer_options.h.
#include "policy/answer_options.h"

#include "dns/edns.h"
#include "dns/wire.h"

namespace steerd::policy {
namespace {

using dns::InfoCode;

template <std::size_t N>
constexpr std::array<std::uint8_t, 2 + N - 1> error_octets(InfoCode code, const char (&text)[N]) {
    std::array<std::uint8_t, 2 + N - 1> octets{};
    dns::store_u16(octets.data(), static_cast<std::uint16_t>(code));
    for (std::size_t i = 0; i + 1 < N; ++i) {
        octets[2 + i] = static_cast<std::uint8_t>(text[i]);
    }
    return octets;
}

constexpr auto kNotOurs = error_octets(InfoCode::NotAuthoritative, "no zone of ours");
constexpr auto kNoTransfer = error_octets(InfoCode::Prohibited, "no transfers");
constexpr auto kNotSupported = error_octets(InfoCode::NotSupported, "");
constexpr auto kBadZone = error_octets(InfoCode::InvalidData, "the zone could not be loaded");
constexpr auto kAllDown = error_octets(InfoCode::Other, "no endpoint is available");

/// Empty: nothing to add.
std::span<const std::uint8_t> reason_of(const dns::Query& query, const Outcome& outcome) noexcept {
    switch (outcome.rcode) {
        case dns::Rcode::Refused:
            return query.qtype == dns::RrType::AXFR || query.qtype == dns::RrType::IXFR
                       ? std::span<const std::uint8_t>(kNoTransfer)
                       : kNotOurs;
        case dns::Rcode::NotAuth:
            return query.signature ? std::span<const std::uint8_t>() : kNotOurs;
        case dns::Rcode::ServFail:
            return outcome.kind == AnswerKind::Unavailable ? std::span<const std::uint8_t>(kBadZone)
                                                           : kAllDown;
        case dns::Rcode::NotImp:
            return kNotSupported;
        case dns::Rcode::NoError:
        case dns::Rcode::FormErr:
        case dns::Rcode::NxDomain:
        case dns::Rcode::YxDomain:
        case dns::Rcode::BadVers:
        case dns::Rcode::BadCookie:
            break;
    }
    return {};
}

}  // namespace

void AnswerOptions::begin(const Plan& plan, const Request& request, Outcome& outcome) noexcept {
    if (!query_.edns) {
        return;
    }
    writer_.set_identity(
        {reinterpret_cast<const std::uint8_t*>(plan.identity.data()), plan.identity.size()});
    if (!query_.edns->cookie.empty()) {
        cookie_ =
            dns::judge_cookie(plan.cookies, query_.edns->cookie, request.client, request.now.wall);
        outcome.cookie = cookie_.state;
        if (cookie_.state != dns::CookieState::None) {
            writer_.add_option(dns::OptionCode::Cookie, cookie_.octets);
        }
    }
    if (query_.edns->tcp_keepalive && request.idle_100ms &&
        request.transport == Transport::Tcp) {  // over UDP it is ignored, RFC 7828 §3.2.1
        dns::store_u16(idle_.data(), *request.idle_100ms);
        writer_.add_option(dns::OptionCode::TcpKeepalive, idle_);
    }
}

void AnswerOptions::explain(const Outcome& outcome) noexcept {
    const auto reason = reason_of(query_, outcome);
    if (!reason.empty()) {
        writer_.add_option(dns::OptionCode::ExtendedError, reason);
    }
}

}  // namespace steerd::policy
