// product.md §4.5 for multivalue: a random window on the ring of available addresses, shuffled.
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

std::string ring(int most, std::string_view members) {
    return "[routes.main]\npolicy = \"multivalue\"\nmembers = " + std::string(members) +
           "\nmax_answers = " + std::to_string(most) + "\n";
}

TEST(Multivalue, HandsOutAllWhenTheyFit) {
    Steering s(ring(8, R"(["a", "b", "many"])"));
    const Decision d = s.decide();
    EXPECT_EQ(s.addresses_of(d), "192.0.2.1 192.0.2.2 192.0.2.91 192.0.2.92 192.0.2.93");
    EXPECT_EQ(s.names_of(d), "a,b,many");
    EXPECT_EQ(s.decide(Ask::Aaaa).slot_count, 5);
}

TEST(Multivalue, OnlyAvailableAddressesTakePart) {
    Steering s(ring(8, R"(["a", "b", "c"])"));
    EXPECT_EQ(s.set4("b", Health::Down).word(), "a,c");
    EXPECT_EQ(s.word(Ask::Aaaa), "a,b,c");
    EXPECT_EQ(s.order("c", OrderState::Drain).word(), "a");
}

TEST(Multivalue, EveryWindowOfTheRingIsAsLikelyAndNothingElseComes) {
    Steering s(ring(2, R"(["a", "b", "c", "d"])"));
    const auto shares = s.shares(40000);
    EXPECT_EQ(shares.size(), 4U);
    for (const char* const pair : {"a,b", "b,c", "c,d", "a,d"}) {
        EXPECT_NEAR(shares.at(pair), 0.25, spread(0.25, 40000)) << pair;
    }
}

TEST(Multivalue, OrderIsShuffled) {
    Steering s(ring(3, R"(["a", "b", "c"])"));
    s.publish();
    std::map<std::string, int> orders;
    base::Rng rng(3);
    for (int i = 0; i < 6000; ++i) {
        const Decision d = decide(s.input(Ask::A, rng.next()));
        std::string order;
        for (std::size_t k = 0; k < d.slot_count; ++k) {
            order +=
                s.plan.endpoints[config::index(s.plan.slots[config::index(d.slots[k])].endpoint)]
                    .name;
        }
        ++orders[order];
    }
    EXPECT_EQ(orders.size(), 6U);
    for (const auto& [order, count] : orders) {
        EXPECT_NEAR(count / 6000.0, 1.0 / 6, spread(1.0 / 6, 6000)) << order;
    }
}

TEST(Multivalue, DegradedIsLeftOutWhileTheRestHoldHalfOfTheWeight) {
    Steering s(ring(8, R"([{to="a",weight=2}, {to="b",weight=1}, {to="c",weight=1}])"));
    EXPECT_EQ(s.set("b", Health::Degraded).word(), "a,c");
    EXPECT_EQ(s.set("c", Health::Degraded).word(), "a");
    EXPECT_EQ(s.set("a", Health::Down).word(), "b,c");
    EXPECT_EQ(s.set("b", Health::Up).set("a", Health::Degraded).word(), "a,b,c");
}

TEST(Multivalue, AMemberRouteGivesWhatItWouldChoose) {
    const std::string routes = ring(8, R"(["pair", "c"])") +
                               "[routes.pair]\npolicy = \"failover\"\nmembers = [\"a\", \"b\"]\n";
    Steering s(routes);
    EXPECT_EQ(s.word(), "a,c");
    EXPECT_EQ(s.set("a", Health::Down).word(), "b,c");
    EXPECT_EQ(s.set("b", Health::Down).word(), "c");
}

TEST(Multivalue, AnAddressStandsInAnAnswerOnce) {
    const std::string routes = ring(8, R"(["one", "two", "c"])") +
                               "[routes.one]\npolicy = \"failover\"\nmembers = [\"a\", \"b\"]\n"
                               "[routes.two]\npolicy = \"failover\"\nmembers = [\"a\", \"d\"]\n";
    Steering s(routes);
    const Decision d = s.decide();
    EXPECT_EQ(d.slot_count, 2);
    EXPECT_EQ(s.names_of(d), "a,c");
}

TEST(Multivalue, NeverMoreThanMaxAnswersOf32) {
    Steering s(ring(1, R"(["a", "b", "many"])"));
    base::Rng rng(1);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(s.decide(Ask::A, rng.next()).slot_count, 1);
    }
}

TEST(Addresses, AllAvailableOnesOfTheChosenEndpointBeginningAnywhere) {
    Steering s("[routes.main]\npolicy = \"failover\"\nmembers = [\"many\"]\n");
    std::set<std::size_t> first;
    base::Rng rng(5);
    for (int i = 0; i < 100; ++i) {
        const Decision d = s.decide(Ask::A, rng.next());
        EXPECT_EQ(s.addresses_of(d), "192.0.2.91 192.0.2.92 192.0.2.93");
        first.insert(config::index(d.slots[0]));
    }
    EXPECT_EQ(first.size(), 3U);
    const std::uint32_t slot = s.plan.endpoints[s.endpoint("many")].first_slot;
    s.facts.slots[slot + 1].health = Health::Down;
    EXPECT_EQ(s.addresses_of(s.decide()), "192.0.2.91 192.0.2.93");
    s.facts.slots[slot].health = Health::Degraded;
    EXPECT_EQ(s.addresses_of(s.decide()), "192.0.2.91 192.0.2.93");
}

}  // namespace
}  // namespace steerd::policy::testing
