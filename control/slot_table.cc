// See slot_table.h. Thread rule: one owner.
#include "control/slot_table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace steerd::control {

using health::Belief;
using health::CheckId;
using health::Health;

namespace {

template <typename Id>
std::vector<std::uint32_t>& grown(std::vector<std::vector<std::uint32_t>>& lists, Id id) {
    const auto at = static_cast<std::size_t>(id);
    if (at >= lists.size()) {
        lists.resize(at + 1);
    }
    return lists[at];
}

void add_once(std::vector<std::uint32_t>& list, std::uint32_t slot) {
    if (std::ranges::find(list, slot) == list.end()) {
        list.push_back(slot);
    }
}

const config::EndpointConfig& configured(const policy::Plan& plan, policy::EndpointId endpoint) {
    return plan.model->endpoints[config::index(endpoint)];
}

/// A check of a CNAME target asks for the target's name where the probe does not say another.
std::shared_ptr<const health::ProbeSpec> for_target(
    const std::shared_ptr<const health::ProbeSpec>& spec, const Target& target) {
    const bool http =
        spec->type == health::ProbeType::Http || spec->type == health::ProbeType::Https;
    if (!http || !spec->host.empty()) {
        return spec;
    }
    auto named = std::make_shared<health::ProbeSpec>(*spec);
    named->host = target.text;
    if (named->host.size() > 1 && named->host.back() == '.') {
        named->host.pop_back();
    }
    return named;
}

}  // namespace

void SlotTable::restore(std::vector<SlotState> states) {
    for (SlotState& state : states) {
        restored_.insert_or_assign(
            Key(state.endpoint, state.address),
            Past{state.health, state.since, std::move(state.cause), 0, false});
    }
}

SlotEntry SlotTable::entry_of(const policy::Plan& plan, const policy::Slot& slot) const {
    const config::EndpointConfig& config = configured(plan, slot.endpoint);
    SlotEntry entry;
    entry.endpoint = slot.endpoint;
    entry.endpoint_name = config.name;
    entry.address = slot.cname ? config.cname->to_text() : slot.address.text();
    entry.probed = !config.probes.empty();
    entry.require = config.require;
    return entry;
}

void SlotTable::adopt(std::shared_ptr<const policy::Plan> plan, base::Now now) {
    std::map<Key, Past> past = std::exchange(restored_, {});
    for (const SlotEntry& old : slots_) {
        past.insert_or_assign(Key(old.endpoint_name, old.address),
                              Past{old.belief.health, old.since, old.cause, old.transitions});
    }
    const std::vector<SlotEntry> before = std::exchange(slots_, {});
    const std::shared_ptr<const policy::Plan> plan_before = std::exchange(plan_, std::move(plan));
    slots_of_check_.clear();
    slots_of_target_.clear();
    by_name_.clear();
    facts_.assign(plan_->slots.size(), {});

    std::size_t checks = 0;
    for (const policy::Slot& slot : plan_->slots) {
        checks += configured(*plan_, slot.endpoint).probes.size();
    }
    spread_ = std::min<base::Duration>(checks * std::chrono::milliseconds(1), health::kMaxSpread);
    for (const policy::Slot& slot : plan_->slots) {
        const auto at = static_cast<std::uint32_t>(slots_.size());
        slots_.push_back(entry_of(*plan_, slot));
        by_name_.emplace(Key(slots_[at].endpoint_name, slots_[at].address), at);
        attach(at, now);
        first_belief(at, past, now);
    }
    // Only now, so that what stays was never without a user.
    for (const SlotEntry& old : before) {
        for (const std::vector<CheckId>& group : old.groups) {
            std::ranges::for_each(group, [this](CheckId id) { checks_.release(id); });
        }
        if (old.target) {
            targets_.release(*old.target);
        }
    }
}

void SlotTable::attach(std::uint32_t slot, base::Now now) {
    SlotEntry& entry = slots_[slot];
    if (!entry.probed) {
        return;
    }
    const policy::Slot& planned = plan_->slots[slot];
    if (!planned.cname) {
        add_group(slot, planned.address, now);
        return;
    }
    const config::EndpointConfig& config = configured(*plan_, planned.endpoint);
    const auto& timing = plan_->model->probes[config::index(config.probes[0])].spec;
    entry.target = targets_.acquire(*config.cname, timing, now);
    add_once(grown(slots_of_target_, *entry.target), slot);
    for (const base::IpAddress& address : targets_.at(*entry.target).addresses) {
        add_group(slot, address, now);
    }
}

void SlotTable::add_group(std::uint32_t slot, const base::IpAddress& address, base::Now now) {
    SlotEntry& entry = slots_[slot];
    std::vector<CheckId> group;
    for (const config::ProbeId probe : configured(*plan_, entry.endpoint).probes) {
        std::shared_ptr<const health::ProbeSpec> spec =
            plan_->model->probes[config::index(probe)].spec;
        if (entry.target) {
            spec = for_target(spec, targets_.at(*entry.target));
        }
        const CheckId id = checks_.acquire(address, spec, now, spread_);
        group.push_back(id);
        add_once(grown(slots_of_check_, id), slot);
    }
    entry.groups.push_back(std::move(group));
}

