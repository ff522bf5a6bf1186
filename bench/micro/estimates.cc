// Nanoseconds of a round trip's estimate: one between two prepared ends, and what a view's build
// pays for each (place, region), where a place is prepared once for all regions. Places are drawn
// from a fixed seed. Thread rule: one thread.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/rng.h"
#include "geo/rtt_model.h"

namespace {

using namespace steerd;

constexpr std::size_t kInputs = 4096;  // a power of two

std::vector<geo::Location> places(std::size_t count) {
    std::vector<geo::Location> out;
    base::Rng rng(5);
    for (std::size_t i = 0; i < count; ++i) {
        out.push_back({rng.unit() * 180 - 90, rng.unit() * 360 - 180});
    }
    return out;
}

void estimate_prepared(benchmark::State& state) {
    const std::vector<geo::Location> at = places(kInputs);
    const std::vector<geo::RttClient> clients(at.begin(), at.end());
    const geo::RttTarget target(at.front());
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(target.estimate_ms(clients[i++ % kInputs]));
    }
}

/// Items are estimates: a place is prepared, then estimated for so many regions.
void estimate_for_regions(benchmark::State& state) {
    const std::vector<geo::Location> at = places(kInputs);
    const std::vector<geo::Location> regions = places(static_cast<std::size_t>(state.range(0)));
    const std::vector<geo::RttTarget> targets(regions.begin(), regions.end());
    std::size_t i = 0;
    for (auto _ : state) {
        const geo::RttClient client(at[i++ % kInputs]);
        for (const geo::RttTarget& target : targets) {
            benchmark::DoNotOptimize(target.estimate_ms(client));
        }
    }
    const auto estimates = static_cast<double>(state.iterations() * state.range(0));
    state.counters["per_estimate"] =
        benchmark::Counter(estimates, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// As a region is prepared, once for each while loading.
void estimate_target(benchmark::State& state) {
    const std::vector<geo::Location> at = places(kInputs);
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(geo::RttTarget(at[i++ % kInputs]));
    }
}

BENCHMARK(estimate_prepared);
BENCHMARK(estimate_for_regions)->ArgName("regions")->Arg(1)->Arg(5)->Arg(12);
BENCHMARK(estimate_target);

}  // namespace
