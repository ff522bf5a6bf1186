// Each error and warning of [zones], with its place; they make a zone bad, not the configuration.
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What follows kBase stands in the steer table of example.com.

TEST(SteerErrors, MakeTheZoneBadAndNotTheModel) {
    const auto loaded = load_text(std::string(kBase) +
                                      "x = { route = \"nope\" }\n"
                                      "[zones.\"example.net\"]\nfile = \"n\"\n",
                                  "c.toml");
    ASSERT_NE(loaded.model, nullptr);
    EXPECT_TRUE(loaded.problems.has_errors());
    ASSERT_THAT(loaded.model->zones, SizeIs(2));
    EXPECT_EQ(loaded.model->zones[0].steer_problems.error_count(), 1U);
    EXPECT_THAT(loaded.model->zones[0].steer, SizeIs(1));
    EXPECT_THAT(loaded.model->zones[1].steer_problems.all(), IsEmpty());
}

TEST(SteerErrors, RouteThatDoesNotExist) {
    EXPECT_THAT(problems_with("x = { route = \"maim\" }\n"),
                ElementsAre(problem("@1:15: error",
                                    "no route \"maim\"; did you mean \"main\"? "
                                    "(steered name \"x\")")));
    EXPECT_THAT(problems_with("x = { ttl = \"60s\" }\n"),
                ElementsAre(problem("@1:5: error", "route is missing")));
    EXPECT_THAT(problems_with("x = { route = \"a\" }\n"),
                ElementsAre(problem("@1:15: error", "\"a\" is an endpoint; name a route")));
}

TEST(SteerErrors, UnknownKeyAndWrongType) {
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl_max = \"5s\" }\n"),
                ElementsAre(problem("@1:23: error", "unknown key \"ttl_max\"; did you mean")));
    EXPECT_THAT(problems_with("x = \"main\"\n"),
                ElementsAre(problem("@1:5: error", "must be a table like { route = \"NAME\"")));
}

TEST(SteerErrors, Ttl) {
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl = 60 }\n"),
                ElementsAre(problem("@1:29: error", "ttl must be a duration in quotes")));
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl = \"0s\" }\n"),
                ElementsAre(problem("@1:29: error", "ttl must be at least 1s")));
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl = \"999ms\" }\n"),
                ElementsAre(problem("@1:29: error", "ttl must be at least 1s")));
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl = \"1500ms\" }\n"),
                ElementsAre(problem("@1:29: error", "ttl must be in whole seconds, got 1.5s")));
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl_min = \"500ms\" }\n"),
                ElementsAre(problem("@1:33: error", "ttl_min must be at least 1s")));
}

TEST(SteerErrors, TtlMinAboveTtl) {
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl = \"60s\", ttl_min = \"2m\" }\n"),
                ElementsAre(problem("@1:46: error", "ttl_min (120s) must not exceed ttl (60s)")));
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl = \"60s\", ttl_min = \"60s\" }\n"),
                IsEmpty());
}

TEST(SteerErrors, Words) {
    EXPECT_THAT(problems_with("x = { route = \"main\", when_all_down = \"serve-lats\" }\n"),
                ElementsAre(problem("@1:39: error", "did you mean \"serve-last\"?")));
    EXPECT_THAT(problems_with("x = { route = \"main\", families = \"all\" }\n"),
                ElementsAre(problem("@1:34: error", "families must be \"same\" or \"any\"")));
}

TEST(SteerErrors, BadOwner) {
    EXPECT_THAT(problems_with("\"a..b\" = { route = \"main\" }\n"),
                ElementsAre(problem("@1:1: error", "bad name:")));
    EXPECT_THAT(problems_with("\"\" = { route = \"main\" }\n"),
                ElementsAre(problem("@1:1: error", "bad name: empty")));
}

TEST(SteerErrors, OwnerOutsideOfTheZone) {
    EXPECT_THAT(problems_with("\"www.example.net.\" = { route = \"main\" }\n"),
                ElementsAre(problem("@1:1: error",
                                    "www.example.net. is outside of the zone example.com.")));
}

