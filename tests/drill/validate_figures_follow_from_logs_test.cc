// The statistics of a validation: the law by which real resolvers are judged is the closed form,
// and is what simulated caches do; a cache that does something else does not pass.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "drill/cache_state.h"
#include "drill/closed_form.h"
#include "drill/validate_stats.h"

namespace steerd::drill {
namespace {

constexpr double kRate = 0.5;
constexpr double kTtl = 10;

CacheModel plain(Rounding rounding) {
    CacheModel model;
    model.rounding = rounding;
    return model;
}

CacheModel prefetching() {
    CacheModel model = plain(Rounding::Floor);
    model.prefetch = Prefetch{0, 2, 9};
    return model;
}

/// What a resolver with a cache of this model would leave in the logs: names asked at random for
/// `before` seconds, then new answers. Lives that are watched are polled every 40 ms.
struct Play {
    CacheModel model;
    double ttl_s = kTtl;
    std::uint32_t names = 220, clocked = 20;
    double switch_s = 200.3;
    double end_s = 260;
    double longer_s = 0;  // each entry lives longer than the model says
};

void play_name(const Play& play, std::uint32_t name, base::Rng& rng, ResolverLog& log) {
    const Lifetime life = lifetime_of(play.model, play.ttl_s, false);
    const bool watched = name >= play.names;
    double t = rng.unit() * 12;
    bool filled = false;
    bool entry_old = false;
    Held held;
    while (t < (watched ? 40.0 : play.end_s)) {
        const bool fresh = filled && t < held.fresh_until + play.longer_s;
        const bool window = filled && !fresh && t < held.old_until + play.longer_s;
        if (!fresh) {
            const bool old = t < play.switch_s;
            log.fetches.push_back({name, t, t + 0.001, std::floor(t + 0.001),
                                   static_cast<std::uint32_t>(play.ttl_s), old});
            const bool answered = window ? entry_old : old;
            log.answers.push_back({name, t, t + 0.001, answered});
            held = hold_from(life, t + 0.001, 0);
            entry_old = old;
            filled = true;
        } else {
            log.answers.push_back({name, t, t, entry_old});
        }
        t += watched ? 0.04 : exponential(rng.next()) / kRate;
    }
}

ResolverLog play(const Play& what, std::uint64_t seed) {
    ResolverLog log;
    base::Rng rng(seed);
    for (std::uint32_t name = 0; name < what.names + what.clocked; ++name) {
        play_name(what, name, rng, log);
    }
    std::stable_sort(log.fetches.begin(), log.fetches.end(),
                     [](const auto& a, const auto& b) { return a.answered_s < b.answered_s; });
    std::stable_sort(log.answers.begin(), log.answers.end(),
                     [](const auto& a, const auto& b) { return a.got_s < b.got_s; });
    return log;
}

RunFacts facts_of(const Play& what, const CacheModel& judged_by) {
    return {judged_by, kRate, what.switch_s, std::floor(what.switch_s), what.names, what.clocked};
}

TEST(WholeSecondLaw, AveragedOverTheSecondIsTheClosedForm) {
    for (const CacheModel& model :
         {plain(Rounding::Floor), plain(Rounding::FloorPlusOne), prefetching()}) {
        const Renewal renewal = renewal_of_cache(model, kTtl, kRate);
        constexpr int kSteps = 200;
        for (double t = 0; t < 12; t += 0.7) {
            double mean = 0;
            for (int i = 0; i < kSteps; ++i) {
                mean += WholeSecondLaw(model, kTtl, kRate, (i + 0.5) / kSteps).old_share(t);
            }
            // The closed form takes the mean of lives that spread over one second.
            EXPECT_NEAR(mean / kSteps, old_share(renewal, t), 0.012) << t;
        }
        double stale = 0;
        for (int i = 0; i < kSteps; ++i) {
            stale += WholeSecondLaw(model, kTtl, kRate, (i + 0.5) / kSteps).stale_queries();
        }
        EXPECT_NEAR(stale / kSteps, stale_queries(renewal), 0.01 * stale_queries(renewal));
    }
}

TEST(WholeSecondLaw, IsADistributionAndEndsAtTheLastMoment) {
    for (const double phase : {0.0, 0.3, 0.99}) {
        const WholeSecondLaw law(prefetching(), kTtl, kRate, phase);
        EXPECT_NEAR(law.first_new_cdf(0), 0, 1e-9);
        EXPECT_NEAR(law.first_new_cdf(60), 1, 1e-6);
        EXPECT_EQ(law.old_share(law.last_moment_s() + 0.001), 0);
        double last = 0;
        for (double t = 0; t < 40; t += 0.1) {
            EXPECT_GE(law.first_new_cdf(t), last - 1e-12);
            last = law.first_new_cdf(t);
        }
    }
}

TEST(WholeSecondLaw, IsWhatSimulatedCachesDo) {
    for (const CacheModel& model :
         {plain(Rounding::Floor), plain(Rounding::FloorPlusOne), prefetching()}) {
        Play what{model};
        const RunFacts facts = facts_of(what, model);
        std::vector<double> times;
        for (double t = 0.05; t < 13; t += 0.5) {
            times.push_back(t);
        }
        const WholeSecondLaw law(model, kTtl, kRate, facts.switch_s - facts.second_s);
        for (const auto& [t, share] : simulated_curve(facts, kTtl, 3, times)) {
            EXPECT_NEAR(share, law.old_share(t), 0.02) << t;
        }
    }
}

TEST(WholeSecondLaw, IsWhatSimulatedCachesDoBesideItsSteps) {
    std::vector<double> times;
    for (double t = 0; t < 13; t += 0.125) {
        times.push_back(t);
    }
    for (const double phase : {0.002, 0.12, 0.49, 0.51, 0.998}) {
        Play what{plain(Rounding::Floor)};
        RunFacts facts = facts_of(what, what.model);
        facts.second_s = facts.switch_s - phase;
        const WholeSecondLaw law(what.model, kTtl, kRate, phase);
        for (const auto& [t, share] : simulated_curve(facts, kTtl, 3, times)) {
            EXPECT_NEAR(share, law.old_share(t), 0.02) << t << " after a switch at " << phase;
        }
    }
}

TEST(ValidateFigures, AResolverOfTheModelPasses) {
    for (const CacheModel& model :
         {plain(Rounding::Floor), plain(Rounding::FloorPlusOne), prefetching()}) {
        const Play what{model};
        const ResolverFigures figures = figures_of(play(what, 11), facts_of(what, model), 1);
        EXPECT_TRUE(figures.ok()) << figures.complaints.front();
        EXPECT_EQ(figures.flips, what.names);
        EXPECT_LT(*figures.lifetime_error_s, 0.05);
        EXPECT_LT(*figures.flip_error_s, 0.01);
        EXPECT_NEAR(*figures.stale_observed, *figures.stale_theory, 0.5);
        EXPECT_FALSE(figures.curve.empty());
    }
}

TEST(ValidateFigures, OneSecondMoreIsSeenInLivesAndChanges) {
    const Play what{plain(Rounding::FloorPlusOne)};
    const ResolverFigures figures =
        figures_of(play(what, 11), facts_of(what, plain(Rounding::Floor)), 1);
    EXPECT_NEAR(*figures.lifetime_error_s, 1, 0.05);
    EXPECT_FALSE(figures.ok());
}

TEST(ValidateFigures, AHoldOfThreeSecondsMoreBreaksEveryBound) {
    Play what{plain(Rounding::Floor)};
    what.longer_s = 3;
    const ResolverFigures figures =
        figures_of(play(what, 11), facts_of(what, plain(Rounding::Floor)), 1);
    EXPECT_GT(*figures.lifetime_error_s, 2.9);
    EXPECT_GT(*figures.flip_error_s, kMostFlipErrorS);
    EXPECT_GT(*figures.ks, *figures.ks_critical);
    EXPECT_EQ(figures.complaints.size(), 3);
}

TEST(ValidateFigures, CachesInStepAreFarFromTheClosedForm) {
    // All filled within a tenth of a second of each other, and busy: as after a cold start.
    ResolverLog log;
    Play what{plain(Rounding::Floor)};
    for (std::uint32_t name = 0; name < what.names; ++name) {
        const double at = 195.05 + 0.0001 * name;
        log.fetches.push_back({name, at, at, 195, 10, true});
        log.answers.push_back({name, 204.9, 204.9, true});
        log.answers.push_back({name, 205.2, 205.2, false});
    }
    const ResolverFigures figures = figures_of(log, facts_of(what, plain(Rounding::Floor)), 1);
    EXPECT_GT(*figures.ks, 2 * *figures.ks_critical);
}

TEST(ValidateFigures, NamesThatNeverChangedAreComplainedAbout) {
    Play what{plain(Rounding::Floor)};
    what.end_s = 203;
    const ResolverFigures figures =
        figures_of(play(what, 11), facts_of(what, plain(Rounding::Floor)), 1);
    EXPECT_LT(figures.flips, kLeastFlips);
    EXPECT_FALSE(figures.ok());
}

TEST(ValidateFigures, DistanceIsTheLargestStep) {
    std::vector<double> sample{0.9, 0.1, 0.5};
    EXPECT_NEAR(ks_distance(sample, [](double x) { return x; }), 1.0 / 3 - 0.1, 1e-12);
    EXPECT_NEAR(ks_critical(200), 0.1153, 1e-3);
}

}  // namespace
}  // namespace steerd::drill
