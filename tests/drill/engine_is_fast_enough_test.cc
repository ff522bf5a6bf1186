// How fast the engine is, as a ratio to a loop of exponential draws in the same process, both in
// CPU time, so that neither a slow machine nor a busy one decides. On the machine this was written
// on a million draws take some 6 ms; a million resolvers over an hour are promised in 5 s, one
// outage of them in 0.1 s, in less than 64 bytes for each. Only where no sanitizer stands between.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "drill/engine.h"
#include "tests/drill/drill_testing.h"

namespace steerd::drill {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr bool kTimed = false;
#else
constexpr bool kTimed = true;
#endif

// Measured: 2.8 and 12.5 on a machine with nine others at work for each core. Half as much again
// is for other machines; what costs more than that is no noise.
constexpr double kDrawsPerRenewal = 4.2;
constexpr double kDrawsPerResolver = 19;

void tell(const char* what, double measured, double limit) {
    std::printf("[ measured ] %s: %.2f (limit %.1f)\n", what, measured, limit);
}

double cpu_s() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

template <class Work>
double best_of(int times, const Work& work) {
    double best = 1e9;
    for (int i = 0; i < times; ++i) {
        const double before = cpu_s();
        work();
        best = std::min(best, cpu_s() - before);
    }
    return best;
}

/// CPU seconds of a million draws.
double million_draws() {
    double sum = 0;
    const double took = best_of(3, [&] {
        base::Rng rng(1);
        for (int i = 0; i < 10'000'000; ++i) {
            sum += exponential(rng.next());
        }
    });
    EXPECT_GT(sum, 0);  // so that the loop is not taken for useless
    return took / 10;
}

Timeline hour() { return testing::outage(300, 312, 3600, 30); }

Results run(std::uint64_t resolvers, bool authority_load) {
    const auto population = preset_population("ideal").value_or(Population{});
    const DemandSpec demand{resolvers, static_cast<double>(resolvers), 0};
    EngineOptions options;
    options.authority_load = authority_load;
    return run_engine(hour(), population, {&demand, 1}, options);
}

TEST(EngineSpeed, AnHourOfResolversCostsAFewDrawsPerRenewal) {
    if (!kTimed) {
        GTEST_SKIP() << "timed in the release build";
    }
    double fetched = 0;
    const double took =
        best_of(3, [&] { fetched = run(100'000, true).authoritative_before_qps.value_or(0); });
    const double renewals = fetched * 3600;
    EXPECT_NEAR(renewals, 100'000 * 3600 / 30.5, 2e5);
    const double draws = took / million_draws() * 1e6;
    tell("draws per renewal", draws / renewals, kDrawsPerRenewal);
    EXPECT_LT(draws / renewals, kDrawsPerRenewal) << took << " s of CPU for a tenth of a million";
}

TEST(EngineSpeed, TheCurveOfAnOutageCostsAFewDrawsPerResolver) {
    if (!kTimed) {
        GTEST_SKIP() << "timed in the release build";
    }
    rusage before{};
    getrusage(RUSAGE_SELF, &before);
    const double took = best_of(
        5, [] { EXPECT_NEAR(run(1'000'000, false).events.at(0).moved.p95.value_or(0), 39.5, 1); });
    rusage after{};
    getrusage(RUSAGE_SELF, &after);
    const double draws = took / million_draws();
    tell("draws per resolver", draws, kDrawsPerResolver);
    EXPECT_LT(draws, kDrawsPerResolver) << took << " s of CPU for a million";
    EXPECT_LT(static_cast<double>(after.ru_maxrss - before.ru_maxrss) * 1024 / 1e6, 64)
        << "bytes for each resolver";
}

}  // namespace
}  // namespace steerd::drill
