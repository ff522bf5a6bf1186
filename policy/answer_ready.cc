// The short way for steered names: the client's class, a walk along what was made ready when health
// was published (ready.h), the addresses, the answer. Gives up, having said nothing, where a route
// is not ready, where nothing is found (what then happens is decide_resolve.cc), and where
// something under way may lower the TTL. product.md §4; RFC 7871 §7.2.1. Thread rule: as answer.h.
#include "base/rng.h"
#include "dns/edns.h"
#include "policy/answer_order.h"
#include "policy/asked.h"
#include "policy/decide_resolve.h"
#include "policy/rendezvous.h"

namespace steerd::policy {
namespace {

using config::index;
using How = Ready::How;

/// What was found: an endpoint, or a ring with its route's place in the tree.
struct Picked {
    std::uint32_t endpoint = kNone;
    const Ready* ring = nullptr;
    std::uint32_t ring_at = 0;

    [[nodiscard]] bool found() const noexcept { return endpoint != kNone || ring != nullptr; }
};

class Chooser {
  public:
    Chooser(const Snapshot& snapshot, const Request& request, const Asked& asked,
            const Tree& tree) noexcept
        : plan_(*snapshot.plan),
          health_(*snapshot.health),
          request_(request),
          asked_(asked),
          tree_(tree),
          view_(tree.view == kNone ? nullptr : plan_.views.data()[tree.view].get()) {}

    /// The client's class. REQUIRES: called before choose().
    [[nodiscard]] unsigned classify() noexcept;
    [[nodiscard]] Picked choose(Column way) const noexcept;
    /// The addresses in answer order; none: give up.
    void collect(const Picked& picked, Judge judge, SlotList& out) const noexcept;

  private:
    [[nodiscard]] std::uint32_t member_of(const Ready& ready, std::uint32_t at,
                                          Column way) const noexcept;
    [[nodiscard]] std::uint32_t nearest(const Ready& ready, const TreeRoute& route) const noexcept;
    [[nodiscard]] std::uint32_t by_lot(const Ready& ready, const TreeRoute& route,
                                       const LatencyOrder& order,
                                       std::uint32_t limit) const noexcept;
    [[nodiscard]] std::uint32_t by_place(const TreeRoute& route, Column way) const noexcept;

    [[nodiscard]] const TreeMember& member(const TreeRoute& route, std::uint32_t i) const noexcept {
        return tree_.members.data()[route.first_member + i];
    }

    [[nodiscard]] std::uint64_t draw_of(std::uint32_t at) const noexcept {
        return route_draw(request_.draw, at);
    }

    [[nodiscard]] std::uint64_t client_key() const noexcept;
    [[nodiscard]] base::IpPrefix client() const noexcept;

