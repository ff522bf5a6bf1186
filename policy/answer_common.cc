// See answer_common.h: reading the question, and what zones say. What routes say is
// answer_ready.cc. Thread rule: as answer.h.
#include "policy/answer_common.h"

#include "dns/edns.h"
#include "policy/asked.h"
#include "zones/zone.h"

namespace steerd::policy {
namespace {

using config::index;
using dns::load_u16;
using dns::RrType;
using zones::Plain;

constexpr std::uint8_t kNotAQuery = 0xF8;  // QR and opcode

/// Types whose rdata holds no name, be it to be compressed or to be looked up for the additional
/// section, and that mean nothing of their own.
bool is_plain(RrType type) noexcept {
    return type == RrType::A || type == RrType::AAAA || type == RrType::TXT;
}

/// Types that a name may lack without meaning anything else: neither a question about the message
/// nor one that is answered from above a cut. Those that are not plain are answered only so.
bool may_be_missing(RrType type) noexcept {
    constexpr unsigned kLastOfData = 127;  // RFC 6895 §3.1: from here on, questions about messages
    const auto number = static_cast<unsigned>(type);
    return number <= kLastOfData && number != 0 && type != RrType::OPT && type != RrType::DS;
}

/// A client subnet of IPv4, as dns::parse_client_subnet() takes it; the other family is left to it.
bool read_subnet(const std::uint8_t* value, std::size_t size, Asked& asked) noexcept {
    constexpr std::size_t kHead = 4;
    constexpr std::uint8_t kFamilyV4 = 1;
    if (size < kHead) {
        return false;
    }
    const unsigned length = value[2];
    asked.subnet_length = value[2];
    if (value[0] != 0 || value[1] != kFamilyV4) {
        asked.subnet = Asked::Subnet::V6;
        return dns::parse_client_subnet({value, size}).has_value();
    }
    if (value[3] != 0 || length > 32 || size != kHead + (length + 7) / 8) {
        return false;
    }
    std::uint32_t address = 0;
    for (std::size_t i = kHead; i < size; ++i) {
        address |= std::uint32_t{value[i]} << (56 - 8 * i);
    }
    const auto behind = static_cast<std::uint32_t>(std::uint64_t{0xFFFFFFFF} >> length);
    asked.subnet = Asked::Subnet::V4;
    asked.subnet_address = address;
    return (address & behind) == 0;
}

bool read_options(const std::uint8_t* at, std::size_t left, Asked& asked) noexcept {
    while (left != 0) {
        if (left < kOptionHead) {
            return false;
        }
        const auto code = static_cast<dns::OptionCode>(load_u16(at));
        const std::size_t size = kOptionHead + load_u16(at + 2);
        if (left < size) {
            return false;
        }
        if (code == dns::OptionCode::ClientSubnet && asked.option_size == 0) {
            if (!read_subnet(at + kOptionHead, size - kOptionHead, asked)) {
                return false;
            }
            asked.option = at;
            asked.option_size = size;
        } else if (code == dns::OptionCode::Cookie && asked.cookie_size == 0 &&
                   (size == kOptionHead + dns::kClientCookie ||
                    size == kOptionHead + dns::kFullCookie)) {
            asked.cookie = at + kOptionHead;
            asked.cookie_size = static_cast<std::uint8_t>(size - kOptionHead);
        } else {
            return false;
        }
        at += size;
        left -= size;
    }
    return true;
}

/// The OPT, alone behind the question.
bool read_opt(const std::uint8_t* p, std::size_t size, Asked& asked) noexcept {
    if (size < kOptHead || p[0] != 0 ||
        load_u16(p + 1) != static_cast<std::uint16_t>(RrType::OPT) || p[6] != 0 ||
        size - kOptHead != load_u16(p + 9)) {
        return false;
    }
    asked.edns = true;
    asked.udp_size = load_u16(p + 3);
    asked.dnssec_ok = (p[7] & 0x80) != 0;
    return size == kOptHead || read_options(p + kOptHead, size - kOptHead, asked);
}

bool read(std::span<const std::uint8_t> packet, Asked& asked) noexcept {
    const std::uint8_t* const p = packet.data();
    if (packet.size() < dns::kHeaderSize || (p[2] & kNotAQuery) != 0) {
        return false;
    }
    constexpr std::uint8_t kCounts[7] = {0, 1, 0, 0, 0, 0, 0};  // one question, at most an OPT
    if (std::memcmp(p + 4, kCounts, sizeof kCounts) != 0 || p[11] > 1) {
        return false;
    }
    const std::size_t size =
        asked.name.read({p + dns::kHeaderSize, packet.size() - dns::kHeaderSize});
    const std::size_t end = dns::kHeaderSize + size + 4;
    if (size < 2 || packet.size() < end) {  // the root cannot be pointed to
        return false;
    }
    asked.qtype = static_cast<RrType>(load_u16(p + end - 4));
    asked.question_size = size + 4;
    if (load_u16(p + end - 2) != static_cast<std::uint16_t>(dns::RrClass::IN) ||
        !may_be_missing(asked.qtype)) {
        return false;
    }
    return p[11] == 0 ? packet.size() == end : read_opt(p + end, packet.size() - end, asked);
}

bool answer_records(const Request& request, const Asked& asked, const Plain& found,
                    std::uint8_t* out, Outcome& outcome) noexcept {
    const std::size_t size = found.count * kRecordHead + found.records.size();
    if (!is_plain(asked.qtype) || size > room_for(request, asked)) {
        return false;
    }
    std::uint8_t* to = put_head(request, asked, found.count, 0, out);
    const std::uint8_t* from = found.records.data();
    for (unsigned i = 0; i < found.count; ++i) {
        to = put_record_head(asked, found.ttl_s, to);
        const std::size_t record = 2U + load_u16(from);
        if (record == 6) {  // one address, nearly always
            std::memcpy(to, from, 6);
        } else {
            std::memcpy(to, from, record);
        }
        to += record;
        from += record;
    }
    outcome.size = static_cast<std::size_t>(put_opt(asked, 0, to) - out);
    outcome.kind = AnswerKind::Static;
    outcome.ttl_s = found.ttl_s;
    outcome.source = found.records.data();
    return true;
}

/// The SOA says for how long the name or type is not there (RFC 2308 §3); never a scope
/// (product.md §4.9).
bool answer_negative(const Request& request, const Asked& asked, const zones::Zone& zone,
                     bool missing, std::uint8_t* out, Outcome& outcome) noexcept {
    const zones::NegativeSoa& soa = zone.negative_soa();
    if (!soa.fits(asked.name) || soa.size() > room_for(request, asked)) {
        return false;
    }
    std::uint8_t* const to = put_head(request, asked, 0, 1, out);
    soa.write(dns::kHeaderSize + asked.question_size - 4, to);
    outcome.size = static_cast<std::size_t>(put_opt(asked, 0, to + soa.size()) - out);
    outcome.rcode = missing ? dns::Rcode::NxDomain : dns::Rcode::NoError;
    out[3] = static_cast<std::uint8_t>(outcome.rcode);
    outcome.kind = missing ? AnswerKind::NxDomain : AnswerKind::NoData;
    outcome.ttl_s = zone.negative_ttl().seconds();
    return true;
}

/// A CNAME member of the route may answer any type.
bool may_be_cname(const Plan& plan, std::uint32_t zone, const Plain& found) noexcept {
    if (found.steer == zones::kNotSteered) {
        return false;
    }
    const SteeredName& name = plan.steered[plan.zones[zone].first_steered + found.steer];
    return plan.trees[index(name.tree)].has_cname;
}

/// Behind the OPT's other options. Apart, so that answers without one do not pay for its room.
/// REQUIRES: there is one, and secrets.
[[gnu::noinline]] void put_cookie(const Plan& plan, const Request& request, const Asked& asked,
                                  std::uint8_t* out, Outcome& outcome) noexcept {
    const auto cookie = dns::judge_cookie(plan.cookies, {asked.cookie, asked.cookie_size},
                                          request.client, request.now.wall);
    std::uint8_t* const to = out + outcome.size;
    dns::store_u16(to, static_cast<std::uint16_t>(dns::OptionCode::Cookie));
    dns::store_u16(to + 2, dns::kFullCookie);
    std::memcpy(to + kOptionHead, cookie.octets.data(), dns::kFullCookie);
    outcome.size += kOptionHead + dns::kFullCookie;
    outcome.cookie = cookie.state;
}

}  // namespace

bool answer_common(const Snapshot& snapshot, const Request& request, std::span<std::uint8_t> out,
                   Outcome& outcome) noexcept {
    Asked asked;
    if (!read(request.query, asked)) {
        return false;
    }
    const Plan& plan = *snapshot.plan;
    if (asked.cookie_size != 0 && plan.cookies.count != 0) {
        asked.cookie_room = kOptionHead + dns::kFullCookie;
    }
    const zones::ZoneSlot* const slot = plan.zone_set.find(asked.name);
    if (slot == nullptr || slot->zone == nullptr) {
        return false;
    }
    const zones::Zone& zone = *slot->zone;
    const Plain found = zone.lookup_plain(asked.name, asked.qtype);
    const auto number = static_cast<std::uint32_t>(slot - plan.zone_set.slots().data());
    outcome.zone = number;
    bool answered = false;
    switch (found.kind) {
        case Plain::Kind::Records:
            answered = !may_be_cname(plan, number, found) &&
                       answer_records(request, asked, found, out.data(), outcome);
            break;
        case Plain::Kind::Steered:
            outcome.steered = plan.zones[number].first_steered + found.steer;
            answered = answer_ready(snapshot, request, asked, out.data(), outcome);
            break;
        case Plain::Kind::NoData:
        case Plain::Kind::NxDomain:
            answered = !may_be_cname(plan, number, found) &&
                       answer_negative(request, asked, zone, found.kind == Plain::Kind::NxDomain,
                                       out.data(), outcome);
            break;
        case Plain::Kind::Other:
            break;
    }
    if (!answered) {
        outcome.zone = kNone;
        outcome.steered = kNone;
    } else if (asked.cookie_room != 0) {
        put_cookie(plan, request, asked, out.data(), outcome);
    }
    return answered;
}

}  // namespace steerd::policy
