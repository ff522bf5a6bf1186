// "A scenario with unknown keys, shares that do not add up, targets that do not exist, events out
// of order, zero rates: all problems at once with file:line:col."
#include <gtest/gtest.h>

#include "rehearsal.h"

namespace steerd::drill::testing {
namespace {

/// "line:col: word" for each problem, to be looked for in order.
void expect_problems(const base::Problems& problems,
                     const std::vector<std::pair<std::string, std::string>>& wanted) {
    const auto& all = problems.all();
    ASSERT_EQ(all.size(), wanted.size()) << problems.text();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const std::string text = all[i].text();
        EXPECT_EQ(text.find("s.toml:" + wanted[i].first + ": error: "), 0U) << text;
        EXPECT_NE(text.find(wanted[i].second), std::string::npos) << text;
    }
}

constexpr std::string_view kGood = R"([drill]
config = "c.toml"
name = "www.example.com"
duration = "10m"
[[demand]]
place = "country:JP"
resolvers = 10
queries_per_second = 5
)";

base::Problems problems_of(std::string_view text) {
    return read_scenario_text(text, "s.toml").problems;
}

TEST(ScenarioProblems, AllOfOneFileComeTogether) {
    expect_problems(problems_of(R"([drill]
config = "c.toml"
name = "www.example.com"
duration = "10 minutes"
sed = 7
type = "MX"
[[resolvers]]
name = "honest"
share = 0.5
lifetime = "ceil"
[[resolvers]]
name = "honest"
share = 0.4
min_ttl = "5m"
max_ttl = "1m"
prefetch = { bellow = "2s" }
serve_stale = { when = "never" }
ecs = "24"
[[demand]]
resolvers = 0
queries_per_second = 0
zipf = -1
[[demand]]
place = "country:Japan"
network = "203.0.113.1/24"
resolvers = 5
queries_per_second = 5
[[events]]
at = "5m"
do = "kil"
target = "tokyo"
[[events]]
at = "4m"
do = "slow"
target = "tokyo"
period = "5s"
[[events]]
at = "3m"
do = "drain"
target = "server"
[expect]
detekt = "<= 20s"
switch = "20s"
lost_requests = "<= 2"
[sweep]
ttl = ["0s", 5]
)"),
                    {{"4:12", "duration must be a duration"},
                     {"5:1", "unknown key \"sed\"; did you mean \"seed\"?"},
                     {"6:8", "type must be \"A\" or \"AAAA\""},
                     {"7:1", "shares of [[resolvers]] must add up to 1, they make 0.9"},
                     {"10:12", "lifetime must be"},
                     {"12:8", "\"honest\" is there already"},
                     {"14:11", "min_ttl must not be above max_ttl"},
                     {"16:12", "below is missing"},
                     {"16:14", "unknown key \"bellow\"; did you mean \"below\"?"},
                     {"17:24", "when must be \"error\" or \"always\""},
                     {"18:7", "ecs must be like \"/24\""},
                     {"19:1", "who asks is missing"},
                     {"20:13", "resolvers must be 1.."},
                     {"21:22", "queries_per_second must be above 0"},
                     {"22:8", "zipf must be 0..10"},
                     {"24:9", "a country is two letters"},
                     {"25:11", "place and network exclude each other"},
                     {"30:6", "do must be"},
                     {"32:1", "delay is missing"},
                     {"33:6", "events must stand in order: 4m is before 5m"},
                     {"36:1", "period belongs to \"flap\""},
                     {"38:6", "events must stand in order: 3m is before 5m"},
                     {"40:10", "the server can be killed, hung and recovered"},
                     {"42:1", "unknown key \"detekt\"; did you mean \"detect\"?"},
                     {"43:10", "switch must be a limit like \"<= 20s\""},
                     {"44:17", "lost_requests must be a limit like \"<= 2%\""},
                     {"46:8", "a ttl is at least 1s"},
                     {"46:14", "no duration"}});
}

TEST(ScenarioProblems, WhatIsMissingIsSaid) {
    expect_problems(problems_of("[drill]\n[[demand]]\n[[events]]\n"),
                    {{"1:1", "config is missing"},
                     {"1:1", "name is missing"},
                     {"1:1", "duration is missing"},
                     {"2:1", "who asks is missing"},
                     {"2:1", "resolvers is missing"},
                     {"2:1", "queries_per_second is missing"},
                     {"3:1", "at is missing"},
                     {"3:1", "target is missing"},
                     {"3:1", "do is missing"}});
    expect_problems(problems_of(""), {{"1:1", "[drill] is missing"}, {"1:1", "[[demand]]"}});
    EXPECT_TRUE(problems_of("[drill\n").has_errors());
    EXPECT_TRUE(read_scenario("/nowhere/s.toml").problems.has_errors());
}

TEST(ScenarioProblems, EmptyWordsAreReadWithoutHarm) {
    const std::string head =
        "[drill]\nconfig = \"c\"\nname = \"n\"\nduration = \"1m\"\n[[demand]]\nresolvers = 1\n"
        "queries_per_second = 1\n";
    expect_problems(problems_of(head + "place = \"\"\n[[resolvers]]\nshare = 1\necs = \"\"\n"),
                    {{"8:9", "place is empty"}, {"11:7", "ecs is empty"}});
    // What is wrong is that there are two, not the second one.
    expect_problems(problems_of(head + "place = \"country:JP\"\nnetwork = \"203.0.113.0/24\"\n"),
                    {{"9:11", "place and network exclude each other"}});
}

