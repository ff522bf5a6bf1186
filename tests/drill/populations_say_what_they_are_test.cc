// Presets: shares add up, the numbers they cite come out of them, and what is assumed is said.
#include <gtest/gtest.h>

#include <map>

#include "drill/closed_form.h"
#include "drill/population.h"

namespace steerd::drill {
namespace {

TEST(Populations, AddUpAndSayWhatIsAssumed) {
    ASSERT_EQ(preset_names().size(), 4U);
    for (const std::string_view name : preset_names()) {
        ASSERT_TRUE(preset_population(name)) << name;
        const Population population = preset_population(name).value_or(Population{});
        double sum = 0;
        for (const ResolverClass& one : population.classes) {
            EXPECT_GT(one.share, 0) << name << " " << one.name;
            sum += one.share;
        }
        EXPECT_NEAR(sum, 1, 1e-9) << name;
        ASSERT_FALSE(population.assumptions.empty()) << name;
        EXPECT_EQ(population.assumptions[0].rfind("Assumed", 0), 0U) << name;
        EXPECT_EQ(population.citation.empty(), name == "ideal") << name;
    }
    EXPECT_FALSE(preset_population("average"));
}

double left(const Population& population, double ttl, double t) {
    double sum = 0;
    for (const ResolverClass& one : population.classes) {
        sum += one.share * old_share(renewal_of(one.model, ttl, 1000), t);
    }
    return sum;
}

TEST(Populations, FlavelLeavesWhatWasMeasured) {
    const Population population = preset_population("flavel2014").value_or(Population{});
    EXPECT_NEAR(left(population, 20, 60), 0.10, 0.003);
    EXPECT_NEAR(left(population, 20, 900), 0.020, 0.001);
    EXPECT_NEAR(left(population, 20, 3600), 0.0088, 0.0005);
    EXPECT_NEAR(left(population, 20, 86400), 0.0013, 0.0004);
}

TEST(Populations, BhowmickExtendsTheCitedShare) {
    double extended = 0;
    const Population population = preset_population("bhowmick2023").value_or(Population{});
    for (const ResolverClass& one : population.classes) {
        if (one.model.extend_s > 0) {
            extended += one.share;
            EXPECT_GE(one.model.extend_s, 60);
            EXPECT_LE(one.model.extend_s, 86400);
            EXPECT_NEAR(renewal_of(one.model, 300, 1000).fresh_s, 300 + one.model.extend_s, 1.01);
        }
    }
    EXPECT_NEAR(extended, 0.0874, 1e-9);
}

TEST(Populations, MixedHasItsTiers) {
    std::map<double, double> holds;
    double prefetching = 0, stale = 0, pooled = 0, once = 0;
    const Population population = preset_population("mixed").value_or(Population{});
    for (const ResolverClass& one : population.classes) {
        if (one.model.client.factor == 0 && one.model.client.restart_s == 0) {
            holds[one.model.client.add_s] += one.share;
        }
        prefetching += one.model.prefetch.below_s > 0 ? one.share : 0;
        stale += one.model.stale.when == ServeStale::Always ? one.share : 0;
        pooled += one.model.pool == 8 ? one.share : 0;
        once += one.model.client.restart_s > 0 ? one.share : 0;
    }
    EXPECT_NEAR(holds[0], 0.30, 1e-9);
    EXPECT_NEAR(holds[60], 0.43, 1e-9);
    EXPECT_NEAR(prefetching, 0.052, 1e-9);
    EXPECT_NEAR(stale, 0.04, 1e-9);
    EXPECT_NEAR(pooled, 0.07, 1e-9);
    EXPECT_NEAR(once, 0.01, 1e-9);
}

}  // namespace
}  // namespace steerd::drill
