// How fast the drill's engine is, on one core: a million resolvers over an hour (TTL 30 s, one
// query per second each), and the curve of one outage for a million resolvers. Prints both, in
// seconds of the wall and of the CPU (which others on the machine do not touch), the best of a few
// runs of the short one, and the memory at its peak for each resolver.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>

#include "base/clock.h"
#include "bench/outage.h"
#include "drill/engine.h"

namespace {

using namespace steerd;

double cpu_s() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

struct Took {
    double wall_s = 0, cpu_s = 0;
};

Took timed(const drill::Timeline& timeline, bool authority_load, drill::Results& results) {
    const auto population = drill::preset_population("ideal");
    const drill::DemandSpec demand{1000000, 1e6, 0};
    drill::EngineOptions options;
    options.authority_load = authority_load;
    const base::RealClock clock;
    const base::Mono begin = clock.now().mono;
    const double cpu_before = cpu_s();
    results = drill::run_engine(timeline, *population, {&demand, 1}, options);
    return {std::chrono::duration<double>(clock.now().mono - begin).count(), cpu_s() - cpu_before};
}

}  // namespace

int main() {
    const drill::Timeline timeline = bench::outage();
    drill::Results results;
    const Took full = timed(timeline, true, results);
    std::printf("hour_of_a_million_s %.3f cpu_s %.3f (%.0f queries/s at the authority)\n",
                full.wall_s, full.cpu_s, results.authoritative_before_qps.value_or(0));
    Took jump = timed(timeline, false, results);
    for (int again = 0; again < 9; ++again) {
        const Took next = timed(timeline, false, results);
        jump = next.cpu_s < jump.cpu_s ? next : jump;
    }
    std::printf("outage_of_a_million_s %.3f cpu_s %.3f (p95 %.1f s)\n", jump.wall_s, jump.cpu_s,
                results.events[0].moved.p95.value_or(-1));
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    // Of the whole process, grids of the report included.
    std::printf("bytes_per_resolver %.1f\n", static_cast<double>(usage.ru_maxrss) * 1024 / 1e6);
    return 0;
}