TEST(ScenarioProblems, EventsBeyondTheEndAreRefused) {
    expect_problems(problems_of(std::string(kGood) + event("10m", "kill", "x")),
                    {{"10:6", "10m is not before the end of the drill (10m)"}});
}

TEST(ScenarioProblems, APresetAndAListExcludeEachOther) {
    const auto text = replaced(std::string(kGood), "[[demand]]",
                               "population = \"mixed\"\n[[resolvers]]\nshare = 1\n[[demand]]");
    expect_problems(problems_of(text), {{"5:14", "exclude each other"}});
    expect_problems(problems_of(replaced(std::string(kGood), "[[demand]]",
                                         "population = \"mixd\"\n[[demand]]")),
                    {{"5:14", "did you mean \"mixed\"?"}});
}

TEST(ScenarioProblems, NamesOfTheConfigurationAreLookedUp) {
    const std::string text = replaced(std::string(kGood), "www.example.com", "ww.example.com") +
                             event("1m", "kill", "region:tokio") + event("2m", "kill", "virgina") +
                             event("3m", "weight", "tokyo", "route = \"www\"\nweight = 0") +
                             event("4m", "weight", "tokyo", "route = \"w\"\nweight = 0");
    const auto read = read_scenario_text(text, "s.toml");
    ASSERT_FALSE(read.problems.has_errors()) << read.problems.text();
    base::Problems problems;
    const auto plan = policy::testing::build(two_sites()).plan;
    EXPECT_FALSE(bind_scenario(read.scenario, plan, problems));
    expect_problems(
        problems, {{"3:8", "is no steered name of c.toml; did you mean \"www.example.com.\"?"},
                   {"12:10", "there is no region \"region:tokio\"; did you mean \"region:tokyo\"?"},
                   {"17:10", "there is no endpoint \"virgina\"; did you mean \"virginia\"?"},
                   {"22:10", "route \"www\" is latency: its members have no weight"},
                   {"28:10", "there is no route \"w\""}});
}

TEST(ScenarioProblems, PlacesWithoutAddressesAreRefused) {
    const auto read =
        read_scenario_text(replaced(std::string(kGood), "country:JP", "country:FR"), "s.toml");
    base::Problems problems;
    const auto bound =
        bind_scenario(read.scenario, policy::testing::build(two_sites()).plan, problems);
    ASSERT_TRUE(bound);
    (void)run_virtual(read.scenario, *bound, problems);
    expect_problems(problems, {{"5:1", "the geo data knows no addresses of country:FR"}});
}

TEST(Scenario, EveryKeyIsRead) {
    const auto read = read_scenario_text(R"([drill]
config = "c.toml"
name = "www.example.com."
duration = "1h"
seed = 9
type = "AAAA"
[[resolvers]]
name = "a"
share = "50%"
lifetime = "floor+1"
min_ttl = "5s"
max_ttl = "1h"
hold = "60s"
ecs = "/24"
pool = 8
prefetch = "10%"
serve_stale = { when = "always", for = "1d", reply_ttl = "30s" }
client_hold = "45s"
[[resolvers]]
share = 0.5
prefetch = { below = "2s", of_at_least = "9s" }
[[demand]]
location = [35.5, 139]
place = "country:JP"
resolvers = 10
queries_per_second = 5.5
zipf = 1.1
[[demand]]
network = "203.0.113.0/24"
resolvers = 1
queries_per_second = 1
[[events]]
at = "1m"
do = "gray"
target = "tokyo"
fail = 0.3
delay = "900ms"
[[events]]
at = "2m"
do = "flap"
target = "tokyo"
period = "20s"
duty = 0.25
[[events]]
at = "3m"
do = "hang"
target = "server"
[expect]
switches = "<= 4"
detect = "< 20s"
)",
                                         "dir/s.toml");
    ASSERT_TRUE(read.problems.all().empty()) << read.problems.text();
    const Scenario& s = read.scenario;
    EXPECT_EQ(s.config, "dir/c.toml");
    EXPECT_EQ(s.seed, 9U);
    EXPECT_EQ(s.type, AskedType::Aaaa);
    ASSERT_EQ(s.population.classes.size(), 2U);
    const CacheModel& a = s.population.classes[0].model;
    EXPECT_EQ(a.rounding, Rounding::FloorPlusOne);
    EXPECT_EQ(a.min_ttl_s, 5);
    EXPECT_EQ(a.max_ttl_s, 3600);
    EXPECT_EQ(a.hold_s, 60);
    EXPECT_GT(a.ecs_prefixes, 1U);
    EXPECT_EQ(a.pool, 8U);
    EXPECT_EQ(a.prefetch.share, 0.1);
    EXPECT_EQ(a.stale.when, ServeStale::Always);
    EXPECT_EQ(a.stale.for_s, 86400);
    EXPECT_EQ(a.client.hold_s(7), 45);
    EXPECT_EQ(s.population.classes[1].model.prefetch.below_s, 2);
    EXPECT_EQ(s.population.classes[1].model.prefetch.of_at_least_s, 9);
    ASSERT_EQ(s.demands.size(), 2U);
    EXPECT_EQ(s.demands[0].spec.zipf, 1.1);
    EXPECT_EQ(location_networks(s).at(0).country, "JP");
    ASSERT_EQ(s.events.size(), 3U);
    EXPECT_EQ(s.events[0].fail, 0.3);
    EXPECT_EQ(s.events[1].duty, 0.25);
    EXPECT_EQ(s.expect.at(0).key, "switches");
    EXPECT_EQ(s.expect.at(1).limit.relation, Limit::Relation::Below);
}

}  // namespace
}  // namespace steerd::drill::testing
