// product.md §4.2 (health and candidates by family) and §4.3 (one CNAME decision for all types).
#include <gtest/gtest.h>

#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr std::string_view kTwo = R"(
[routes.main]
policy = "failover"
members = ["a", "b"]
)";

TEST(Families, AnOutageOfOneFamilyMovesThatFamilyAlone) {
    Steering s(kTwo);
    s.set6("a", Health::Down);
    EXPECT_EQ(s.word(Ask::A), "a");
    EXPECT_EQ(s.word(Ask::Aaaa), "b");
    s.set6("a", Health::Up).set4("a", Health::Down);
    EXPECT_EQ(s.word(Ask::A), "b");
    EXPECT_EQ(s.word(Ask::Aaaa), "a");
}

TEST(Families, BothGoToOneSiteWhileBothAreHealthy) {
    for (const char* const route :
         {"policy = \"failover\"\nmembers = [\"a\", \"b\"]",
          "policy = \"weighted\"\nmembers = [\"a\", \"b\", \"c\"]\nsticky = true",
          "policy = \"latency\"\nmembers = [\"a\", \"b\", \"c\"]\ntolerance = \"900ms\"",
          "policy = \"geo\"\nmembers = [{match=\"country:DE\", to=\"b\"}, {match=\"*\", "
          "to=\"c\"}]"}) {
        Steering s("[routes.main]\n" + std::string(route) + "\n");
        for (const char* const client : {"203.0.113.7", "198.18.9.9", "198.19.1.1", "192.88.1.1"}) {
            s.from(client);
            EXPECT_EQ(s.word(Ask::A, 5), s.word(Ask::Aaaa, 77)) << route << client;
        }
    }
}

constexpr std::string_view kFour = R"(
[routes.main]
policy = "failover"
members = ["four", "b"]
)";

TEST(Families, SameJudgesByTheOtherFamilyAndAnswersNodata) {
    Steering s(kFour);
    EXPECT_EQ(s.word(Ask::A), "four");
    EXPECT_EQ(s.word(Ask::Aaaa), "nodata");
    EXPECT_EQ(s.names_of(s.decide(Ask::Aaaa)), "four");
    s.set("four", Health::Down);
    EXPECT_EQ(s.word(Ask::Aaaa), "b");
}

TEST(Families, AnyPassesOverWhatHasNoAddressOfTheFamily) {
    Steering s(kFour, "ttl = \"60s\", families = \"any\"");
    EXPECT_EQ(s.word(Ask::A), "four");
    EXPECT_EQ(s.word(Ask::Aaaa), "b");
    s.set("b", Health::Down);
    EXPECT_EQ(s.word(Ask::Aaaa), "!b") << "four is no candidate for AAAA even then";
}

TEST(Families, MultivalueHandsOutWhatHasTheFamily) {
    Steering s("[routes.main]\npolicy = \"multivalue\"\nmembers = [\"four\", \"six\", \"a\"]\n");
    EXPECT_EQ(s.word(Ask::A), "a,four");
    EXPECT_EQ(s.word(Ask::Aaaa), "a,six");
    s.set("a six", Health::Down);
    EXPECT_EQ(s.word(Ask::Aaaa), "nodata");
}

constexpr std::string_view kSorry = R"(
[routes.main]
policy = "failover"
members = ["a", "alias"]
)";

TEST(Cname, AHealthySiteNeverGetsTheCname) {
    Steering s(kSorry);
    EXPECT_EQ(s.word(Ask::A), "a");
    EXPECT_EQ(s.word(Ask::Aaaa), "a");
    EXPECT_EQ(s.word(Ask::Other), "not cname");
}

TEST(Cname, AnswersEveryTypeWhereTheDecisionFallsOnIt) {
    Steering s(kSorry);
    s.set("a", Health::Down);
    for (const Ask ask : {Ask::A, Ask::Aaaa, Ask::Other}) {
        EXPECT_EQ(s.word(ask), "cname alias");
    }
}

TEST(Cname, BothFamiliesAreCountedTogether) {
    Steering s(kSorry);
    s.set6("a", Health::Down);
    EXPECT_EQ(s.word(Ask::A), "a");
    EXPECT_EQ(s.word(Ask::Other), "not cname");
    EXPECT_EQ(s.word(Ask::Aaaa), "!a") << "the CNAME is no candidate for one family";
}

TEST(Cname, AmongSitesTheFamilyGoesToTheNextSiteNotToTheCname) {
    Steering s(R"(
[routes.main]
policy = "failover"
members = ["a", "alias", "b"]
)");
    s.set4("a", Health::Down);
    EXPECT_EQ(s.word(Ask::A), "b");
    EXPECT_EQ(s.word(Ask::Aaaa), "a");
    EXPECT_EQ(s.set("a", Health::Down).word(Ask::A), "cname alias");
}

TEST(Cname, WeightedCnamesAreDrawnInProportion) {
    Steering s(R"(
[routes.main]
policy = "weighted"
members = [{to="alias", weight=3}, {to="other", weight=1}]
)");
    const auto shares = s.shares(40000, Ask::Other);
    EXPECT_NEAR(shares.at("cname alias"), 0.75, spread(0.75, 40000));
    EXPECT_NEAR(shares.at("cname other"), 0.25, spread(0.25, 40000));
}

TEST(Cname, AllDownServesTheFirstAsIfUp) {
    Steering s(kSorry);
    s.set("a alias", Health::Down);
    EXPECT_EQ(s.word(Ask::A), "!a");
    EXPECT_EQ(s.word(Ask::Other), "not cname");
    s.order("a", OrderState::Drain);
    EXPECT_EQ(s.word(Ask::A), "!cname alias");
    EXPECT_EQ(s.word(Ask::Other), "!cname alias");
}

}  // namespace
}  // namespace steerd::policy::testing
