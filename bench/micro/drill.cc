// How fast a drill streams resolvers through an outage, for each preset of the population: with
// `hour` every resolver's whole hour is gone through (queries at the authority are counted), else
// each jumps to the outage. `drill_engine` does the same once for a million and tells the memory.
// Thread rule: one thread.
#include <benchmark/benchmark.h>

#include "drill/engine.h"

namespace {

using namespace steerd;
using std::chrono::seconds;

constexpr std::uint64_t kResolvers = 20000;

/// One endpoint dies at 300 s; its answer is replaced at 312 s by another's.
drill::Timeline outage() {
    drill::Timeline timeline;
    timeline.duration = std::chrono::minutes(60);
    timeline.answers.resize(2);
    timeline.answers[0].endpoints = {policy::EndpointId{0}};
    timeline.answers[1].endpoints = {policy::EndpointId{1}};
    drill::ClassTimeline line;
    line.pieces.push_back({base::Mono{}, {{0, 1.0, 30, 0, base::kNever}}});
    line.pieces.push_back({base::Mono{seconds(312)}, {{1, 1.0, 30, 0, base::kNever}}});
    timeline.classes.push_back(line);
    timeline.cells.push_back({0, 0, 1.0, "JP"});
    timeline.truth = {{{base::Mono{}, 0}, {base::Mono{seconds(300)}, 1}}, {}};
    drill::EventTimes event;
    event.at = base::Mono{seconds(300)};
    event.takes_out = true;
    event.endpoints = {policy::EndpointId{0}};
    event.detected = event.switched = base::Mono{seconds(312)};
    timeline.events.push_back(event);
    return timeline;
}

void resolvers(benchmark::State& state, std::string_view preset) {
    const drill::Timeline timeline = outage();
    const auto population = drill::preset_population(preset);
    const drill::DemandSpec demand{kResolvers, static_cast<double>(kResolvers), 0};
    drill::EngineOptions options;
    options.authority_load = state.range(0) != 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(drill::run_engine(timeline, *population, {&demand, 1}, options));
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kResolvers));
}

void each_way(benchmark::internal::Benchmark* it) {
    it->ArgName("hour")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(resolvers, ideal, "ideal")->Apply(each_way);
BENCHMARK_CAPTURE(resolvers, mixed, "mixed")->Apply(each_way);

}  // namespace