TEST(SteerErrors, SameOwnerTwiceInDifferentSpelling) {
    EXPECT_THAT(problems_with("WWW = { route = \"main\" }\n\"www.Example.com.\" = { route = "
                              "\"main\" }\n"),
                ElementsAre(problem("@1:1: error", "is steered at line 28 already"),
                            problem("@2:1: error", "is steered at line 28 already")));
}

TEST(SteerErrors, CnameAtTheApex) {
    EXPECT_THAT(problems_with("\"@\" = { route = \"r\" }\nx = { route = \"r\" }\n"
                              "[routes.r]\npolicy = \"failover\"\nmembers = [\"main\", \"c\"]\n"),
                ElementsAre(problem("@1:1: error",
                                    "CNAME at an apex: endpoint \"c\" under route "
                                    "\"r\" is a CNAME")));
}

TEST(SteerErrors, RootGeoWithoutAMatchForAll) {
    const std::string geo =
        "[routes.g]\npolicy = \"geo\"\nmembers = [{ match = \"country:JP\", to = \"a\" }]\n";
    EXPECT_THAT(problems_with("x = { route = \"g\" }\n" + geo),
                ElementsAre(problem("@1:15: error",
                                    "geo route \"g\" has no member with match "
                                    "\"*\"")));
    // Below another route, what matches nothing is passed over.
    EXPECT_THAT(problems_with("x = { route = \"f\" }\n" + geo +
                              "[routes.f]\npolicy = \"failover\"\nmembers = [\"g\", \"b\"]\n"),
                IsEmpty());
}

TEST(SteerErrors, CnameTargetThatLeadsBack) {
    const std::string routes =
        "[endpoints.to-y]\ncname = \"Y.example.com\"\nprobes = [\"web\"]\n"
        "[endpoints.to-x]\ncname = \"x.example.com.\"\nprobes = [\"web\"]\n"
        "[routes.rx]\npolicy = \"failover\"\nmembers = [\"a\", \"to-y\"]\n"
        "[routes.ry]\npolicy = \"failover\"\nmembers = [\"b\", \"to-x\"]\n";
    EXPECT_THAT(problems_with("x = { route = \"rx\" }\ny = { route = \"ry\" }\n" + routes),
                ElementsAre(problem("@2:1: error",
                                    "a CNAME target leads back to itself: "
                                    "x.example.com. → y.example.com. → "
                                    "x.example.com.")));
    EXPECT_THAT(problems_with("x = { route = \"ry\" }\n" + routes),
                ElementsAre(problem("@1:1: error", "x.example.com. → x.example.com.")));
    EXPECT_THAT(problems_with("x = { route = \"rx\" }\ny = { route = \"main\" }\n" + routes),
                IsEmpty());
}

TEST(ZoneErrors, FileIsMissing) {
    EXPECT_THAT(problems_with("[zones.\"example.net\"]\n"),
                ElementsAre(problem("@1:1: error", "file is missing")));
    EXPECT_THAT(problems_with("[zones.\"example.net\"]\nfile = 3\n"),
                ElementsAre(problem("@2:8: error", "file must be a string")));
    const auto loaded = load_text(std::string(kBase) + "[zones.\"example.net\"]\n", "c.toml");
    ASSERT_NE(loaded.model, nullptr);
    EXPECT_TRUE(loaded.model->zones.at(1).steer_problems.has_errors());
}

TEST(ZoneErrors, NameWithoutQuotes) {
    EXPECT_THAT(problems_with("[zones.example.net]\nfile = \"x\"\n"),
                ElementsAre(problem("@1:1: error", "needs quotes: [zones.\"example.net\"]"),
                            problem("@1:16: error", "unknown key \"net\"")));
}

TEST(ZoneErrors, NotATable) {
    EXPECT_THAT(problems_with("[zones]\n\"example.net\" = \"x\"\n"),
                ElementsAre(problem("@2:17: error", "zone \"example.net\" must be a table")));
    EXPECT_THAT(problems_with("[zones.\"example.net\"]\nfile = \"x\"\nsteer = 3\n"),
                ElementsAre(problem("@3:9: error", "steer must be a table")));
}

