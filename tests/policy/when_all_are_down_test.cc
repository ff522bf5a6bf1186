// product.md §4.7: what is answered when nothing is available, for each family, and its TTL.
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr std::string_view kTwo = R"(
[routes.main]
policy = "failover"
members = ["a", "b"]
)";

std::string when(std::string_view what) {
    return "ttl = \"60s\", when_all_down = \"" + std::string(what) + "\"";
}

TEST(AllDown, ServeAllIsAsIfEverythingNotOrderedOutWereUp) {
    Steering s(kTwo, when("serve-all"));
    s.set("a b", Health::Down);
    EXPECT_EQ(s.word(), "!a");
    EXPECT_EQ(s.order("a", OrderState::Drain).word(), "!b");
    EXPECT_EQ(s.order("a", OrderState::Down).word(), "!b");
}

TEST(AllDown, JudgedForEachFamily) {
    Steering s(kTwo, when("servfail"));
    s.set6("a b", Health::Down);
    EXPECT_EQ(s.word(Ask::A), "a");
    EXPECT_EQ(s.word(Ask::Aaaa), "!servfail");
}

TEST(AllDown, NodataAndServfail) {
    Steering nodata(kTwo, when("nodata"));
    EXPECT_EQ(nodata.set("a b", Health::Down).word(), "!nodata");
    Steering servfail(kTwo, when("servfail"));
    EXPECT_EQ(servfail.set("a b", Health::Down).word(), "!servfail");
}

TEST(AllDown, EverythingOrderedOutIsNodataWhateverWasConfigured) {
    for (const char* const what : {"serve-all", "serve-last", "nodata", "servfail"}) {
        Steering s(kTwo, when(what));
        EXPECT_EQ(s.order("a b", OrderState::Drain).word(), "!nodata") << what;
    }
}

TEST(AllDown, ServeLastGoesByTheHealthOfJustBefore) {
    Steering s(kTwo, when("serve-last"));
    s.set("a b", Health::Down);
    EXPECT_EQ(s.word(), "!a") << "nothing remembered: as serve-all";
    auto good = std::make_shared<LastGood>();
    // In the order of the tree's endpoints: a's two addresses, b's two.
    good->slots[0] = {Health::Down, Health::Down, Health::Up, Health::Up};
    good->slots[1] = {Health::Up, Health::Up, Health::Down, Health::Down};
    s.facts.last_good[0] = good;
    EXPECT_EQ(s.word(Ask::A), "!b");
    EXPECT_EQ(s.word(Ask::Aaaa), "!a");
    EXPECT_EQ(s.order("b", OrderState::Drain).word(Ask::A), "!a") << "ordered out since";
}

TEST(AllDown, ServeLastIsForgottenWhileSomethingIsAvailable) {
    Steering s(kTwo, when("serve-last"));
    auto good = std::make_shared<LastGood>();
    good->slots[0] = {Health::Down, Health::Down, Health::Up, Health::Up};
    s.facts.last_good[0] = good;
    EXPECT_EQ(s.word(), "a");
}

TEST(AllDown, OnlyAddressesThatWereGoodThenAreServed) {
    Steering s("[routes.main]\npolicy = \"failover\"\nmembers = [\"many\"]\n", when("serve-last"));
    s.set("many", Health::Down);
    auto good = std::make_shared<LastGood>();
    good->slots[0] = {Health::Down, Health::Up, Health::Down, Health::Up, Health::Up, Health::Up};
    s.facts.last_good[0] = good;
    EXPECT_EQ(s.addresses_of(s.decide()), "192.0.2.92");
    s.facts.last_good[0] = nullptr;
    EXPECT_EQ(s.addresses_of(s.decide()), "192.0.2.91 192.0.2.92 192.0.2.93");
}

TEST(AllDown, TtlIsTtlMinElseTtlAtMost30) {
    const auto ttl = [](std::string_view steer) {
        Steering s(kTwo, steer);
        return s.set("a b", Health::Down).decide().ttl_s;
    };
    EXPECT_EQ(ttl("ttl = \"60s\""), 30U);
    EXPECT_EQ(ttl("ttl = \"20s\""), 20U);
    EXPECT_EQ(ttl("ttl = \"60s\", ttl_min = \"5s\""), 5U);
    EXPECT_EQ(ttl("ttl = \"300s\", ttl_min = \"60s\""), 30U);
    EXPECT_EQ(ttl("ttl = \"60s\", when_all_down = \"nodata\""), 30U);
}

TEST(AllDown, AWeightedFailOpenDrawsAnew) {
    Steering s(
        "[routes.main]\npolicy = \"weighted\"\nmembers = "
        "[{to=\"a\",weight=3},{to=\"b\",weight=1}]\n");
    s.set("a b", Health::Down);
    EXPECT_NEAR(s.shares(40000).at("!a"), 0.75, spread(0.75, 40000));
}

TEST(AllDown, RootAvailableTellsControl) {
    Steering s(kTwo);
    s.set6("a b", Health::Down).publish();
    EXPECT_TRUE(root_available(s.plan, *s.health, SteeredId{0}, Judge::V4));
    EXPECT_FALSE(root_available(s.plan, *s.health, SteeredId{0}, Judge::V6));
    EXPECT_TRUE(root_available(s.plan, *s.health, SteeredId{0}, Judge::Both));
}

}  // namespace
}  // namespace steerd::policy::testing
