// See turn_away.h. The query is read once more: this is rare, or an attack that pays for it with
// a query of its own each time. Thread rule: as answer.h.
#include "policy/turn_away.h"

#include "dns/cookie.h"
#include "dns/query.h"
#include "dns/response.h"

namespace steerd::policy {

void turn_away(const Snapshot& snapshot, const Request& request, std::span<std::uint8_t> out,
               Outcome& outcome) noexcept {
    constexpr std::uint8_t kAaBit = 0x04;
    const bool authoritative = (out[2] & kAaBit) != 0;
    const dns::ParsedQuery parsed = dns::parse_query(request.query);
    dns::ResponseWriter writer(out, dns::kMinUdpSize, parsed.query);
    writer.set_announced_size(kMaxUdpAnswer);
    dns::Cookie cookie;
    if (parsed.query.edns && !parsed.query.edns->cookie.empty()) {
        cookie = dns::judge_cookie(snapshot.plan->cookies, parsed.query.edns->cookie,
                                   request.client, request.now.wall);
    }
    if (cookie.state != dns::CookieState::None) {
        writer.add_option(dns::OptionCode::Cookie, cookie.octets);
    }
    if (cookie.state == dns::CookieState::Fresh || cookie.state == dns::CookieState::Bad) {
        outcome.rcode = dns::Rcode::BadCookie;
    } else {
        writer.truncate();
        writer.set_authoritative(authoritative);
    }
    writer.set_rcode(outcome.rcode);
    outcome.truncated = writer.truncated();
    outcome.steered = kNone;
    outcome.size = writer.finish();
}

static_assert(noexcept(turn_away(std::declval<const Snapshot&>(), std::declval<const Request&>(),
                                 std::declval<std::span<std::uint8_t>>(),
                                 std::declval<Outcome&>())));

}  // namespace steerd::policy