void SlotTable::first_belief(std::uint32_t slot, const std::map<Key, Past>& past, base::Now now) {
    SlotEntry& entry = slots_[slot];
    const auto known = past.find(Key(entry.endpoint_name, entry.address));
    const bool live = known != past.end() && known->second.live;
    if (live) {
        entry.transitions = known->second.transitions;
        entry.belief.health = known->second.health;
    }
    const Belief belief = belief_of(entry);
    if (known != past.end() && known->second.health == belief.health) {
        entry.since = known->second.since;
        entry.cause = known->second.cause;
    } else if (live && belief.health != Health::Unknown) {
        (void)move(slot, cause_now(entry), now);
        return;
    } else {
        entry.since = now.wall;
        entry.cause = cause_now(entry);
    }
    entry.belief = belief;
    facts_[slot] = {belief.health, belief.next, belief.earliest};
}

void SlotTable::follow_target(TargetId target, base::Now now) {
    const std::vector<std::uint32_t> users = grown(slots_of_target_, target);
    spread_ = std::chrono::milliseconds(targets_.at(target).addresses.size());
    for (const std::uint32_t slot : users) {
        const std::vector<CheckId> before = forget_groups(slot);
        for (const base::IpAddress& address : targets_.at(target).addresses) {
            add_group(slot, address, now);
        }
        std::ranges::for_each(before, [this](CheckId id) { checks_.release(id); });
    }
}

std::vector<CheckId> SlotTable::forget_groups(std::uint32_t slot) {
    std::vector<CheckId> forgotten;
    for (const std::vector<CheckId>& group : std::exchange(slots_[slot].groups, {})) {
        for (const CheckId id : group) {
            std::erase(grown(slots_of_check_, id), slot);
            forgotten.push_back(id);
        }
    }
    return forgotten;
}

Belief SlotTable::belief_of(const SlotEntry& entry) const {
    if (!entry.probed) {
        return {Health::Up, Health::Up, base::kNever};
    }
    if (entry.target) {
        return belief_of_target(entry);
    }
    std::vector<Belief> parts;
    for (const CheckId id : entry.groups[0]) {
        parts.push_back(checks_.belief(id));
    }
    return health::combine(parts, entry.require);
}

/// Resolved, and up while any address is. An address that was not judged yet counts for nothing
/// beside those that were, and while none was the target is believed to be as it was.
Belief SlotTable::belief_of_target(const SlotEntry& entry) const {
    const Belief resolution = targets_.belief(*entry.target);
    std::vector<Belief> addresses;
    for (const std::vector<CheckId>& group : entry.groups) {
        std::vector<Belief> probes;
        for (const CheckId id : group) {
            probes.push_back(checks_.belief(id));
        }
        const Belief address = health::combine(probes, entry.require);
        if (address.health != Health::Unknown) {
            addresses.push_back(address);
        }
    }
    if (!addresses.empty()) {
        return health::combine(std::vector{resolution, health::combine(addresses, 1)}, 0);
    }
    if (resolution.health == Health::Down) {
        return resolution;
    }
    return {entry.belief.health, entry.belief.health, base::kNever};
}

std::string SlotTable::cause_now(const SlotEntry& entry) const {
    if (!entry.probed) {
        return "no probes";
    }
    if (entry.target && targets_.at(*entry.target).tracker.health() == Health::Down) {
        return cause_of(targets_.at(*entry.target));
    }
    const Health health = belief_of(entry).health;
    for (const std::vector<CheckId>& group : entry.groups) {
        for (const CheckId id : group) {
            const Check& check = checks_.at(id);
            if (check.tracker.health() == health && !check.cause.empty()) {
                return check.cause;
            }
        }
    }
    return health == Health::Unknown ? "not checked yet" : "configuration changed";
}

bool SlotTable::move(std::uint32_t slot, const std::string& cause, base::Now now) {
    SlotEntry& entry = slots_[slot];
    const Belief belief = belief_of(entry);
    const Health was = entry.belief.health;
    if (belief.health != was) {
        ++entry.transitions;
        ++transitions_;
        entry.since = now.wall;
        entry.cause = cause;
        Event event;
        event.kind = EventKind::Transition;
        event.name = entry.endpoint_name;
        event.address = entry.address;
        event.from = health::to_text(was);
        event.to = health::to_text(belief.health);
        event.cause = cause;
        history_.add(std::move(event), now.wall);
    }
    const bool moved = entry.belief != belief;
    entry.belief = belief;
    facts_[slot] = {belief.health, belief.next, belief.earliest};
    return moved;
}

bool SlotTable::refresh(CheckId check, const std::string& cause, base::Now now) {
    bool moved = false;
    for (const std::uint32_t slot : grown(slots_of_check_, check)) {
        moved = move(slot, cause, now) || moved;
    }
    return moved;
}

bool SlotTable::refresh(TargetId target, const std::string& cause, base::Now now) {
    bool moved = false;
    for (const std::uint32_t slot : grown(slots_of_target_, target)) {
        moved = move(slot, cause, now) || moved;
    }
    return moved;
}

const SlotEntry* SlotTable::find(const std::string& endpoint, const std::string& address) const {
    const auto found = by_name_.find(Key(endpoint, address));
    return found == by_name_.end() ? nullptr : &slots_[found->second];
}

}  // namespace steerd::control
