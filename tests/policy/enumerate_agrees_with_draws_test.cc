// The list of possible answers against 20,000 draws each, over many routes and states of health,
// and the shares of explain's steps against the list.
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

std::string key_of(const Steering& s, DecisionKind kind, bool fail_open, std::vector<SlotId> slots,
                   std::vector<EndpointId> endpoints) {
    std::sort(slots.begin(), slots.end());
    std::sort(endpoints.begin(), endpoints.end());
    std::string key = std::to_string(static_cast<int>(kind)) + (fail_open ? "!" : " ");
    for (const SlotId slot : slots) {
        key += s.plan.slots[config::index(slot)].address.text() + " ";
    }
    for (const EndpointId endpoint : endpoints) {
        key += s.plan.endpoints[config::index(endpoint)].name + " ";
    }
    return key;
}

void expect_agreement(Steering& s, Ask ask, const std::string& what) {
    constexpr int kDraws = 20000;
    s.publish();
    std::map<std::string, double> listed;
    double sum = 0;
    for (const Possible& p : enumerate(s.input(ask, 1))) {
        EXPECT_TRUE(
            listed.emplace(key_of(s, p.kind, p.fail_open, p.slots, p.endpoints), p.share).second)
            << "listed twice";
        sum += p.share;
    }
    EXPECT_NEAR(sum, 1, 1e-9) << what;
    std::map<std::string, double> drawn;
    base::Rng rng(11);
    for (int i = 0; i < kDraws; ++i) {
        const Decision d = decide(s.input(ask, rng.next()));
        drawn[key_of(s, d.kind, d.fail_open, {d.slots.begin(), d.slots.begin() + d.slot_count},
                     {d.endpoints.begin(), d.endpoints.begin() + d.endpoint_count})] +=
            1.0 / kDraws;
    }
    for (const auto& [key, share] : drawn) {
        EXPECT_TRUE(listed.count(key) > 0) << what << ": drawn but not listed: " << key;
    }
    for (const auto& [key, share] : listed) {
        EXPECT_NEAR(drawn[key], share, spread(share, kDraws) * 1.3) << what << ": " << key;
    }
}

const std::vector<std::string>& route_sets() {
    static const std::vector<std::string> sets = {
        R"(
[routes.main]
policy = "weighted"
members = [{to="x", weight=3}, {to="y", weight=2}, {to="e", weight=0}]
[routes.x]
policy = "weighted"
members = [{to="a", weight=1}, {to="b", weight=2}]
min_available = 2
[routes.y]
policy = "multivalue"
members = ["c", "d", "many", "four"]
max_answers = 2
)",
        R"(
[routes.main]
policy = "failover"
members = ["x", "alias"]
[routes.x]
policy = "geo"
members = [{match="country:JP", to="y"}, {match="country:DE", to="b", fence=true}]
[routes.y]
policy = "multivalue"
members = ["z", "a", "six"]
max_answers = 3
[routes.z]
policy = "weighted"
members = [{to="c", weight=1}, {to="many", weight=4}]
)",
        R"(
[routes.main]
policy = "weighted"
members = [{to="x", weight=1}, {to="y", weight=1}]
[routes.x]
policy = "geo"
members = [{match="country:DE", to="b", fence=true}]
[routes.y]
policy = "latency"
members = ["a", "z"]
[routes.z]
policy = "weighted"
members = ["c", "f"]
)",
        R"(
[routes.main]
policy = "latency"
members = ["x", "b", "c"]
tolerance = "20ms"
[routes.x]
policy = "weighted"
members = ["a", "d"]
sticky = true
)"};
    return sets;
}

TEST(Enumerate, AgreesWithDrawsOverRoutesHealthAndFamilies) {
    base::Rng rng(2024);
    const std::vector<std::string> names = {"a", "b",    "c",   "d",    "e",
                                            "f", "four", "six", "many", "alias"};
    const std::vector<std::string> whens = {"serve-all", "nodata", "servfail"};
    for (std::size_t r = 0; r < route_sets().size(); ++r) {
        Steering s(route_sets()[r], "ttl = \"60s\", families = \"" +
                                        std::string(r % 2 == 0 ? "same" : "any") +
                                        "\", when_all_down = \"" + whens[r % whens.size()] + "\"");
        for (int round = 0; round < 6; ++round) {
            for (const std::string& name : names) {
                s.set4(name, static_cast<Health>(rng.below(4)));
                s.set6(name, round < 2 ? Health::Up : static_cast<Health>(rng.below(4)));
                s.order(name, rng.below(12) == 0 ? std::optional(OrderState::Drain) : std::nullopt);
            }
            s.from(round % 2 == 0 ? "203.0.113.1" : "198.18.3.4");
            const Ask ask = round % 3 == 0 ? Ask::Aaaa : Ask::A;
            expect_agreement(s, ask,
                             "routes " + std::to_string(r) + " round " + std::to_string(round));
        }
    }
}

