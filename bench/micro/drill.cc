// How fast a drill streams resolvers through an outage, for each preset of the population: with
// `hour` every resolver's whole hour is gone through (queries at the authority are counted), else
// each jumps to the outage. `drill_engine` does the same once for a million and tells the memory.
// Thread rule: one thread.
#include <benchmark/benchmark.h>

#include "bench/outage.h"
#include "drill/engine.h"

namespace {

using namespace steerd;

constexpr std::uint64_t kResolvers = 20000;

void resolvers(benchmark::State& state, std::string_view preset) {
    const drill::Timeline timeline = bench::outage();
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
