// See target_table.h. Thread rule: one owner.
#include "control/target_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace steerd::control {

using health::Health;
using health::Outcome;

namespace {

/// The least pause between two questions, however short a probe's interval is.
constexpr base::Duration kLeastPause = std::chrono::milliseconds(100);
constexpr std::size_t kMaxReason = 200;

std::size_t index(TargetId id) noexcept { return static_cast<std::size_t>(id); }

Outcome outcome_of(Resolution resolution) noexcept {
    switch (resolution) {
        case Resolution::Addresses:
            return Outcome::Pass;
        case Resolution::NxDomain:
        case Resolution::NoData:
            return Outcome::Fail;
        case Resolution::NoAnswer:
            return Outcome::Inconclusive;
    }
    return Outcome::Inconclusive;
}

std::vector<base::IpAddress> cleaned(std::vector<base::IpAddress> addresses) {
    std::ranges::sort(addresses);
    const auto repeated = std::ranges::unique(addresses);
    addresses.erase(repeated.begin(), repeated.end());
    if (addresses.size() > kMaxTargetAddresses) {
        addresses.resize(kMaxTargetAddresses);
    }
    return addresses;
}

}  // namespace

std::string_view to_text(Resolution resolution) noexcept {
    switch (resolution) {
        case Resolution::Addresses:
            return "addresses";
        case Resolution::NxDomain:
            return "NXDOMAIN";
        case Resolution::NoData:
            return "NODATA";
        case Resolution::NoAnswer:
            return "no answer";
    }
    return "no answer";
}

std::string cause_of(const Target& target) {
    if (!target.last) {
        return fmt::format("{} not resolved yet", target.text);
    }
    return fmt::format("{} for {}{}{}", to_text(*target.last), target.text,
                       target.reason.empty() ? "" : ": ", target.reason);
}

void TargetTable::restore(std::vector<TargetState> states) {
    for (TargetState& state : states) {
        if (state.health != Health::Unknown) {
            std::string name = state.name;
            restored_.insert_or_assign(std::move(name), std::move(state));
        }
    }
}

TargetId TargetTable::acquire(const dns::Name& name,
                              const std::shared_ptr<const health::ProbeSpec>& timing,
                              base::Now now) {
    if (const auto known = by_name_.find(name); known != by_name_.end()) {
        Target& target = *targets_[index(known->second)];
        if (target.timing->fall != timing->fall || target.timing->rise != timing->rise) {
            target.tracker = health::Tracker(timing->fall, timing->rise, target.tracker.health());
        }
        target.timing = timing;
        ++target.uses;
        return known->second;
    }
    auto target = std::make_unique<Target>(
        Target{name, name.to_text(), timing, health::Tracker(timing->fall, timing->rise)});
    target->uses = 1;
    if (const auto old = restored_.find(target->text);
        old != restored_.end() && is_young(old->second.verified, now.wall)) {
        target->tracker = health::Tracker(timing->fall, timing->rise, old->second.health);
        target->addresses = cleaned(std::move(old->second.addresses));
        target->verified = old->second.verified;
        target->heard = true;
        restored_.erase(old);
    }
    unheard_ += target->heard ? 0U : 1U;
    if (free_.empty()) {
        free_.push_back(TargetId{static_cast<std::uint32_t>(targets_.size())});
        targets_.emplace_back();
    }
    const TargetId id = free_.back();
    free_.pop_back();
    targets_[index(id)] = std::move(target);
    by_name_.emplace(name, id);
    plan(id, now.mono, timing->interval);
    return id;
}

void TargetTable::release(TargetId id) {
    Target& target = *targets_[index(id)];
    CHECK(target.uses > 0);
    if (--target.uses == 0) {
        unheard_ -= target.heard ? 0U : 1U;
        due_.erase({target.next, id});
        by_name_.erase(target.name);
        targets_[index(id)].reset();
        free_.push_back(id);
    }
}

void TargetTable::plan(TargetId id, base::Mono at, base::Duration spacing) {
    Target& target = *targets_[index(id)];
    target.next = at;
    target.spacing = spacing;
    target.asking = false;
    due_.insert({at, id});
}

std::vector<ResolveTarget> TargetTable::ask_due(base::Mono now) {
    std::vector<ResolveTarget> ask;
    while (!due_.empty() && due_.begin()->first <= now) {
        const TargetId id = due_.begin()->second;
        due_.erase(due_.begin());
        Target& target = *targets_[index(id)];
        target.asking = true;
        target.run = ++last_run_;
        ask.push_back({id, target.run, target.name});
    }
    return ask;
}

TargetTable::Recorded TargetTable::record(const ResolveDone& done, base::Now now) {
    const std::size_t at = index(done.target);
    if (at >= targets_.size() || targets_[at] == nullptr || !targets_[at]->asking ||
        targets_[at]->run != done.run) {
        return {};
    }
    Target& target = *targets_[at];
    Recorded recorded{true, false};
    const bool empty = done.resolution == Resolution::Addresses && done.addresses.empty();
    target.last = empty ? Resolution::NoData : done.resolution;
    target.reason = done.reason.substr(0, kMaxReason);
    target.tracker.record(outcome_of(*target.last), now.mono);
    unheard_ -= target.heard ? 0U : 1U;
    target.heard = true;
    // At the probe's own pace, whatever the TTL: a name that goes away is a failing check, and what
    // check promises for the probe holds for it too.
    base::Duration pause = std::max(target.timing->interval, kLeastPause);
    if (*target.last == Resolution::Addresses) {
        std::vector<base::IpAddress> addresses = cleaned(done.addresses);
        recorded.addresses_changed = addresses != target.addresses;
        target.addresses = std::move(addresses);
    } else if (target.tracker.suspicious()) {
        pause = std::max(target.timing->fast_interval, kLeastPause);
    }
    if (*target.last != Resolution::NoAnswer) {
        target.verified = now.wall;
    }
    plan(done.target, now.mono + pause, pause);
    return recorded;
}

health::Belief TargetTable::belief(TargetId id) const {
    const Target& target = at(id);
    return health::belief(target.tracker, target.next, target.spacing);
}

const Target& TargetTable::at(TargetId id) const {
    CHECK(index(id) < targets_.size() && targets_[index(id)] != nullptr);
    return *targets_[index(id)];
}

std::vector<TargetId> TargetTable::ids() const {
    std::vector<TargetId> all;
    for (std::size_t i = 0; i < targets_.size(); ++i) {
        if (targets_[i] != nullptr) {
            all.push_back(TargetId{static_cast<std::uint32_t>(i)});
        }
    }
    return all;
}

base::Mono TargetTable::next() const noexcept {
    return due_.empty() ? base::kNever : due_.begin()->first;
}

}  // namespace steerd::control
