// Counting. A run of one answer touches a handful of cells whatever its length: its two ends in the
// grids, and the integrals of what fails under it. Fetches are one addition each. States come from
// the timeline, which was checked, so the inner calls index by plain pointers.
#include "drill/measure.h"

#include <algorithm>

namespace steerd::drill {

namespace {

/// The first grid point at or after `t`; a hair before a point counts as on it.
std::size_t point_at(double t, double per_step, std::size_t points) noexcept {
    const double index = t * per_step - 1e-9;
    if (index <= 0) {
        return 0;
    }
    const auto whole = static_cast<std::int64_t>(index);  // signed: one instruction each way
    const std::int64_t up = static_cast<double>(whole) < index ? 1 : 0;
    return std::min(points, static_cast<std::size_t>(whole + up));
}

}  // namespace

void FailingIntegral::add(double from, double failing) {
    const double before = knots_.empty() ? 0 : until(from);
    knots_.push_back(Knot{from, failing, before});
    ever_ = ever_ || failing > 0;
}

const FailingIntegral::Knot& FailingIntegral::knot_at(double t) const noexcept {
    return *std::prev(std::upper_bound(knots_.begin(), knots_.end(), t,
                                       [](double at, const Knot& knot) { return at < knot.from; }));
}

Measure::Measure(const MeasurePlan& plan)
    : demand(plan.states * (plan.points + 1)),
      dead(plan.classes.size() * (plan.points + 1)),
      places(plan.places.size()),
      plan_(plan),
      per_step_(1 / plan.step),
      duration_(plan.duration),
      points_(plan.points),
      quiet_(plan.quiet.data()),
      first_event_(plan.first_event),
      during_ends_(plan.during_ends),
      fetches_(plan.points + 1) {
    for (const EventPlan& event : plan.events) {
        events.emplace_back();
        events.back().on.resize(plan.classes.size() * (event.points + 1));
    }
}

void Measure::stand_for(const Stream& stream) noexcept {
    stream_ = stream;
    rate_ = to_units(stream.rate, kRateUnit);
    caches_ = to_units(stream.caches, kCacheUnit);
    total_rate += rate_;
    place_ = places.data() + plan_.place_of_cell.data()[stream.cell];
    place_->rate += rate_;
}

inline double Measure::failing_s(const std::vector<Use>& use, double from,
                                 double to) const noexcept {
    double sum = 0;
    for (const Use& one : use) {
        const FailingIntegral& failing = plan_.failing.data()[one.endpoint];
        if (failing.ever()) {
            sum += one.share * (failing.until(to) - failing.until(from));
        }
    }
    return sum;
}

inline void Measure::run_event(std::size_t event, double from, double to,
                               std::uint32_t state) noexcept {
    const EventPlan& plan = plan_.events.data()[event];
    const double a = std::max(from, plan.before);
    const double b = std::min(to, plan.ends);
    if (a >= b) {
        return;
    }
    EventCount& count = events.data()[event];
    if (plan.on.data()[state] > 0) {
        std::int64_t* on = count.on.data() + stream_.group * (plan.points + 1);
        const auto part =
            static_cast<std::int64_t>(static_cast<double>(rate_) * plan.on.data()[state]);
        on[point_at(a - plan.before, plan.per_step, plan.points)] += part;
        on[b >= plan.ends ? plan.points : point_at(b - plan.before, plan.per_step, plan.points)] -=
            part;
        count.lost +=
            to_units(stream_.rate * failing_s(plan.use.data()[state], a, b), kRequestUnit);
    }
    if (b <= plan.at) {
        return;
    }
    // A dead server fails lookups; dead endpoints may leave answers with nothing in them.
    const bool lookup_failed = state + 1 == plan_.states;
    if (plan.server ? lookup_failed : (plan_.unserved.data()[state] != 0 && !lookup_failed)) {
        count.unserved += to_units(stream_.rate * (b - std::max(a, plan.at)), kRequestUnit);
        // What is so at the beginning was so before it, but for a server that dies then.
        const bool before = from < plan.at || (from <= 0 && !plan.server);
        count.unserved_rate += before ? rate_ : 0;
    }
}

inline void Measure::run_place(double from, double to, std::uint32_t state) noexcept {
    PlaceCount& place = *place_;
    // Clients that never had an answer are no loss of anything that happened.
    const bool since_then = from > 0 && from >= plan_.first_event;
    if (state + 1 == plan_.states || (plan_.unserved.data()[state] != 0 && since_then)) {
        place.lost += to_units(stream_.rate * (to - from), kRequestUnit);
    } else if (plan_.harmful.data()[state] != 0) {
        place.lost +=
            to_units(stream_.rate * failing_s(plan_.use.data()[state], from, to), kRequestUnit);
    }
    if (plan_.rtt_ms == nullptr) {
        return;
    }
    const std::vector<double>& rtt = (*plan_.rtt_ms)[stream_.cell];
    const double begins[2] = {0, plan_.first_event};
    const double ends[2] = {plan_.first_event, plan_.disturbed_ends};
    for (int phase = 0; phase < 2; ++phase) {
        const double length = std::min(to, ends[phase]) - std::max(from, begins[phase]);
        if (length <= 0) {
            continue;
        }
        for (const Use& use : plan_.use[state]) {
            if (use.endpoint < rtt.size() && rtt[use.endpoint] >= 0) {
                const double requests = stream_.rate * length * use.share;
                place.timed[phase] += to_units(requests, kRequestUnit);
                place.rtt[phase] += to_units(requests * rtt[use.endpoint], kRequestUnit);
            }
        }
    }
}

void Measure::run(double from, double to, std::uint32_t state) noexcept {
    from = std::max(from, 0.0);
    to = std::min(to, duration_);
    if (from >= to) {
        return;
    }
    const std::size_t first = from <= 0 ? 0 : point_at(from, per_step_, points_);
    const std::size_t last = to >= duration_ ? points_ : point_at(to, per_step_, points_);
    std::int64_t* const row = demand.data() + state * (points_ + 1);
    row[first] += rate_;
    row[last] -= rate_;
    if (quiet_[state] == 0) {
        run_noticed(Span{from, to, last}, state);
    }
}

void Measure::run_noticed(const Span& span, std::uint32_t state) noexcept {
    std::int64_t* const gone = dead.data() + stream_.group * (points_ + 1);
    for (const DeadSpan& out : plan_.dead.data()[state]) {
        const double a = std::max(span.from, out.from);
        const double b = std::min(span.to, out.to);
        if (a < b) {
            const auto part = static_cast<std::int64_t>(static_cast<double>(rate_) * out.share);
            gone[point_at(a, per_step_, points_)] += part;
            // Mostly the run itself ends there, whose point is known.
            gone[b == span.to     ? span.last
                 : b >= duration_ ? points_
                                  : point_at(b, per_step_, points_)] -= part;
        }
    }
    for (std::size_t i = 0; i < plan_.events.size(); ++i) {
        run_event(i, span.from, span.to, state);
    }
    run_place(span.from, span.to, state);
}

void Measure::flow(double from, double to, double rate) noexcept {
    double at = std::max(from, 0.0);
    to = std::min(to, plan_.duration);
    const double caches = stream_.caches * rate;
    while (at < to) {
        const auto bin = static_cast<std::size_t>(at * per_step_);
        double next = std::min(to, static_cast<double>(bin + 1) * plan_.step);
        const std::size_t phase = at < first_event_ ? 0 : (at < during_ends_ ? 1 : 2);
        const double edge = phase == 0 ? first_event_ : (phase == 1 ? during_ends_ : to);
        next = std::min(next, edge);
        if (next <= at) {
            next = std::nextafter(at, kForever);  // a bin's end that rounding has put behind
        }
        const std::int64_t units = to_units(caches * (next - at), kCacheUnit);
        fetches_[std::min(bin, plan_.points)] += units;
        phase_fetches_[phase] += units;
        at = next;
    }
}

void Measure::merge(const Measure& other) noexcept {
    const auto add = [](std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
        for (std::size_t i = 0; i < to.size(); ++i) {
            to[i] += from[i];
        }
    };
    add(demand, other.demand);
    add(dead, other.dead);
    add(fetches_, other.fetches_);
    for (std::size_t i = 0; i < events.size(); ++i) {
        add(events[i].on, other.events[i].on);
        events[i].lost += other.events[i].lost;
        events[i].unserved += other.events[i].unserved;
        events[i].unserved_rate += other.events[i].unserved_rate;
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
        places[i].rate += other.places[i].rate;
        places[i].lost += other.places[i].lost;
        for (int phase = 0; phase < 2; ++phase) {
            places[i].rtt[phase] += other.places[i].rtt[phase];
            places[i].timed[phase] += other.places[i].timed[phase];
        }
    }
    for (std::size_t phase = 0; phase < 3; ++phase) {
        phase_fetches_[phase] += other.phase_fetches_[phase];
    }
    total_rate += other.total_rate;
    formula_fetches += other.formula_fetches;
}

}  // namespace steerd::drill
