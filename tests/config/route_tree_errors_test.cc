// Errors that only a tree of routes shows: loops, names, kinds, regions.
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string failover(const std::string& name, const std::string& members) {
    return "[routes." + name + "]\npolicy = \"failover\"\nmembers = [" + members + "]\n";
}

TEST(RouteTree, LoopIsNamedInFull) {
    EXPECT_THAT(problems_with(failover("x", "\"y\"") + failover("y", "\"a\", \"x\"")),
                ElementsAre(problem("@6:17: error", "loop: x → y → x")));
}

TEST(RouteTree, LoopOfOne) {
    EXPECT_THAT(problems_with(failover("x", "\"x\", \"a\"")),
                ElementsAre(problem("@3:12: error", "loop: x → x")));
}

TEST(RouteTree, LoopBelowARouteThatIsNotInIt) {
    EXPECT_THAT(problems_with(failover("top", "\"x\"") + failover("x", "\"y\"") +
                              failover("y", "\"z\"") + failover("z", "\"x\"")),
                ElementsAre(problem("@12:12: error", "loop: x → y → z → x")));
}

TEST(RouteTree, TwoWaysToOneRouteAreNoLoop) {
    EXPECT_THAT(problems_with(failover("x", "\"y\", \"z\"") + failover("y", "\"z\"") +
                              failover("z", "\"a\"")),
                ElementsAre());
}

TEST(RouteTree, EndpointAndRouteOfOneName) {
    EXPECT_THAT(problems_with(failover("a", "\"b\"")),
                ElementsAre(problem("@1:9: error",
                                    "an endpoint and a route are both named \"a\"; "
                                    "the other stands at line 11")));
}

TEST(RouteTree, CnameAndAddressesUnderOnePolicy) {
    for (const std::string policy : {"weighted", "multivalue"}) {
        EXPECT_THAT(
            problems_with("[routes.r]\npolicy = \"" + policy + "\"\nmembers = [\"a\", \"c\"]\n"),
            ElementsAre(problem("@1:1: error", "CNAME and address members under one " + policy +
                                                   " route: \"c\" is a CNAME, \"a\" has")));
    }
    EXPECT_THAT(problems_with("[endpoints.d]\nregion = \"tokyo\"\ncname = \"d.example.net\"\n"
                              "probes = [\"web\"]\n"
                              "[routes.r]\npolicy = \"latency\"\nmembers = [\"a\", \"d\"]\n"),
                ElementsAre(problem("@5:1: error", "under one latency route")));
}

TEST(RouteTree, CnameAndAddressesBelowNestedRoutesAreReportedOnce) {
    EXPECT_THAT(problems_with("[routes.top]\npolicy = \"weighted\"\nmembers = [\"r\"]\n"
                              "[routes.r]\npolicy = \"weighted\"\nmembers = [\"b\", \"f\"]\n" +
                              failover("f", "\"a\", \"c\"")),
                ElementsAre(problem("@4:1: error", "CNAME and address members")));
}

TEST(RouteTree, CnameAndAddressesUnderFailoverOrGeoAreFine) {
    EXPECT_THAT(
        problems_with(failover("r", "\"a\", \"c\"") +
                      "[routes.g]\npolicy = \"geo\"\nmembers = [{ match = \"*\", to = \"c\" "
                      "}, { match = \"country:JP\", to = \"a\" }]\n"),
        ElementsAre());
}

TEST(RouteTree, DrawnRouteUnderLatencyStandsInOneRegion) {
    const std::string latency = "[routes.l]\npolicy = \"latency\"\nmembers = [\"f\"]\n";
    for (const std::string policy : {"weighted", "multivalue"}) {
        EXPECT_THAT(problems_with(latency + failover("f", "\"w\"") + "[routes.w]\npolicy = \"" +
                                  policy + "\"\nmembers = [\"a\", \"main\"]\n"),
                    ElementsAre(problem("@7:1: error",
                                        "a " + policy +
                                            " route under latency must stand in one region, its "
                                            "endpoints stand in \"tokyo\" and \"virginia\" (route "
                                            "\"w\", under \"l\")")));
    }
}

TEST(RouteTree, DrawnRouteInOneRegionOrNotUnderLatencyIsFine) {
    EXPECT_THAT(problems_with("[routes.l]\npolicy = \"latency\"\nmembers = [\"w\", \"b\"]\n"
                              "[routes.w]\npolicy = \"weighted\"\nmembers = [\"a\"]\n"
                              "[routes.v]\npolicy = \"weighted\"\nmembers = [\"a\", \"b\"]\n"),
                ElementsAre());
}

TEST(RouteTree, LatencyMemberWithoutARegion) {
    const std::string nowhere = "[endpoints.n]\naddresses = [\"192.0.2.7\"]\nprobes = [\"web\"]\n";
    EXPECT_THAT(
        problems_with(nowhere + "[routes.l]\npolicy = \"latency\"\nmembers = [\"a\", \"n\"]\n"),
        ElementsAre(problem("@6:17: error",
                            "endpoint \"n\" has no region, which latency "
                            "needs (route \"l\")")));
    EXPECT_THAT(
        problems_with(nowhere + "[routes.l]\npolicy = \"latency\"\nmembers = [\"a\", \"f\"]\n" +
                      failover("f", "\"b\", \"n\"")),
        ElementsAre(problem("@6:17: error", "endpoint \"n\" has no region")));
}

TEST(RouteTree, UnknownRegionIsNotAlsoAMissingOne) {
    EXPECT_THAT(problems_with("[endpoints.n]\naddresses = [\"192.0.2.7\"]\nprobes = [\"web\"]\n"
                              "region = \"x\"\n"
                              "[routes.l]\npolicy = \"latency\"\nmembers = [\"n\"]\n"),
                ElementsAre(problem("@4:10: error", "no region \"x\"")));
}

TEST(RouteTree, DepthIsBounded) {
    const auto chain = [](int routes) {
        std::string text = failover("r0", "\"a\"");
        for (int i = 1; i < routes; ++i) {
            text += failover("r" + std::to_string(i), "\"r" + std::to_string(i - 1) + "\"");
        }
        return text;
    };
    EXPECT_THAT(problems_with(chain(32)), ElementsAre());
    EXPECT_THAT(problems_with(chain(40)),
                ElementsAre(problem("@97:1: error", "nested more than 32 deep (route \"r32\")")));
}

TEST(RouteTree, SizeOfTheTreeIsBounded) {
    // Each route names the one before twice over: 2^25 ways down.
    std::string text = failover("r0", "\"a\", \"b\"") + failover("s0", "\"a\", \"b\"");
    for (int i = 1; i < 25; ++i) {
        const auto below = std::to_string(i - 1);
        for (const char* name : {"r", "s"}) {
            text += failover(name + std::to_string(i), "\"r" + below + "\", \"s" + below + "\"");
        }
    }
    EXPECT_THAT(problems_with(text), ElementsAre(problem("@109:1: error", "more than 1000000")));
}

TEST(RouteTree, EndpointsUnderARouteComeOnceInTheirOrder) {
    const auto loaded = load_text(std::string(kBase) + failover("x", "\"b\", \"main\", \"y\"") +
                                      failover("y", "\"c\", \"a\""),
                                  "c.toml");
    ASSERT_NE(loaded.model, nullptr) << loaded.problems.text();
    EXPECT_THAT(endpoints_under(*loaded.model, RouteId{1}),
                ElementsAre(EndpointId{1}, EndpointId{0}, EndpointId{2}));
}

}  // namespace
}  // namespace steerd::config
