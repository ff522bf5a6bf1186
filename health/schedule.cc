// See schedule.h. A moment in the heap counts only while its version is the entry's: planning anew
// does not search the heap. Thread rule: one owner.
#include "health/schedule.h"

#include <algorithm>

#include "base/check.h"

namespace steerd::health {

namespace {

/// The first moment of the phase that is not before `at` and after `behind`.
base::Mono phase_at(base::Mono anchor, base::Duration interval, base::Mono at, base::Mono behind) {
    const base::Mono least = std::max(at, behind + base::Duration(1));
    if (least <= anchor) {
        return anchor;
    }
    const auto periods = (least - anchor + interval - base::Duration(1)) / interval;
    return anchor + periods * interval;
}

}  // namespace

Schedule::Schedule(std::size_t max_in_flight) noexcept : max_in_flight_(max_in_flight) {
    CHECK(max_in_flight > 0);
}

CheckId Schedule::add(Timing timing, base::Mono now, base::Duration spread, base::Rng& rng) {
    CHECK(timing.interval > base::Duration::zero());
    const auto draw = [&rng](base::Duration bound) {
        const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(bound.count(), 1));
        return base::Duration(static_cast<std::int64_t>(rng.below(ns)));
    };
    std::uint32_t check = 0;
    if (free_.empty()) {
        check = static_cast<std::uint32_t>(entries_.size());
        entries_.emplace_back();
    } else {
        check = free_.back();
        free_.pop_back();
    }
    Entry& entry = entries_[check];
    entry.timing = timing;
    entry.anchor = now + draw(timing.interval);
    plan(check, now + draw(std::min(spread, kMaxSpread)));
    return CheckId{check};
}

void Schedule::plan(std::uint32_t check, base::Mono at) {
    Entry& entry = entries_[check];
    entry.state = State::Waiting;
    entry.start = at;
    ++entry.version;
    due_.push({at, order_++, check, entry.version});
}

void Schedule::remove(CheckId id) {
    const auto check = static_cast<std::uint32_t>(id);
    Entry& entry = entries_[check];
    CHECK(entry.state == State::Waiting || entry.state == State::InFlight);
    if (entry.state == State::InFlight) {
        entry.state = State::Removed;
        return;
    }
    entry.state = State::Free;
    ++entry.version;
    free_.push_back(check);
}

void Schedule::drop_stale() noexcept {
    while (!due_.empty() && entries_[due_.top().check].version != due_.top().version) {
        due_.pop();
    }
}

std::vector<CheckId> Schedule::start_due(base::Mono now) {
    std::vector<CheckId> started;
    drop_stale();
    while (in_flight_ < max_in_flight_ && !due_.empty() && due_.top().at <= now) {
        const std::uint32_t check = due_.top().check;
        due_.pop();
        Entry& entry = entries_[check];
        entry.state = State::InFlight;
        entry.start = now;
        ++entry.version;
        ++in_flight_;
        started.push_back(CheckId{check});
        drop_stale();
    }
    return started;
}

bool Schedule::done(CheckId id, base::Mono ended, Pace pace) {
    const auto check = static_cast<std::uint32_t>(id);
    Entry& entry = entries_[check];
    CHECK(entry.state == State::InFlight || entry.state == State::Removed);
    --in_flight_;
    if (entry.state == State::Removed) {
        entry.state = State::Free;
        free_.push_back(check);
        return false;
    }
    const base::Mono started = entry.start;
    plan(check, pace == Pace::Fast ? std::max(started + entry.timing.fast_interval, ended)
                                   : phase_at(entry.anchor, entry.timing.interval, ended, started));
    return true;
}

base::Mono Schedule::next() noexcept {
    drop_stale();
    return in_flight_ >= max_in_flight_ || due_.empty() ? base::kNever : due_.top().at;
}

base::Mono Schedule::start_of(CheckId id) const noexcept {
    return entries_[static_cast<std::uint32_t>(id)].start;
}

bool Schedule::in_flight(CheckId id) const noexcept {
    const State state = entries_[static_cast<std::uint32_t>(id)].state;
    return state == State::InFlight || state == State::Removed;
}

}  // namespace steerd::health
