// Each error of [routes] that one route shows by itself, with its place.
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using std::chrono::minutes;
using ::testing::ElementsAre;

auto route(const std::string& policy, const std::string& lines) {
    return problems_with("[routes.r]\npolicy = \"" + policy + "\"\n" + lines);
}

RouteConfig route_of(const std::string& policy, const std::string& lines) {
    const auto text = std::string(kBase) + "[routes.r]\npolicy = \"" + policy + "\"\n" + lines;
    const auto loaded = load_text(text, "c.toml");
    EXPECT_NE(loaded.model, nullptr) << loaded.problems.text();
    return loaded.model == nullptr ? RouteConfig{} : loaded.model->routes.at(1);
}

TEST(RouteErrors, Policy) {
    EXPECT_THAT(problems_with("[routes.r]\nmembers = [\"a\"]\n"),
                ElementsAre(problem("@1:1: error", "policy is missing")));
    EXPECT_THAT(route("failove", "members = [\"a\"]\n"),
                ElementsAre(problem("@2:10: error", "did you mean \"failover\"? (route \"r\")")));
}

TEST(RouteErrors, Members) {
    EXPECT_THAT(route("failover", ""), ElementsAre(problem("@1:1: error", "members is missing")));
    EXPECT_THAT(route("failover", "members = []\n"),
                ElementsAre(problem("@3:11: error", "members is empty")));
    EXPECT_THAT(route("failover", "members = \"a\"\n"),
                ElementsAre(problem("@3:11: error", "members must be an array")));
    EXPECT_THAT(route("failover", "members = [3]\n"),
                ElementsAre(problem("@3:12: error", "a member is a name or a table like")));
    EXPECT_THAT(route("failover", "members = [{ weight = 3 }]\n"),
                ElementsAre(problem("@3:12: error", "to is missing"),
                            problem("@3:14: error", "weight belongs to policies")));
}

TEST(RouteErrors, MemberThatDoesNotExist) {
    EXPECT_THAT(
        route("failover", "members = [\"a\", \"maim\", { to = \"zzzzz\" }]\n"),
        ElementsAre(
            problem("@3:17: error", "no endpoint or route \"maim\"; did you mean \"main\"?"),
            problem("@3:32: error", "no endpoint or route \"zzzzz\" (a member of route \"r\")")));
}

TEST(RouteErrors, MemberTwice) {
    EXPECT_THAT(route("failover", "members = [\"a\", \"b\", { to = \"a\" }]\n"),
                ElementsAre(problem("@3:22: error", "member \"a\" stands twice")));
}

TEST(RouteErrors, UnknownKeys) {
    EXPECT_THAT(
        route("weighted", "members = [{ to = \"a\", wieght = 3 }]\nstiky = true\n"),
        ElementsAre(problem("@3:24: error", "unknown key \"wieght\"; did you mean \"weight\"?"),
                    problem("@4:1: error", "did you mean \"sticky\"? (route \"r\")")));
}

TEST(RouteErrors, WeightOutOfRange) {
    EXPECT_THAT(route("weighted", "members = [{ to = \"a\", weight = 70000 }, \"b\"]\n"),
                ElementsAre(problem("@3:33: error",
                                    "weight must be 0..65535, got 70000 (a member "
                                    "of route \"r\")")));
    EXPECT_THAT(route("multivalue", "members = [{ to = \"a\", weight = -1 }, \"b\"]\n"),
                ElementsAre(problem("@3:33: error", "weight must be 0..65535, got -1")));
    EXPECT_EQ(
        route_of("weighted", "members = [{ to = \"a\", weight = 65535 }]\n").members[0].weight,
        65535U);
}

TEST(RouteErrors, AllWeightsZero) {
    EXPECT_THAT(
        route("weighted", "members = [{ to = \"a\", weight = 0 }, { to = \"b\", weight = 0 }]\n"),
        ElementsAre(problem("@3:11: error", "all weights are 0")));
}

