// What the control tells of itself: the state that survives a restart, and the status that is
// shown. Reads only. Thread rule: one thread.
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "control/control_impl.h"
#include "health/probe_spec.h"

namespace steerd::control {

using health::CheckId;
using health::Health;

namespace {

CheckState state_of(const Check& check) {
    return {check.address,
            check.spec->name,
            health::target_fingerprint(*check.spec),
            check.tracker.health(),
            check.since,
            check.verified,
            check.cause};
}

CheckStatus status_of(const Check& check, base::Now now) {
    CheckStatus status;
    status.address = check.address;
    status.probe = check.spec->name;
    status.health = check.tracker.health();
    status.last = check.last;
    status.reason = check.reason;
    status.latency = check.latency;
    if (check.last) {
        status.last_at = check.last_at;
    }
    status.certificate_expires = check.certificate_expires;
    status.counts = check.counts;
    if (const auto since = check.tracker.inconclusive_since()) {
        status.inconclusive_long = now.mono - *since > check.spec->fall * check.spec->interval;
    }
    return status;
}

/// When caches that keep to TTLs have let go of an endpoint that was drained at `since`.
base::Wall let_go(const policy::Plan& plan, std::size_t endpoint, base::Wall since) {
    std::uint32_t longest = 0;
    for (const policy::SteeredName& steered : plan.steered) {
        const auto& trees = plan.trees_of_endpoint[endpoint];
        if (std::ranges::find(trees, steered.tree) != trees.end()) {
            longest = std::max(longest, steered.ttl_s);
        }
    }
    return since + std::chrono::seconds(longest) + kLeastBetweenSwaps;
}

}  // namespace

State Control::Impl::state(base::Now now) const {
    State state;
    state.written = now.wall;
    for (const CheckId id : checks_.ids()) {
        if (checks_.at(id).tracker.health() != Health::Unknown) {
            state.checks.push_back(state_of(checks_.at(id)));
        }
    }
    for (const TargetId id : targets_.ids()) {
        const Target& target = targets_.at(id);
        if (target.tracker.health() != Health::Unknown) {
            state.targets.push_back(
                {target.text, target.tracker.health(), target.verified, target.addresses});
        }
    }
    for (const SlotEntry& slot : slots_.all()) {
        if (slot.probed && slot.belief.health != Health::Unknown) {
            state.slots.push_back(
                {slot.endpoint_name, slot.address, slot.belief.health, slot.since, slot.cause});
        }
    }
    for (const auto& [name, order] : orders_.book().all()) {
        state.orders.push_back({name, order});
    }
    state.holds = holds_.state(now);
    state.last_good = last_good_.state();
    return state;
}

Status Control::Impl::status(base::Now now) const {
    Status status;
    status.at = now.wall;
    status.first_round_done = first_round_done_;
    status.checks_in_flight = checks_.in_flight();
    if (snapshot_ == nullptr) {
        return status;
    }
    status.generation = snapshot_->generation;
    status.published = snapshot_->published.wall;
    std::vector<std::uint32_t> place;  // in Status::checks, by CheckId
    std::map<std::string_view, const CheckDurations*> probes;
    for (const CheckId id : checks_.ids()) {
        probes.emplace(checks_.at(id).spec->name, checks_.at(id).durations.get());
        place.resize(static_cast<std::size_t>(id) + 1);
        place.back() = static_cast<std::uint32_t>(status.checks.size());
        status.checks.push_back(status_of(checks_.at(id), now));
    }
    for (const auto& [probe, durations] : probes) {
        status.probes.push_back({std::string(probe), *durations});
    }
    endpoints_into(status, place, now);
    status.holds = holds_.status(now);
    for (std::size_t i = 0; i < plan_->steered.size(); ++i) {
        const policy::SteeredName& steered = plan_->steered[i];
        const policy::RouteId root = plan_->trees[static_cast<std::size_t>(steered.tree)].root;
        SteeredStatus name{steered.owner.to_text(), plan_->model->route(root).name};
        // The snapshot in force may still be of the plan before.
        if (snapshot_->plan == plan_) {
            const policy::SteeredId id{static_cast<std::uint32_t>(i)};
            name.available_v4 =
                policy::root_available(*plan_, *snapshot_->health, id, policy::Judge::V4);
            name.available_v6 =
                policy::root_available(*plan_, *snapshot_->health, id, policy::Judge::V6);
        }
        status.steered.push_back(std::move(name));
    }
    for (const auto& [name, order] : orders_.book().all()) {
        status.orders.push_back({name, order});
    }
    status.absent_orders = orders_.absent();
    return status;
}

void Control::Impl::endpoints_into(Status& status, const std::vector<std::uint32_t>& place,
                                   base::Now now) const {
    const config::Model& model = *plan_->model;
    for (std::size_t i = 0; i < model.endpoints.size(); ++i) {
        const config::EndpointConfig& config = model.endpoints[i];
        EndpointStatus endpoint;
        endpoint.name = config.name;
        endpoint.region = config.region ? model.regions[config::index(*config.region)].name : "";
        endpoint.probed = !config.probes.empty();
        const policy::EndpointId id{static_cast<std::uint32_t>(i)};
        if (std::optional<health::NamedOrder> order = orders_.effective(id)) {
            if (order->order.state == health::OrderState::Drain) {
                endpoint.safe_to_stop = let_go(*plan_, i, order->order.since);
            }
            endpoint.order_of = std::move(order->name);
            endpoint.order = std::move(order->order);
        }
        status.endpoints.push_back(std::move(endpoint));
    }
    for (const SlotEntry& slot : slots_.all()) {
        AddressStatus address;
        address.address = slot.address;
        address.cname = model.endpoints[config::index(slot.endpoint)].cname.has_value();
        address.health = slot.belief.health;
        address.since = slot.since;
        address.cause = slot.cause;
        address.next = slot.belief.next;
        if (slot.belief.earliest != base::kNever) {
            address.earliest = now.wall + (slot.belief.earliest - now.mono);
        }
        if (slot.target) {
            const Target& target = targets_.at(*slot.target);
            address.resolved = target.addresses;
            address.resolution = target.last ? cause_of(target) : "";
        }
        address.transitions = slot.transitions;
        for (const std::vector<CheckId>& group : slot.groups) {
            for (const CheckId id : group) {
                address.checks.push_back(place[static_cast<std::size_t>(id)]);
            }
        }
        status.endpoints[config::index(slot.endpoint)].addresses.push_back(std::move(address));
    }
}

}  // namespace steerd::control
