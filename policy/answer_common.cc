// See answer_common.h. Octets are reached by pointers that were compared with the end before, so
// that nothing is checked twice. Thread rule: as answer.h.
#include "policy/answer_common.h"

#include <algorithm>
#include <cstring>

#include "dns/edns.h"
#include "dns/query.h"
#include "dns/split_name.h"
#include "dns/wire.h"
#include "policy/decide_resolve.h"
#include "policy/evaluate.h"
#include "policy/view.h"
#include "zones/zone.h"

namespace steerd::policy {
namespace {

using config::index;
using dns::load_u16;
using dns::RrType;
using dns::store_u16;
using dns::store_u32;
using zones::Plain;

constexpr std::size_t kOptHead = 11;
constexpr std::size_t kOptionHead = 4;
constexpr std::size_t kSubnetHead = 4;
constexpr std::size_t kRecordHead = 10;        // pointer, type, class, TTL
constexpr std::uint16_t kToQuestion = 0xC00C;  // pointer to the name in the question
constexpr std::uint8_t kRecursionDesired = 0x01;
constexpr std::uint8_t kNotAQuery = 0xF8;  // QR and opcode
constexpr std::size_t kScopeAt = 7;        // in a client subnet option

/// A question as this file takes it.
struct Asked {
    dns::SplitName name;
    RrType qtype{};
    std::size_t question_size = 0;
    bool edns = false;
    bool dnssec_ok = false;
    std::uint16_t udp_size = dns::kMinUdpSize;
    std::span<const std::uint8_t> subnet_option;  // with its head; empty: none
    base::IpPrefix subnet;
};

/// Types whose rdata holds no name that could be compressed, and that mean nothing of their own.
bool is_plain(RrType type) noexcept {
    return type == RrType::A || type == RrType::AAAA || type == RrType::TXT ||
           type == RrType::HTTPS || type == RrType::SRV;
}

bool read_options(std::span<const std::uint8_t> options, Asked& asked) noexcept {
    bool cookie_seen = false;
    while (!options.empty()) {
        if (options.size() < kOptionHead) {
            return false;
        }
        const auto code = static_cast<dns::OptionCode>(load_u16(options.data()));
        const std::size_t size = kOptionHead + load_u16(options.data() + 2);
        if (options.size() < size) {
            return false;
        }
        const auto value = options.subspan(kOptionHead, size - kOptionHead);
        if (code == dns::OptionCode::ClientSubnet && asked.subnet_option.empty()) {
            const auto subnet = dns::parse_client_subnet(value);
            if (!subnet) {
                return false;
            }
            asked.subnet = subnet->prefix;
            asked.subnet_option = options.first(size);
        } else if (code == dns::OptionCode::Cookie && !cookie_seen && value.size() == 8) {
            cookie_seen = true;  // a client's own half; servers' halves are rarer
        } else {
            return false;
        }
        options = options.subspan(size);
    }
    return true;
}

/// The OPT, alone behind the question.
bool read_opt(std::span<const std::uint8_t> rest, Asked& asked) noexcept {
    const std::uint8_t* const p = rest.data();
    if (rest.size() < kOptHead || p[0] != 0 ||
        load_u16(p + 1) != static_cast<std::uint16_t>(RrType::OPT) || p[6] != 0 ||
        rest.size() - kOptHead != load_u16(p + 9)) {
        return false;
    }
    asked.edns = true;
    asked.udp_size = load_u16(p + 3);
    asked.dnssec_ok = (p[7] & 0x80) != 0;
    return rest.size() == kOptHead || read_options(rest.subspan(kOptHead), asked);
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
    const std::size_t size = asked.name.read(packet.subspan(dns::kHeaderSize));
    const std::size_t end = dns::kHeaderSize + size + 4;
    if (size < 2 || packet.size() < end) {  // the root cannot be pointed to
        return false;
    }
    asked.qtype = static_cast<RrType>(load_u16(p + end - 4));
    asked.question_size = size + 4;
    if (load_u16(p + end - 2) != static_cast<std::uint16_t>(dns::RrClass::IN) ||
        !is_plain(asked.qtype)) {
        return false;
    }
    return p[11] == 0 ? packet.size() == end : read_opt(packet.subspan(end), asked);
}

std::size_t opt_size(const Asked& asked) noexcept {
    return asked.edns ? kOptHead + asked.subnet_option.size() : 0;
}

/// How much there is room for in records.
std::size_t room_for(const Request& request, const Asked& asked) noexcept {
    const std::size_t limit =
        request.transport == Transport::Tcp
            ? kMaxTcpAnswer
            : std::clamp<std::size_t>(asked.udp_size, dns::kMinUdpSize, kMaxUdpAnswer);
    return limit - dns::kHeaderSize - asked.question_size - opt_size(asked);
}

std::uint8_t* put_head(const Request& request, const Asked& asked, unsigned records,
                       std::uint8_t* to) noexcept {
    const std::uint8_t* const from = request.query.data();
    to[0] = from[0];
    to[1] = from[1];
    to[2] = static_cast<std::uint8_t>(0x84U | (from[2] & kRecursionDesired));  // QR, AA
    to[3] = 0;
    store_u16(to + 4, 1);
    store_u16(to + 6, static_cast<std::uint16_t>(records));
    store_u16(to + 8, 0);
    store_u16(to + 10, asked.edns ? 1 : 0);
    std::memcpy(to + dns::kHeaderSize, from + dns::kHeaderSize, asked.question_size);
    return to + dns::kHeaderSize + asked.question_size;
}

std::uint8_t* put_record_head(const Asked& asked, std::uint32_t ttl_s, std::uint8_t* to) noexcept {
    store_u16(to, kToQuestion);
    store_u16(to + 2, static_cast<std::uint16_t>(asked.qtype));
    store_u16(to + 4, static_cast<std::uint16_t>(dns::RrClass::IN));
    store_u32(to + 6, ttl_s);
    return to + kRecordHead;
}

std::uint8_t* put_opt(const Asked& asked, std::uint8_t scope, std::uint8_t* to) noexcept {
    if (!asked.edns) {
        return to;
    }
    const auto option = asked.subnet_option;
    to[0] = 0;
    store_u16(to + 1, static_cast<std::uint16_t>(RrType::OPT));
    store_u16(to + 3, kMaxUdpAnswer);
    store_u32(to + 5, asked.dnssec_ok ? 0x8000 : 0);
    store_u16(to + 9, static_cast<std::uint16_t>(option.size()));
    to += kOptHead;
    if (!option.empty()) {  // as it came, with our scope (RFC 7871 §7.2.1)
        std::memcpy(to, option.data(), option.size());
        to[kScopeAt] = scope;
        to += option.size();
    }
    return to;
}

bool answer_records(const Request& request, const Asked& asked, const Plain& found,
                    std::uint8_t* out, Outcome& outcome) noexcept {
    const std::size_t size = found.count * kRecordHead + found.records.size();
    if (size > room_for(request, asked)) {
        return false;
    }
    std::uint8_t* to = put_head(request, asked, found.count, out);
    const std::uint8_t* from = found.records.data();
    for (unsigned i = 0; i < found.count; ++i) {
        to = put_record_head(asked, found.ttl_s, to);
        const std::size_t record = 2U + load_u16(from);
        std::memcpy(to, from, record);
        to += record;
        from += record;
    }
    outcome.size = static_cast<std::size_t>(put_opt(asked, 0, to) - out);
    outcome.kind = AnswerKind::Static;
    outcome.ttl_s = found.ttl_s;
    return true;
}

/// The only slot of an endpoint that may be handed out to this judge, or kNone.
std::uint32_t only_slot(const HealthState& health, std::uint32_t endpoint, Judge judge) noexcept {
    const EndpointRow& row = health.endpoints[endpoint];
    const bool v4 = judge == Judge::V4;
    if (row.cname || (v4 ? row.v4_count : row.v6_count) != 1) {
        return kNone;
    }
    const std::uint32_t slot = row.first_slot + (v4 ? 0U : row.v4_count);
    return available(health.slots[slot]) ? slot : kNone;
}

bool answer_steered(const Snapshot& snapshot, const Request& request, const Asked& asked,
                    std::uint8_t* out, Outcome& outcome) noexcept {
    const Plan& plan = *snapshot.plan;
    const HealthState& health = *snapshot.health;
    const SteeredName& name = plan.steered[outcome.steered];
    const Tree& tree = plan.trees[index(name.tree)];
    if (tree.has_cname || (name.ttl_min_s != 0 && !health.pending_in(name.tree).empty())) {
        return false;
    }
    const bool told = asked.subnet.length() > 0;
    Client client;
    unsigned scope = 0;
    if (tree.view != kNone) {
        const base::IpPrefix prefix =
            told ? asked.subnet
                 : base::IpPrefix(request.client, base::bits_of(request.client.family()));
        const ClassHit hit = plan.views[tree.view]->lookup_given(prefix);
        client = {hit.id, hash_key(prefix)};
        scope = told ? hit.scope : 0;
    }
    const Judge judge = asked.qtype == RrType::A ? Judge::V4 : Judge::V6;
    const Scene scene{.plan = plan,
                      .health = health,
                      .tree = tree,
                      .client = client,
                      .draw = request.draw,
                      .column = column_of(judge, name.families),
                      .judge = judge};
    const Choice choice = Evaluator(scene).choose(0);
    if (!choice.picked() || choice.ring != kNone) {
        return false;
    }
    const std::uint32_t slot = only_slot(health, choice.endpoint, judge);
    if (slot == kNone) {
        return false;
    }
    const auto address = plan.slots[slot].address.octets();
    const std::uint32_t ttl_s = standing_ttl(name);
    std::uint8_t* to = put_record_head(asked, ttl_s, put_head(request, asked, 1, out));
    store_u16(to, static_cast<std::uint16_t>(address.size()));
    std::memcpy(to + 2, address.data(), address.size());
    outcome.size = static_cast<std::size_t>(
        put_opt(asked, static_cast<std::uint8_t>(scope), to + 2 + address.size()) - out);
    outcome.kind = AnswerKind::Steered;
    outcome.ttl_s = ttl_s;
    Decision& decision = outcome.decision;
    decision.kind = DecisionKind::Addresses;
    decision.endpoint_count = 1;
    decision.slot_count = 1;
    decision.ttl_s = ttl_s;
    decision.endpoints[0] = static_cast<EndpointId>(choice.endpoint);
    decision.slots[0] = static_cast<SlotId>(slot);
    return true;
}

}  // namespace

bool answer_common(const Snapshot& snapshot, const Request& request, std::span<std::uint8_t> out,
                   Outcome& outcome) noexcept {
    Asked asked;
    if (!read(request.query, asked)) {
        return false;
    }
    const Plan& plan = *snapshot.plan;
    const zones::ZoneSlot* const slot = plan.zone_set.find(asked.name);
    if (slot == nullptr || slot->zone == nullptr) {
        return false;
    }
    const Plain found = slot->zone->lookup_plain(asked.name, asked.qtype);
    if (found.kind == Plain::Kind::Other) {
        return false;
    }
    outcome.zone = static_cast<std::uint32_t>(slot - plan.zone_set.slots().data());
    bool answered = false;
    if (found.kind == Plain::Kind::Records) {
        answered = answer_records(request, asked, found, out.data(), outcome);
    } else {
        outcome.steered = plan.zones[outcome.zone].first_steered + found.steer;
        answered = answer_steered(snapshot, request, asked, out.data(), outcome);
    }
    if (!answered) {
        outcome.zone = kNone;
        outcome.steered = kNone;
    }
    return answered;
}

}  // namespace steerd::policy