TEST(Enumerate, OtherTypesAskOnlyForTheCname) {
    Steering s(route_sets()[1]);
    s.publish();
    const auto up = enumerate(s.input(Ask::Other, 1));
    ASSERT_EQ(up.size(), 1U);
    EXPECT_EQ(up[0].kind, DecisionKind::NotCname);
}

TEST(Steps, TellShareChosenAndWhy) {
    Steering s(R"(
[routes.main]
policy = "failover"
members = ["near", "f"]
[routes.near]
policy = "latency"
members = ["canary", "b"]
[routes.canary]
policy = "weighted"
members = [{to="a", weight=95}, {to="d", weight=5}]
)");
    s.publish();
    std::vector<Step> steps;
    (void)decide(s.input(Ask::A, 1), &steps);
    ASSERT_EQ(steps.size(), 3U);
    EXPECT_EQ(steps[0].route, "main");
    EXPECT_EQ(steps[0].members[0].reason, "first available");
    EXPECT_TRUE(steps[0].members[0].chosen);
    EXPECT_EQ(steps[0].members[1].reason, "behind the one chosen");
    EXPECT_EQ(steps[1].members[0].reason, "lowest estimate");
    EXPECT_EQ(steps[1].members[0].region, "tokyo");
    EXPECT_EQ(steps[1].members[1].reason, "higher estimate");
    EXPECT_NEAR(steps[2].members[0].share, 0.95, 1e-9);
    EXPECT_EQ(steps[2].members[0].reason, "drawn (95 of 100)");
    EXPECT_EQ(steps[2].members[1].reason, "not drawn (5 of 100)");
    EXPECT_EQ(steps[2].members[0].health, "up");
}

std::vector<Step> steps_of(Steering& s) {
    s.publish();
    std::vector<Step> steps;
    (void)decide(s.input(Ask::A, 1), &steps);
    return steps;
}

TEST(Steps, TellWhyAMemberIsOut) {
    Steering s(R"(
[routes.main]
policy = "failover"
members = ["pair", "e", "c", "alias"]
failback = "manual"
[routes.pair]
policy = "weighted"
members = ["a", "b"]
min_available = 2
)");
    s.set("a", Health::Down).set("e", Health::Degraded);
    auto steps = steps_of(s);
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].members[0].reason, "passed over: 1 of 2 available (min_available 2)");
    EXPECT_EQ(steps[0].members[1].reason, "degraded: behind up and unknown");
    EXPECT_EQ(steps[0].members[1].health, "degraded");
    EXPECT_EQ(steps[0].members[2].reason, "first available");
    EXPECT_EQ(steps[0].members[3].health, "up");
    s.set("a e", Health::Up).order("e", OrderState::Drain).hold("main", 2);
    steps = steps_of(s);
    EXPECT_EQ(steps[0].members[0].reason, "failback waits");
    EXPECT_EQ(steps[0].members[1].reason, "drained");
    EXPECT_EQ(steps[0].members[2].reason, "held by failback");
}

TEST(Steps, TellMatchesAndFences) {
    Steering s(R"(
[routes.main]
policy = "geo"
members = [{match="country:JP", to="a"}, {match="country:DE", to="b", fence=true}, {match="*", to="c"}]
)");
    auto steps = steps_of(s);
    EXPECT_EQ(steps[0].members[0].reason, "matches country:JP");
    EXPECT_EQ(steps[0].members[1].reason, "no match for country:DE (fence)");
    EXPECT_EQ(steps[0].members[2].reason, "less specific: *");
}

TEST(Steps, TellHealthAsItIsWhenAllAreDown) {
    Steering s("[routes.main]\npolicy = \"failover\"\nmembers = [\"a\", \"b\"]\n");
    s.set("a b", Health::Down);
    const auto steps = steps_of(s);
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_TRUE(steps[0].members[0].chosen);
    EXPECT_EQ(steps[0].members[0].health, "down");
}

}  // namespace
}  // namespace steerd::policy::testing