TEST(RouteErrors, KeyOfAnotherPolicy) {
    EXPECT_THAT(
        route("failover",
              "members = [\"a\"]\nsticky = true\ntolerance = \"1ms\"\n"
              "max_answers = 3\n"),
        ElementsAre(problem("@4:1: error", "sticky belongs to policy \"weighted\""),
                    problem("@5:1: error", "tolerance belongs to policy \"latency\""),
                    problem("@6:1: error", "max_answers belongs to policy \"multivalue\"")));
    EXPECT_THAT(route("latency", "members = [\"a\"]\nfailback = \"auto\"\n"),
                ElementsAre(problem("@4:1: error", "failback belongs to policy \"failover\"")));
    EXPECT_THAT(
        route("latency",
              "members = [{ to = \"a\", match = \"*\", fence = true, weight = 1 "
              "}]\n"),
        ElementsAre(problem("@3:24: error", "match belongs to policy \"geo\""),
                    problem("@3:37: error", "fence belongs to policy \"geo\""),
                    problem("@3:51: error", "weight belongs to policies \"weighted\" and")));
}

TEST(RouteErrors, MinAvailable) {
    EXPECT_THAT(route("failover", "members = [\"a\"]\nmin_available = 0\n"),
                ElementsAre(problem("@4:17: error", "min_available must be 1..")));
}

TEST(RouteErrors, MaxAnswers) {
    for (const char* bad : {"0", "33"}) {
        EXPECT_THAT(
            route("multivalue", std::string("members = [\"a\"]\nmax_answers = ") + bad + "\n"),
            ElementsAre(problem("@4:15: error", "max_answers must be 1..32")));
    }
}

TEST(RouteErrors, Tolerance) {
    EXPECT_THAT(route("latency", "members = [\"a\"]\ntolerance = \"-1ms\"\n"),
                ElementsAre(problem("@4:13: error", "tolerance must be a duration")));
    EXPECT_EQ(route_of("latency", "members = [\"a\"]\ntolerance = \"0s\"\n").tolerance.count(), 0);
}

TEST(RouteErrors, Failback) {
    EXPECT_THAT(route("failover", "members = [\"a\"]\nfailback = \"never\"\n"),
                ElementsAre(problem("@4:12: error", "\"auto\", \"manual\" or a duration")));
    EXPECT_EQ(route_of("failover", "members = [\"a\"]\nfailback = \"5m\"\n").failback,
              (Failback{Failback::Kind::After, minutes(5)}));
    EXPECT_EQ(route_of("failover", "members = [\"a\"]\nfailback = \"manual\"\n").failback.kind,
              Failback::Kind::Manual);
}

TEST(RouteErrors, GeoMemberWithoutMatch) {
    EXPECT_THAT(route("geo", "members = [\"a\", { to = \"b\" }]\n"),
                ElementsAre(problem("@3:12: error", "a geo member needs a match"),
                            problem("@3:17: error", "match is missing")));
}

TEST(RouteErrors, BadMatch) {
    const std::pair<const char*, const char*> bad[] = {
        {"continent:XX", "a continent is AF"},
        {"country:JPN", "a country is two letters"},
        {"country:", "a country is two letters"},
        {"subdivision:CA", "an ISO 3166-2 code"},
        {"AS0", "it is none of"},
        {"AS4294967296", "it is none of"},
        {"203.0.113.1/24", "did you mean \"203.0.113.0/24\"?"},
        {"203.0.113.0/33", "it is none of"},
        {"Japan", "it is none of"},
        {"**", "it is none of"},
    };
    for (const auto& [match, phrase] : bad) {
        EXPECT_THAT(
            route("geo", std::string("members = [{ to = \"a\", match = \"") + match + "\" }]\n"),
            ElementsAre(problem("@3:32: error", phrase)));
    }
}

TEST(RouteErrors, MatchTwice) {
    EXPECT_THAT(
        route("geo",
              "members = [{ to = \"a\", match = \"country:jp\" },\n"
              "  { to = \"b\", match = \"country:JP\" }]\n"),
        ElementsAre(problem("@4:3: error", "match \"country:JP\" stands at line 31 already")));
}

TEST(RouteMatches, AreNormalised) {
    const auto route = route_of("geo",
                                "members = [{ to = \"a\", match = \"as64500\" }, "
                                "{ to = \"b\", match = \"::ffff:192.0.2.0/120\" }, "
                                "{ to = \"a\", match = \"2002:c000:0300::/40\" }, "
                                "{ to = \"a\", match = \"192.0.2.7\" }]\n");
    ASSERT_EQ(route.members.size(), 4U);
    EXPECT_EQ(route.members[0].match.text(), "AS64500");
    EXPECT_EQ(route.members[1].match.text(), "192.0.2.0/24");
    EXPECT_EQ(route.members[2].match.text(), "192.0.3.0/24");
    EXPECT_EQ(route.members[3].match.text(), "192.0.2.7/32");
}

}  // namespace
}  // namespace steerd::config