TEST(ZoneErrors, UnknownKey) {
    EXPECT_THAT(problems_with("[zones.\"example.net\"]\nfile = \"x\"\nsteer_ = {}\n"),
                ElementsAre(problem("@3:1: error", "did you mean \"steer\"? (zone")));
}

TEST(ZoneErrors, BadName) {
    EXPECT_THAT(problems_with("[zones.\"a..b\"]\nfile = \"x\"\n"),
                ElementsAre(problem("@1:8: error", "bad zone name \"a..b\"")));
}

TEST(ZoneErrors, SameZoneTwiceInDifferentSpelling) {
    EXPECT_THAT(problems_with("[zones.\"Example.COM.\"]\nfile = \"x\"\n"),
                ElementsAre(problem("@1:8: error", "stands at line 25 already")));
}

TEST(ZoneNames, RootZoneAndAbsoluteOwners) {
    const auto loaded = load_text(std::string(kBase) +
                                      "\"b.example.com.\" = { route = \"main\" }\n"
                                      "[zones.\".\"]\nfile = \"root\"\n[zones.\".\".steer]\n"
                                      "\"@\" = { route = \"main\" }\nwww = { route = \"main\" }\n",
                                  "c.toml");
    ASSERT_NE(loaded.model, nullptr);
    EXPECT_THAT(loaded.problems.all(), IsEmpty()) << loaded.problems.text();
    EXPECT_EQ(loaded.model->zones.at(0).steer.at(1).owner.to_text(), "b.example.com.");
    const auto& root = loaded.model->zones.at(1);
    EXPECT_TRUE(root.apex.is_root());
    EXPECT_TRUE(root.steer.at(0).owner.is_root());
    EXPECT_EQ(root.steer.at(1).owner.to_text(), "www.");
}

TEST(SteerErrors, OwnerThatRepeatsTheZoneIsMeantWholeWithoutItsDotToo) {
    EXPECT_THAT(problems_with("\"x.example.com\" = { route = \"main\" }\n"), IsEmpty());
    EXPECT_THAT(problems_with("x = { route = \"main\" }\n"
                              "\"x.example.com\" = { route = \"main\" }\n"),
                ElementsAre(problem("@2:1: error", "x.example.com. is steered at line")));
}

TEST(SteerWarnings, MembersWithUnequalFamilies) {
    EXPECT_THAT(problems_with("x = { route = \"r\" }\n"
                              "[endpoints.d]\naddresses = [\"192.0.2.8\", \"2001:db8::8\"]\n"
                              "probes = [\"web\"]\n"
                              "[routes.r]\npolicy = \"failover\"\nmembers = [\"main\", \"d\"]\n"),
                ElementsAre(problem("@1:1: warning",
                                    "members with unequal families: \"a\" has IPv4 "
                                    "only, \"d\" has IPv4 and IPv6")));
}

TEST(SteerWarnings, TtlThatIsLongOrShortOnAProbedName) {
    EXPECT_THAT(problems_with("x = { route = \"main\", ttl = \"301s\" }\n"
                              "y = { route = \"main\", ttl = \"4s\" }\n"
                              "z = { route = \"main\", ttl = \"300s\" }\n"
                              "w = { route = \"main\", ttl = \"5s\" }\n"),
                ElementsAre(problem("@1:29: warning", "ttl 301s is above 300s"),
                            problem("@2:29: warning", "ttl 4s is below 5s")));
    EXPECT_THAT(problems_with("x = { route = \"r\", ttl = \"1h\" }\n"
                              "[endpoints.d]\naddresses = [\"192.0.2.8\"]\n"
                              "[routes.r]\npolicy = \"failover\"\nmembers = [\"d\"]\n"),
                ElementsAre(problem("@2:1: warning", "never found down")));
}

}  // namespace
}  // namespace steerd::config
