// decide(): resolve, then addresses in an order drawn anew, then the TTL. The rules are next door:
// decide_resolve.cc (CNAME, families, all down), evaluate*.cc (policies), decide_ttl.cc
// (countdown). product.md §4. Thread rule: pure.
#include "policy/decide.h"

#include <algorithm>

#include "policy/answer_order.h"
#include "policy/decide_resolve.h"
#include "policy/trace_steps.h"

namespace steerd::policy {
namespace {

constexpr unsigned kHashedBits6 = 56;

void add_endpoint(Decision& decision, EndpointId id) noexcept {
    const auto end = decision.endpoints.begin() + decision.endpoint_count;
    if (std::find(decision.endpoints.begin(), end, id) == end &&
        decision.endpoint_count < decision.endpoints.size()) {
        decision.endpoints[decision.endpoint_count++] = id;
    }
}

void fill(const DecideInput& input, const Resolution& resolution, Decision& out) noexcept {
    const Choice& choice = resolution.choice;
    if (resolution.kind == DecisionKind::Cname) {
        out.endpoints[0] = static_cast<EndpointId>(choice.endpoint);
        out.endpoint_count = 1;
        out.slots[0] = static_cast<SlotId>(input.health.endpoints[choice.endpoint].first_slot);
        out.slot_count = 1;
        return;
    }
    if (resolution.kind != DecisionKind::Addresses) {
        return;
    }
    const Scene scene = scene_of(input, resolution.look);
    SlotList list;
    Evaluator(scene).collect(choice, list);
    put_in_order(list, choice.ring != kNone, input.draw);
    out.slot_count = static_cast<std::uint8_t>(list.count);
    for (std::size_t i = 0; i < list.count; ++i) {
        out.slots[i] = static_cast<SlotId>(list.slots[i]);
        if (choice.ring != kNone) {
            add_endpoint(out, input.plan.slots[list.slots[i]].endpoint);
        }
    }
    if (choice.endpoint != kNone) {
        add_endpoint(out, static_cast<EndpointId>(choice.endpoint));
    }
    if (list.count == 0) {
        out.kind = DecisionKind::NoData;
    }
}

}  // namespace

std::uint64_t hash_key(const base::IpPrefix& client) noexcept {
    if (client.address().is_v4()) {
        return hash_key4(client.address().v4_value());
    }
    const base::IpPrefix prefix = base::normalised(client).prefix;
    const base::IpAddress& address = prefix.address();
    if (address.is_v4()) {
        return hash_key4(address.v4_value());
    }
    const unsigned bits = std::min(prefix.length(), kHashedBits6);
    return base::mix64(address.masked(bits).v6_high() + 0x9E3779B97F4A7C15ULL);
}

namespace {

void decide_resolved(const DecideInput& input, const Resolution& resolution,
                     Decision& out) noexcept {
    out.kind = resolution.kind;
    out.fail_open = resolution.look.fail_open;
    out.endpoint_count = 0;
    out.slot_count = 0;
    fill(input, resolution, out);
    out.ttl_s = ttl_for(input, resolution);
}

}  // namespace

void decide_into(const DecideInput& input, Decision& out) noexcept {
    decide_resolved(input, resolve(input, nullptr), out);
}

Decision decide(const DecideInput& input, std::vector<Step>* steps) noexcept {
    const Resolution resolution = resolve(input, nullptr);
    Decision out;
    decide_resolved(input, resolution, out);
    if (steps != nullptr) {
        explain_steps(input, resolution, *steps);
    }
    return out;
}

}  // namespace steerd::policy
