// Each error of [geo] and [regions], with its place.
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

auto network(const std::string& lines) { return problems_with("[[geo.networks]]\n" + lines); }

TEST(GeoErrors, UnknownKey) {
    EXPECT_THAT(problems_with("[geo]\ndatabase = [\"x.mmdb\"]\n"),
                ElementsAre(problem("@2:1: error", "did you mean \"databases\"? (geo)")));
}

TEST(GeoErrors, Learn) {
    EXPECT_THAT(problems_with("[geo]\nlearn = \"learned.csv\"\n"),
                ElementsAre(problem("@2:9: error", "learn needs region in [server]")));
    const std::string server = "[server]\nregion = \"tokyo\"\n";
    const auto learn = [&](const std::string& name) {
        return problems_edited("[server]\n", "geo.learn = \"" + name + "\"\n" + server);
    };
    EXPECT_THAT(learn("learned.csv"), ElementsAre());
    for (const char* name : {"state/learned.csv", "../learned.csv", "learned", ".csv", "/x.csv"}) {
        EXPECT_THAT(learn(name),
                    ElementsAre(problem("c.toml:1:13: error", "learn must be the name of a file")))
            << name;
    }
    EXPECT_THAT(problems_edited("state_dir = \"state\"\n",
                                "region = \"tokyo\"\n[geo]\nlearn = \"learned.csv\"\n"),
                Contains(problem("c.toml:5:9: error", "learn needs state_dir in [server]")));
}

TEST(GeoErrors, LearnInARegionThatCsvCannotName) {
    const auto text = "geo.learn = \"x.csv\"\n" + std::string(kBase);
    for (const std::string region : {"to,kyo", " tokyo", "tokyo "}) {
        auto named = text;
        named.replace(named.find("[server]\n"), 9, "[server]\nregion = \"" + region + "\"\n");
        named += "[regions.\"" + region + "\"]\nlocation = [1, 2]\n";
        EXPECT_THAT(problems_of(named),
                    ElementsAre(problem("c.toml:1:13: error",
                                        "region \"" + region + "\" cannot be named")));
    }
}

TEST(GeoErrors, Prefix) {
    EXPECT_THAT(network("country = \"JP\"\n"),
                ElementsAre(problem("@1:1: error", "prefix is missing")));
    EXPECT_THAT(network("prefix = \"10.1.0.0/33\"\nasn = 1\n"),
                ElementsAre(problem("@2:10: error", "prefix must be like")));
    EXPECT_THAT(network("prefix = \"10.1.2.3/16\"\nasn = 1\n"),
                ElementsAre(problem("@2:10: error", "did you mean \"10.1.0.0/16\"?")));
}

TEST(GeoErrors, PrefixGivenTwice) {
    EXPECT_THAT(network("prefix = \"10.0.0.0/8\"\nasn = 1\n[[geo.networks]]\n"
                        "prefix = \"::ffff:10.0.0.0/104\"\nasn = 2\n"),
                ElementsAre(problem("@5:10: error", "stands at line 29 already")));
}

TEST(GeoErrors, NetworkThatSaysNothing) {
    EXPECT_THAT(network("prefix = \"10.0.0.0/8\"\n"),
                ElementsAre(problem("@1:1: error", "says nothing; add location")));
}

TEST(GeoErrors, BadFacts) {
    EXPECT_THAT(network("prefix = \"10.0.0.0/8\"\ncountry = \"JPN\"\ncontinent = \"XX\"\n"
                        "subdivision = \"USCA\"\nasn = 0\n"),
                ElementsAre(problem("@3:11: error", "country must be two letters"),
                            problem("@4:13: error", "continent must be AF"),
                            problem("@5:15: error", "subdivision must be an ISO 3166-2"),
                            problem("@6:7: error", "asn must be 1..4294967295, got 0")));
    EXPECT_THAT(network("prefix = \"10.0.0.0/8\"\nasn = \"64500\"\n"),
                ElementsAre(problem("@3:7: error", "asn must be a number like 64500")));
}

TEST(GeoErrors, FactsInEitherCase) {
    const auto text = std::string(kBase) +
                      "[[geo.networks]]\nprefix = \"10.0.0.0/8\"\ncountry = \"jp\"\n"
                      "subdivision = \"jp-13\"\ncontinent = \"as\"\nasn = \"AS64500\"\n";
    const auto loaded = load_text(text, "c.toml");
    ASSERT_NE(loaded.model, nullptr) << loaded.problems.text();
    const auto& network = loaded.model->geo.networks.at(0);
    EXPECT_EQ(network.country, "JP");
    EXPECT_EQ(network.subdivision, "JP-13");
    EXPECT_EQ(network.continent, "AS");
    EXPECT_EQ(network.asn, 64500U);
    EXPECT_EQ(network.at.line, 29U);
}

TEST(GeoErrors, NetworksMustBeTables) {
    EXPECT_THAT(problems_with("[geo]\nnetworks = [3]\n"),
                ElementsAre(problem("@2:13: error", "geo.networks must hold tables only")));
    EXPECT_THAT(problems_with("[geo.networks]\nprefix = \"10.0.0.0/8\"\n"),
                ElementsAre(problem("@1:1: error", "networks must be an array, got a table")));
}

TEST(RegionErrors, Location) {
    EXPECT_THAT(problems_with("[regions.x]\n"),
                ElementsAre(problem("@1:1: error", "location is missing")));
    EXPECT_THAT(problems_with("[regions.x]\nlocation = [100, 0]\n"),
                ElementsAre(problem("@2:12: error", "got [100, 0] (region \"x\")")));
}

TEST(RegionErrors, CountryAndUnknownKey) {
    EXPECT_THAT(
        problems_with("[regions.x]\nlocation = [1, 2]\ncountry = \"Japan\"\ncity = \"a\"\n"),
        ElementsAre(problem("@3:11: error", "country must be two letters"),
                    problem("@4:1: error", "unknown key \"city\"")));
}

TEST(RegionErrors, NotATable) {
    EXPECT_THAT(problems_with("[regions]\nx = [1, 2]\n"),
                ElementsAre(problem("@2:5: error", "regions.\"x\" must be a table, got an array")));
}

TEST(NameErrors, NamesThatOrdersCouldNotName) {
    EXPECT_THAT(problems_with("[regions.\"\"]\nlocation = [1, 2]\n"),
                ElementsAre(problem("@1:10: error", "region name \"\" is empty")));
    EXPECT_THAT(problems_with("[regions.\"a/b\"]\nlocation = [1, 2]\n"),
                ElementsAre(problem("@1:10: error", "holds a \"/\"")));
    EXPECT_THAT(problems_with("[regions.\"a\\nb\"]\nlocation = [1, 2]\n"),
                ElementsAre(problem("@1:10: error", "\"a\\x0ab\" holds a control character")));
    EXPECT_THAT(problems_with("[endpoints.\"region:x\"]\naddresses = [\"192.0.2.9\"]\n"
                              "probes = [\"web\"]\n"),
                ElementsAre(problem("@1:12: error", "begins with \"region:\"")));
    EXPECT_THAT(problems_with("[routes.\"route:x\"]\npolicy = \"failover\"\nmembers = [\"a\"]\n"),
                ElementsAre(problem("@1:9: error", "begins with \"route:\"")));
}

}  // namespace
}  // namespace steerd::config
