// What to count, from the timeline and its events: grids fine enough for figures of 0.1 s where
// memory allows, who is on what under each answer, and when which endpoints are out.
#include "drill/measure_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "drill/engine.h"

namespace steerd::drill {

namespace {

constexpr std::size_t kGridPoints = 4096;  // of the curves
constexpr std::size_t kGridCells = std::size_t{1} << 20;
constexpr std::size_t kEventCells = std::size_t{1} << 24;  // of all events together, in each thread
constexpr double kEventStep = 0.1;
/// An order holds at once; what was on its target is read so much earlier.
constexpr double kMomentBefore = 1e-6;

/// A step people read easily, so that events at whole minutes fall on the grid.
double round_step(double at_least) {
    for (const double step : {0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0}) {
        if (step >= at_least) {
            return step;
        }
    }
    return std::ceil(at_least / 60) * 60;
}

std::vector<Use> uses_of(const Answer& answer) {
    std::vector<Use> uses;
    const double share =
        1.0 / static_cast<double>(std::max<std::size_t>(1, answer.endpoints.size()));
    for (const policy::EndpointId endpoint : answer.endpoints) {
        uses.push_back(Use{static_cast<std::uint32_t>(endpoint), share});
    }
    return uses;
}

std::set<std::uint32_t> targets_of(const EventTimes& event) {
    std::set<std::uint32_t> targets;
    for (const policy::EndpointId endpoint : event.endpoints) {
        targets.insert(static_cast<std::uint32_t>(endpoint));
    }
    return targets;
}

double share_in(const std::vector<Use>& uses, const std::set<std::uint32_t>& endpoints) {
    double share = 0;
    for (const Use& use : uses) {
        share += endpoints.contains(use.endpoint) ? use.share : 0;
    }
    return share;
}

EventPlan plan_event(const EventTimes& event, const MeasurePlan& plan) {
    EventPlan made;
    made.at = std::min(seconds(event.at), plan.duration);
    made.before = std::max(0.0, made.at - kMomentBefore);
    made.ends = std::max(made.at, std::min(seconds(event.ends), plan.duration));
    made.server = event.takes_out && event.endpoints.empty();
    const std::set<std::uint32_t> targets = targets_of(event);
    for (const std::vector<Use>& uses : plan.use) {
        made.on.push_back(event.takes_out ? share_in(uses, targets) : 0);
        made.use.emplace_back();
        for (const Use& use : uses) {
            if (targets.contains(use.endpoint)) {
                made.use.back().push_back(use);
            }
        }
    }
    return made;
}

/// Steps of all events grow together until their cells fit.
void size_events(MeasurePlan& plan) {
    double step = kEventStep;
    while (true) {
        std::size_t cells = 0;
        for (EventPlan& event : plan.events) {
            event.step = step;
            event.per_step = 1 / step;
            event.points = static_cast<std::size_t>((event.ends - event.at) / step + 1e-9) + 1;
            cells += event.points * plan.classes.size();
        }
        if (cells <= kEventCells) {
            return;
        }
        step *= 2;
    }
}

void plan_dead(const Timeline& timeline, MeasurePlan& plan) {
    std::set<double> edges;
    for (const EventPlan& event : plan.events) {
        edges.insert(event.at);
        edges.insert(event.ends);
    }
    plan.dead.resize(plan.states);
    for (auto edge = edges.begin(); edge != edges.end() && std::next(edge) != edges.end(); ++edge) {
        std::set<std::uint32_t> out;
        for (std::size_t i = 0; i < plan.events.size(); ++i) {
            if (timeline.events[i].takes_out && plan.events[i].at <= *edge &&
                plan.events[i].ends > *edge) {
                out.merge(targets_of(timeline.events[i]));
            }
        }
        for (std::uint32_t state = 0; state < plan.states; ++state) {
            const double share = share_in(plan.use[state], out);
            if (share > 0) {
                plan.dead[state].push_back(DeadSpan{*edge, *std::next(edge), share});
            }
        }
    }
}

void plan_phases(const Timeline& timeline, MeasurePlan& plan) {
    double last_end = 0;
    double last_switch = 0;
    for (std::size_t i = 0; i < plan.events.size(); ++i) {
        plan.first_event = std::min(plan.first_event, plan.events[i].at);
        if (timeline.events[i].takes_out) {
            last_end = std::max(last_end, plan.events[i].ends);
            // What no answer ever leaves (a dead server, the last endpoint) changes at once or
            // never.
            const double switched = seconds(timeline.events[i].switched);
            last_switch = std::max(last_switch, switched < kForever ? switched : plan.events[i].at);
        }
    }
    plan.disturbed_ends = last_end;
    // Where nothing recovers, `after` is what follows the last switch, be it that of an event that
    // has ended: the server may be gone for good while the rest is fine.
    plan.during_ends = last_end < plan.duration ? last_end : std::min(last_switch, plan.duration);
    plan.during_ends = std::max(plan.during_ends, std::min(plan.first_event, plan.duration));
}

}  // namespace

MeasurePlan plan_measure(const Timeline& timeline, std::vector<std::string> classes,
                         const EngineOptions& options) {
    MeasurePlan plan;
    plan.classes = std::move(classes);
    plan.duration = std::chrono::duration<double>(timeline.duration).count();
    plan.states = static_cast<std::uint32_t>(timeline.answers.size()) + 1;
    const std::size_t rows = plan.states + plan.classes.size();
    const std::size_t most = std::clamp(kGridCells / rows, options.curve_points, kGridPoints);
    plan.step = round_step(plan.duration / static_cast<double>(most));
    plan.points = static_cast<std::size_t>(plan.duration / plan.step + 1e-9) + 1;

    plan.endpoints = std::max(timeline.truth.size(), options.endpoint_names.size());
    for (const Answer& answer : timeline.answers) {
        plan.use.push_back(uses_of(answer));
        plan.unserved.push_back(answer.negative || answer.servfail || answer.endpoints.empty() ? 1
                                                                                               : 0);
        for (const Use& use : plan.use.back()) {
            plan.endpoints = std::max<std::size_t>(plan.endpoints, use.endpoint + std::size_t{1});
        }
    }
    plan.use.emplace_back();  // the state of failed lookups uses nothing
    plan.unserved.push_back(1);
    plan.failing.resize(plan.endpoints);
    for (std::size_t endpoint = 0; endpoint < timeline.truth.size(); ++endpoint) {
        for (const Truth& truth : timeline.truth[endpoint]) {
            plan.failing[endpoint].add(seconds(truth.from), truth.failing);
        }
    }
    for (const std::vector<Use>& uses : plan.use) {
        plan.harmful.push_back(
            std::any_of(uses.begin(), uses.end(),
                        [&](const Use& use) { return plan.failing[use.endpoint].ever(); })
                ? 1
                : 0);
    }
    for (const EventTimes& event : timeline.events) {
        plan.events.push_back(plan_event(event, plan));
    }
    size_events(plan);
    plan_dead(timeline, plan);
    plan_phases(timeline, plan);
    for (std::uint32_t state = 0; state < plan.states; ++state) {
        const bool targeted =
            std::any_of(plan.events.begin(), plan.events.end(),
                        [&](const EventPlan& event) { return event.on[state] > 0; });
        plan.quiet.push_back(!targeted && plan.dead[state].empty() && plan.unserved[state] == 0 &&
                                     plan.harmful[state] == 0 && options.rtt_ms.empty()
                                 ? 1
                                 : 0);
    }

    std::map<std::string, std::uint32_t> place_ids;
    for (const DemandCell& cell : timeline.cells) {
        const auto id = static_cast<std::uint32_t>(place_ids.size());
        const auto [place, added] = place_ids.emplace(cell.place, id);
        if (added) {
            plan.places.push_back(cell.place);
        }
        plan.place_of_cell.push_back(place->second);
    }
    if (!options.rtt_ms.empty()) {
        CHECK(options.rtt_ms.size() == timeline.cells.size());
        plan.rtt_ms = &options.rtt_ms;
    }
    return plan;
}

}  // namespace steerd::drill