    const Plan& plan_;
    const HealthState& health_;
    const Request& request_;
    const Asked& asked_;
    const Tree& tree_;
    const View* view_;
    ClassId class_{};
};

base::IpPrefix Chooser::client() const noexcept {
    if (asked_.subnet_length == 0) {
        return {request_.client, base::bits_of(request_.client.family())};
    }
    const auto value = std::span(asked_.option, asked_.option_size).subspan(kOptionHead);
    const auto subnet = dns::parse_client_subnet(value);
    return subnet ? subnet->prefix : base::IpPrefix();
}

std::uint64_t Chooser::client_key() const noexcept {
    if (asked_.subnet_length != 0 && asked_.subnet == Asked::Subnet::V4) {
        return hash_key4(asked_.subnet_address);
    }
    return hash_key(client());
}

unsigned Chooser::classify() noexcept {
    if (view_ == nullptr) {
        return 0;
    }
    const bool told = asked_.subnet_length != 0;
    ClassHit hit;
    if (told && asked_.subnet == Asked::Subnet::V4) {
        hit = view_->lookup4(asked_.subnet_address, asked_.subnet_length);
    } else if (!told && request_.client.is_v4()) {
        hit = view_->lookup4(request_.client.v4_value(), 32);
    } else {
        hit = view_->lookup_given(client());
    }
    class_ = hit.id;
    return told ? hit.scope : 0;
}

Picked Chooser::choose(Column way) const noexcept {
    std::uint32_t at = 0;
    while (true) {
        const TreeRoute& route = tree_.routes.data()[at];
        const Ready& ready = health_.ready.of(static_cast<std::size_t>(way), index(route.route));
        if (ready.how == How::Ring) {
            return {.ring = &ready, .ring_at = at};
        }
        const std::uint32_t i = member_of(ready, at, way);
        if (i == kNone) {
            return {};
        }
        const TreeMember& taken = member(route, i);
        if (taken.is_endpoint) {
            return {.endpoint = taken.target};
        }
        at = taken.target;
    }
}

std::uint32_t Chooser::member_of(const Ready& ready, std::uint32_t at, Column way) const noexcept {
    const TreeRoute& route = tree_.routes.data()[at];
    switch (ready.how) {
        case How::Take:
            return ready.first;
        case How::Draw:
            return health_.ready.member_at(
                ready, base::Rng(draw_of(at)).below(health_.ready.total(ready)));
        case How::Nearest:
            return nearest(ready, route);
        case How::Places:
            return by_place(route, way);
        case How::Walk:
        case How::Ring:
            break;
    }
    return kNone;
}

std::uint32_t Chooser::nearest(const Ready& ready, const TreeRoute& route) const noexcept {
    if (ready.count == 1) {
        return health_.ready.runners(ready)->member;
    }
    if (view_ == nullptr || route.view_slot == kNone) {
        return kNone;
    }
    const LatencyOrder order = view_->latency(class_, route.view_slot);
    const auto* const ranks = order.rank_of_region.data();
    const ReadyRoutes::Runner* const runners = health_.ready.runners(ready);
    std::uint32_t best = kNone;
    std::uint32_t best_rank = kNone;
    std::uint32_t next_rank = kNone;
    for (std::uint32_t i = 0; i < ready.count; ++i) {
        const std::uint32_t rank = ranks[runners[i].region];
        if (rank < best_rank) {
            next_rank = best_rank;
            best_rank = rank;
            best = runners[i].member;
        } else {
            next_rank = std::min(next_rank, rank);
        }
    }
    const std::uint32_t limit = order.last_equal.data()[best_rank];
    return next_rank > limit ? best : by_lot(ready, route, order, limit);
}

/// Among runners that count as equal the hash of the client chooses.
std::uint32_t Chooser::by_lot(const Ready& ready, const TreeRoute& route, const LatencyOrder& order,
                              std::uint32_t limit) const noexcept {
    const std::uint64_t key = client_key();
    const ReadyRoutes::Runner* const runners = health_.ready.runners(ready);
    Lot best_lot;
    std::uint32_t best = kNone;
    for (std::uint32_t i = 0; i < ready.count; ++i) {
        if (order.rank_of_region.data()[runners[i].region] > limit) {
            continue;
        }
        const Lot lot = draw_lot(member(route, runners[i].member).name_hash, key, 1);
        if (beats(lot, best_lot)) {
            best_lot = lot;
            best = runners[i].member;
        }
    }
    return best;
}

/// The first member of the client's walk that is available and has its min_available.
std::uint32_t Chooser::by_place(const TreeRoute& route, Column way) const noexcept {
    if (view_ == nullptr || route.view_slot == kNone) {
        return kNone;
    }
    const GeoWalk walk = view_->geo(class_, route.view_slot);
    const std::size_t steps = walk.members.size();
    for (std::size_t step = 0; step < steps; ++step) {
        const std::uint32_t i = walk.members.data()[step];
        const TreeMember& m = member(route, i);
        if (m.is_endpoint) {
            if (available(health_.endpoints.data()[m.target].rank.at(way))) {
                return i;
            }
            continue;
        }
        const RouteRow& row = health_.routes.data()[index(tree_.routes.data()[m.target].route)];
        const bool up = available(row.rank.at(way));
        if (up && !row.lacks(way)) {
            return i;
        }
        if (up || row.client_dependent) {
            return kNone;  // a second round, or a fence
        }
    }
    return kNone;
}

void Chooser::collect(const Picked& picked, Judge judge, SlotList& out) const noexcept {
    if (picked.ring != nullptr) {
        const Ready& ring = *picked.ring;
        const std::uint32_t* const slots = health_.ready.slots(ring);
        const std::uint64_t size = ring.count;
        const std::uint64_t most = tree_.routes.data()[picked.ring_at].max_answers;
        const std::uint64_t start = base::Rng(draw_of(picked.ring_at)).below(size);
        const std::uint64_t length = std::min(size, most);
        // In the order in which the ring is gone round from its beginning.
        const std::uint64_t wrapped = start + length > size ? start + length - size : 0;
        for (std::uint64_t i = 0; i < wrapped; ++i) {
            out.add(slots[i]);
        }
        for (std::uint64_t i = start; i < start + length - wrapped; ++i) {
            out.add(slots[i]);
        }
        put_in_order(out, true, request_.draw);
        return;
    }
    const EndpointRow& row = health_.endpoints.data()[picked.endpoint];
    const bool v4 = judge == Judge::V4;
    const std::uint32_t first = row.first_slot + (v4 ? 0U : row.v4_count);
    const std::uint32_t count = row.cname ? 0U : v4 ? row.v4_count : row.v6_count;
    for (std::uint32_t slot = first; slot < first + count; ++slot) {
        if (available(health_.slots.data()[slot])) {
            out.add(slot);
        }
    }
    put_in_order(out, false, request_.draw);
}

void fill(const Plan& plan, const Picked& picked, const SlotList& list,
          Decision& decision) noexcept {
    decision.kind = DecisionKind::Addresses;
    decision.slot_count = static_cast<std::uint8_t>(list.count);
    decision.slots.data()[0] = static_cast<SlotId>(list.slots.data()[0]);
    if (list.count > 1) {  // apart, since one address is what most answers have
        std::memcpy(decision.slots.data(), list.slots.data(), list.count * sizeof list.slots[0]);
    }
    EndpointId* const endpoints = decision.endpoints.data();
    if (picked.ring == nullptr) {
        endpoints[0] = static_cast<EndpointId>(picked.endpoint);
        decision.endpoint_count = 1;
        return;
    }
    std::size_t count = 0;
    for (std::size_t i = 0; i < list.count; ++i) {
        const EndpointId id = plan.slots.data()[list.slots.data()[i]].endpoint;
        if (std::find(endpoints, endpoints + count, id) == endpoints + count) {
            endpoints[count++] = id;
        }
    }
    decision.endpoint_count = static_cast<std::uint8_t>(count);
}

/// Whether the decision for all types together falls on something that is no CNAME.
bool surely_no_cname(const Chooser& chooser, const HealthState& health) noexcept {
    const Picked both = chooser.choose(Column::Both);
    return both.found() &&
           (both.endpoint == kNone || !health.endpoints.data()[both.endpoint].cname);
}

}  // namespace

bool answer_ready(const Snapshot& snapshot, const Request& request, const Asked& asked,
                  std::uint8_t* out, Outcome& outcome) noexcept {
    const Plan& plan = *snapshot.plan;
    const HealthState& health = *snapshot.health;
    const SteeredName& name = plan.steered.data()[outcome.steered];
    if (name.ttl_min_s != 0 && !health.pending_in(name.tree).empty()) {
        return false;
    }
    const Tree& tree = plan.trees.data()[index(name.tree)];
    const bool v4 = asked.qtype == dns::RrType::A;
    const Judge judge = v4 ? Judge::V4 : Judge::V6;
    Chooser chooser(snapshot, request, asked, tree);
    const unsigned scope = chooser.classify();
    if (tree.has_cname && !surely_no_cname(chooser, health)) {
        return false;
    }
    const Picked picked = chooser.choose(column_of(judge, name.families));
    if (!picked.found()) {
        return false;
    }
    SlotList list;
    chooser.collect(picked, judge, list);
    const std::size_t octets = v4 ? 4 : 16;
    if (list.count == 0 || list.count * (kRecordHead + 2 + octets) > room_for(request, asked)) {
        return false;
    }
    const std::uint32_t ttl_s = standing_ttl(name);
    std::uint8_t* to = put_head(request, asked, static_cast<unsigned>(list.count), 0, out);
    for (std::size_t i = 0; i < list.count; ++i) {
        to = put_record_head(asked, ttl_s, to);
        dns::store_u16(to, static_cast<std::uint16_t>(octets));
        const std::uint8_t* const address =
            plan.slots.data()[list.slots.data()[i]].address.octets().data();
        if (v4) {
            std::memcpy(to + 2, address, 4);
        } else {
            std::memcpy(to + 2, address, 16);
        }
        to += 2 + octets;
    }
    outcome.size =
        static_cast<std::size_t>(put_opt(asked, static_cast<std::uint8_t>(scope), to) - out);
    outcome.kind = AnswerKind::Steered;
    outcome.ttl_s = ttl_s;
    outcome.decision.ttl_s = ttl_s;
    fill(plan, picked, list, outcome.decision);
    return true;
}

}  // namespace steerd::policy
