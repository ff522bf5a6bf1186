// See check_table.h. Thread rule: one owner.
#include "control/check_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace steerd::control {

using health::CheckId;
using health::Health;
using health::Outcome;

namespace {

constexpr std::size_t kMaxReason = 200;

std::size_t index(CheckId id) noexcept { return static_cast<std::size_t>(id); }

}  // namespace

std::string cause_of(const health::Verdict& verdict) {
    std::string reason = verdict.reason.substr(0, kMaxReason);
    if (verdict.outcome != Outcome::Pass && verdict.outcome != Outcome::Slow) {
        return reason;
    }
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(verdict.latency).count();
    return fmt::format("{} in {} ms{}", reason, ms,
                       verdict.outcome == Outcome::Slow ? ", slow" : "");
}

CheckTable::CheckTable(std::uint64_t seed, std::size_t max_in_flight)
    : rng_(seed), schedule_(max_in_flight) {}

void CheckTable::restore(std::vector<CheckState> states) {
    for (CheckState& state : states) {
        if (state.health != Health::Unknown) {
            RestoredKey key{state.address, state.probe, state.target};
            restored_.insert_or_assign(std::move(key), std::move(state));
        }
    }
}

/// Lives as long as a check of that name does; a reload ends old checks after it began new ones.
std::shared_ptr<CheckDurations> CheckTable::durations_of(const std::string& probe) {
    auto& kept = durations_[probe];
    auto durations = kept.lock();
    if (durations == nullptr) {
        durations = std::make_shared<CheckDurations>();
        kept = durations;
        std::erase_if(durations_, [](const auto& entry) { return entry.second.expired(); });
    }
    return durations;
}

Check CheckTable::start_of_life(const base::IpAddress& address,
                                const std::shared_ptr<const health::ProbeSpec>& spec,
                                base::Wall now) {
    const std::uint64_t target = health::target_fingerprint(*spec);
    const auto known = by_address_.find(address);
    if (known != by_address_.end()) {
        for (const CheckId other : known->second) {
            const Check& old = *checks_[index(other)];
            if (old.spec->name == spec->name && health::target_fingerprint(*old.spec) == target) {
                Check check = old;  // only the timing changed
                check.spec = spec;
                check.tracker = health::Tracker(spec->fall, spec->rise, old.tracker.health());
                check.uses = 0;
                return check;
            }
        }
    }
    Check check{address, spec, health::Tracker(spec->fall, spec->rise)};
    check.since = now;
    const auto restored = restored_.find({address, spec->name, target});
    if (restored != restored_.end() && is_young(restored->second.verified, now)) {
        check.tracker = health::Tracker(spec->fall, spec->rise, restored->second.health);
        check.heard = true;
        check.since = restored->second.since;
        check.verified = restored->second.verified;
        check.cause = std::move(restored->second.cause);
        restored_.erase(restored);
    }
    return check;
}

CheckId CheckTable::acquire(const base::IpAddress& address,
                            const std::shared_ptr<const health::ProbeSpec>& spec, base::Now now,
                            base::Duration spread) {
    const auto known = by_address_.find(address);
    if (known != by_address_.end()) {
        for (const CheckId id : known->second) {
            Check& check = *checks_[index(id)];
            if (check.spec == spec || *check.spec == *spec) {
                ++check.uses;
                return id;
            }
        }
    }
    auto check = std::make_unique<Check>(start_of_life(address, spec, now.wall));
    check->uses = 1;
    check->durations = durations_of(spec->name);
    unheard_ += check->heard ? 0U : 1U;
    const CheckId id = schedule_.add({spec->interval, spec->fast_interval}, now.mono, spread, rng_);
    if (index(id) >= checks_.size()) {
        checks_.resize(index(id) + 1);
    }
    CHECK(checks_[index(id)] == nullptr);
    checks_[index(id)] = std::move(check);
    by_address_[address].push_back(id);
    return id;
}

void CheckTable::release(CheckId id) {
    Check& check = *checks_[index(id)];
    CHECK(check.uses > 0);
    if (--check.uses > 0) {
        return;
    }
    unheard_ -= check.heard ? 0U : 1U;
    const auto here = by_address_.find(check.address);
    std::erase(here->second, id);
    if (here->second.empty()) {
        by_address_.erase(here);
    }
    if (!schedule_.in_flight(id)) {
        checks_[index(id)].reset();
    }  // else record() ends it, when its verdict comes
    schedule_.remove(id);
}

std::vector<health::StartCheck> CheckTable::start_due(base::Mono now) {
    std::vector<health::StartCheck> start;
    for (const CheckId id : schedule_.start_due(now)) {
        Check& check = *checks_[index(id)];
        check.run = ++last_run_;
        start.push_back({id, check.run, check.address, check.spec});
    }
    return start;
}

bool CheckTable::record(const health::CheckDone& done, base::Now now) {
    const std::size_t at = index(done.check);
    if (at >= checks_.size() || checks_[at] == nullptr || checks_[at]->run != done.run ||
        !schedule_.in_flight(done.check)) {
        return false;
    }
    Check& check = *checks_[at];
    const health::Verdict& verdict = done.verdict;
    if (check.uses == 0) {
        (void)schedule_.done(done.check, now.mono, health::Pace::Phase);
        checks_[at].reset();
        return false;
    }
    const base::Mono ended = std::min(done.ended, now.mono);
    const base::Wall ended_wall = now.wall - (now.mono - ended);
    const health::Recorded recorded = check.tracker.record(verdict.outcome, ended);
    (void)schedule_.done(done.check, ended,
                         check.tracker.suspicious() ? health::Pace::Fast : health::Pace::Phase);
    unheard_ -= check.heard ? 0U : 1U;
    check.heard = true;
    check.last = verdict.outcome;
    check.reason = verdict.reason.substr(0, kMaxReason);
    check.latency = verdict.latency;
    check.last_at = ended_wall;
    if (verdict.certificate_expires) {
        check.certificate_expires = verdict.certificate_expires;
    }
    switch (verdict.outcome) {
        case Outcome::Pass:
            ++check.counts.pass;
            break;
        case Outcome::Slow:
            ++check.counts.slow;
            break;
        case Outcome::Fail:
            ++check.counts.fail;
            break;
        case Outcome::Inconclusive:
            ++check.counts.inconclusive;
            return true;
    }
    check.durations->add(verdict.latency);
    check.verified = ended_wall;
    if (recorded == health::Recorded::Changed) {
        check.since = now.wall;
        check.cause = cause_of(verdict);
    }
    return true;
}

health::Belief CheckTable::belief(CheckId id) const {
    const Check& check = at(id);
    const base::Duration spacing =
        check.tracker.suspicious() ? check.spec->fast_interval : check.spec->interval;
    return health::belief(check.tracker, schedule_.start_of(id), spacing);
}

const Check& CheckTable::at(CheckId id) const {
    CHECK(index(id) < checks_.size() && checks_[index(id)] != nullptr);
    return *checks_[index(id)];
}

std::vector<CheckId> CheckTable::ids() const {
    std::vector<CheckId> all;
    for (std::size_t i = 0; i < checks_.size(); ++i) {
        if (checks_[i] != nullptr && checks_[i]->uses > 0) {
            all.push_back(CheckId{static_cast<std::uint32_t>(i)});
        }
    }
    return all;
}

}  // namespace steerd::control
