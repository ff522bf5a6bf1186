// The report of a live drill.
#include "drill/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "drill/cache_client.h"
#include "drill/complete.h"
#include "drill/engine.h"
#include "drill/live_population.h"
#include "drill/live_timeline.h"
#include "drill/measure.h"

namespace steerd::drill {

namespace {

double seconds_of(base::Mono at) {
    return std::chrono::duration<double>(at.time_since_epoch()).count();
}

Timeline skeleton_of(const Scenario& scenario, const Clients& clients) {
    Timeline timeline;
    timeline.duration = scenario.duration;
    timeline.cells = clients.cells;
    timeline.classes.resize(clients.groups.size());
    return timeline;
}

/// Kinds of clients of whom no cache was sampled.
struct Unseen {
    std::size_t kinds = 0;
    double share = 0;  // of all demand
};

/// They count as the largest kind of their demand that was seen.
Unseen fill_unseen(const Scenario& scenario, Timeline& timeline) {
    std::vector<ClassTimeline>& classes = timeline.classes;
    const auto seen = [&](const DemandCell& cell) {
        return !classes[cell.timeline].pieces.empty();
    };
    double all_qps = 0;
    for (const ScenarioDemand& demand : scenario.demands) {
        all_qps += demand.spec.qps;
    }
    Unseen unseen;
    const std::vector<DemandCell>& cells = timeline.cells;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> copies;  // to, from
    for (const DemandCell& cell : cells) {
        if (seen(cell)) {
            continue;
        }
        const DemandCell* best = nullptr;
        for (const DemandCell& other : cells) {
            const bool nearer = best == nullptr ||
                                (other.demand == cell.demand) > (best->demand == cell.demand) ||
                                ((other.demand == cell.demand) == (best->demand == cell.demand) &&
                                 other.share > best->share);
            best = seen(other) && nearer ? &other : best;
        }
        if (best != nullptr) {
            copies.emplace_back(cell.timeline, best->timeline);
        }
        ++unseen.kinds;
        unseen.share += cell.share * scenario.demands[cell.demand].spec.qps / all_qps;
    }
    for (const auto& [to, from] : copies) {
        classes[to] = classes[from];
    }
    for (ClassTimeline& one : classes) {
        if (one.pieces.empty()) {
            one.pieces.push_back({base::Mono{}, {Offer{}}});
        }
    }
    return unseen;
}

/// What the world and the monitor saw, as the timeline that the counting reads.
std::pair<Timeline, Unseen> timeline_seen(const Scenario& scenario, const Bound& bound,
                                          const Clients& clients, const LiveWorld& world,
                                          const LivePopulation& population) {
    Timeline timeline = skeleton_of(scenario, clients);
    timeline.answers = population.answers();
    if (timeline.answers.empty()) {
        timeline.answers.emplace_back();
    }
    LiveSeen seen;
    seen.samples = population.samples();
    seen.groups = clients.groups.size();
    seen.end = std::chrono::duration<double>(scenario.duration).count();
    for (const base::Mono turn : world.turns()) {
        if (seconds_of(turn) > 0) {
            seen.turns.push_back(seconds_of(turn));
        }
    }
    std::sort(seen.turns.begin(), seen.turns.end());
    timeline.classes = classes_seen(seen);
    const Unseen unseen = fill_unseen(scenario, timeline);
    timeline.switches = switches_seen(timeline.classes);
    timeline.truth = world.truth().truth(base::Mono{scenario.duration});
    timeline.authority = world.authority();
    timeline.events = event_times(scenario, bound, world.log(), world.judged_by(), timeline);
    return {std::move(timeline), unseen};
}

template <class Client>
void replay(const FlatTimeline& flat, const std::vector<bool>& negative, const LiveCache& cache,
            Measure& counts) {
    const FlatClass& line = flat.classes[cache.group];
    Client client(flat, *cache.model, counts);
    LiveReplay<Client, Measure> stream(flat, *cache.model, client, counts);
    base::Rng rng = cache.client;
    counts.stand_for(cache.sampled.stands_for);
    (void)client.begin(line, rng, 0);
    stream.run(line, cache.record, negative, rng.next());
    client.finish(flat.duration);
}

Results count(const Timeline& timeline, const LivePopulation& population,
              const EngineOptions& options) {
    const FlatTimeline flat = flatten(timeline);
    const MeasurePlan plan = plan_measure(timeline, population.class_names(), options);
    Measure counts(plan);
    std::vector<bool> negative;
    for (const Answer& answer : timeline.answers) {
        negative.push_back(answer.negative);
    }
    for (const LiveCache& cache : population.caches()) {
        if (cache.model->client.present()) {
            replay<StubClient<Measure>>(flat, negative, cache, counts);
        } else {
            replay<DirectClient<Measure>>(flat, negative, cache, counts);
        }
    }
    return results_of(timeline, plan, counts, options);
}

void say_assumptions(const Scenario& scenario, const LivePopulation& population, VirtualRun& run) {
    run.assumptions.emplace_back(
        "Detection is the moment at which the server logged the change of state; its log does not "
        "tell the first failed check, so that figure is empty.");
    run.assumptions.push_back(fmt::format(
        "The switch is read off answers asked for every {:.0f} ms for each place; it is known to "
        "about that, and shares of drawn answers are counted.",
        population.monitor_gap_s() * 1000));
    run.assumptions.emplace_back(
        "A request is what a client would send at the answer its cache holds; requests to a killed "
        "or frozen endpoint fail, a share of those to a gray one.");
    for (const std::string& one : scenario.population.assumptions) {
        run.assumptions.push_back(one);
    }
    run.assumptions.emplace_back(
        "Queries reach each cache at random moments (Poisson); caches start in their stationary "
        "state, with an answer that the server gave.");
}

void say_notes(const Scenario& scenario, const LiveWorld& world, const LivePopulation& population,
               VirtualRun& run) {
    run.notes = world.notes();
    for (std::string& one : world.unheard()) {
        run.notes.push_back(std::move(one));
    }
    run.notes.push_back(fmt::format(
        "Sampled: {} live caches stand for {:.0f} resolvers, with the shares of demand kept; a "
        "share of one half is known to about {:.1f} % (one standard error), and times at small "
        "shares more roughly.",
        population.caches().size(), population.resolvers(),
        50 / std::sqrt(static_cast<double>(std::max<std::size_t>(1, population.caches().size())))));
    if (population.latest_s() > 0.1) {
        run.notes.push_back(fmt::format("This machine was busy: an event happened {:.1f} s late.",
                                        population.latest_s()));
    }
    const auto any = [&](EventKind kind) {
        return std::any_of(
            scenario.events.begin(), scenario.events.end(),
            [&](const ScenarioEvent& event) { return event.kind == kind && !event.on_server(); });
    };
    if (any(EventKind::Blackhole)) {
        run.notes.emplace_back(
            "A blackholed endpoint is a stopped process (SIGSTOP) whose new connections the kernel "
            "drops; those already open stay open and silent.");
    }
    if (any(EventKind::Slow) || any(EventKind::Gray)) {
        run.notes.emplace_back(
            "Slow and gray endpoints answer late or badly over HTTP; a TCP check sees the "
            "connection alone, which the kernel accepts at once, and does not notice.");
    }
    if (any(EventKind::Partition)) {
        run.notes.emplace_back(
            "A partitioned endpoint drops connections from all but the drill's own address.");
    }
    if (scenario.population.citation.empty()) {
        return;
    }
    run.notes.push_back("Population: " + scenario.population.citation);
}

}  // namespace

Report live_drill(const Scenario& scenario, const Bound& bound, const LiveDrillOptions& options,
                  base::Problems& problems) {
    Report report;
    const std::size_t errors = problems.error_count();
    const std::array plans{bound.plan};
    const Clients clients = find_clients(scenario, bound.steered, plans, problems);
    if (problems.error_count() > errors) {
        return report;
    }
    LiveOptions world_options;
    world_options.program = options.program;
    world_options.cancelled = options.cancelled;
    const auto world = LiveWorld::start(scenario, bound, world_options, problems);
    if (world == nullptr) {
        return report;
    }
    LivePopulation population(scenario, bound, *world, clients, skeleton_of(scenario, clients));
    auto failed = population.warm_up(options.cancelled);
    if (!failed) {
        failed = population.run(options.cancelled, options.progress);
    }
    if (failed) {
        problems.error({}, "live drill: " + *failed);
        return report;
    }
    VirtualRun run;
    Unseen unseen;
    std::tie(run.timeline, unseen) = timeline_seen(scenario, bound, clients, *world, population);
    run.stories = event_stories(run.timeline);
    run.rtt_ms = clients.rtt_ms;
    say_assumptions(scenario, population, run);
    say_notes(scenario, *world, population, run);
    if (unseen.kinds > 0) {
        run.notes.push_back(fmt::format(
            "Not sampled: of {} of {} kinds of clients ({:.2g} % of demand) no cache asked; they "
            "count as the largest kind of their demand that did.",
            unseen.kinds, run.timeline.cells.size(), 100 * unseen.share));
    }
    EngineOptions engine;
    engine.seed = scenario.seed;
    engine.rtt_ms = clients.rtt_ms;
    for (const policy::Endpoint& endpoint : bound.plan->endpoints) {
        engine.endpoint_names.push_back(endpoint.name);
    }
    report.results = count(run.timeline, population, engine);
    report.results.mode = "live";
    complete_report(scenario, bound, run, report);
    report.verdicts = judge(scenario.expect, report.results);
    return report;
}

}  // namespace steerd::drill
