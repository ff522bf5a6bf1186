// A reload that lowers a TTL does not make caches forget what they were told before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/ttl_memory.h"

namespace steerd::server {

namespace {

using testing::ElementsAre;

/// One name for each TTL, all under the one tree that "tokyo" stands in.
policy::Plan plan_of(const std::vector<std::uint32_t>& ttls,
                     const std::string& endpoint = "tokyo") {
    policy::Plan plan;
    plan.endpoints.emplace_back().name = endpoint;
    plan.trees.emplace_back();
    plan.trees_of_endpoint = {{policy::TreeId{0}}};
    for (const std::uint32_t ttl : ttls) {
        auto& name = plan.steered.emplace_back();
        name.tree = policy::TreeId{0};
        name.ttl_s = ttl;
    }
    return plan;
}

base::Wall at(int s) { return base::Wall{} + std::chrono::seconds(s); }

TEST(TtlMemory, TheLongestOfAllNamesCounts) {
    EXPECT_THAT(longest_ttls(plan_of({30, 300, 60})), ElementsAre(300));
    EXPECT_THAT(longest_ttls(plan_of({})), ElementsAre(0));
}

TEST(TtlMemory, OnlyWhatWasLongerIsKept) {
    TtlMemory memory;
    memory.turn(plan_of({60}), plan_of({60}), at(1));
    memory.turn(plan_of({60}), plan_of({300}), at(2));
    EXPECT_TRUE(memory.earlier().empty());
    memory.turn(plan_of({300}), plan_of({30}), at(3));
    EXPECT_THAT(memory.earlier().at("tokyo"), ElementsAre(EarlierTtl{300, at(3)}));
    memory.turn(plan_of({30}), plan_of({5}), at(4));
    EXPECT_THAT(memory.earlier().at("tokyo"),
                ElementsAre(EarlierTtl{30, at(4)}, EarlierTtl{300, at(3)}));
    // Longer and later: nothing else tells more.
    memory.turn(plan_of({600}), plan_of({5}), at(5));
    EXPECT_THAT(memory.earlier().at("tokyo"), ElementsAre(EarlierTtl{600, at(5)}));
}

TEST(TtlMemory, AnEndpointThatGoesAwayMayComeBack) {
    TtlMemory memory;
    memory.turn(plan_of({300}), plan_of({60}, "osaka"), at(1));
    memory.turn(plan_of({60}, "osaka"), plan_of({60}), at(2));
    EXPECT_THAT(memory.earlier().at("tokyo"), ElementsAre(EarlierTtl{300, at(1)}));
}

TEST(TtlMemory, IsBoundedAndNeverTooShort) {
    TtlMemory memory;
    for (std::uint32_t i = 0; i < 100; ++i) {
        memory.turn(plan_of({1000 - i}), plan_of({1}), at(static_cast<int>(i)));
    }
    const auto& list = memory.earlier().at("tokyo");
    EXPECT_LE(list.size(), 8U);
    EXPECT_EQ(list.back().ttl_s, 1000U);
    EXPECT_GE(list.back().until, at(0));
    EXPECT_EQ(list.front(), (EarlierTtl{901, at(99)}));
}

TEST(TtlMemory, ForgetsWhenEveryCacheHasForgotten) {
    TtlMemory memory;
    memory.turn(plan_of({300}), plan_of({60}), at(0));
    memory.turn(plan_of({60}), plan_of({60}), at(86400 + 299));
    EXPECT_EQ(memory.earlier().size(), 1U);
    memory.turn(plan_of({60}), plan_of({60}), at(86400 + 301));
    EXPECT_TRUE(memory.earlier().empty());
}

}  // namespace

}  // namespace steerd::server
