// Plans part by part: slots, trees, steered names; CNAME targets that lead back; a large model in
// time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "policy/compile_tree.h"
#include "support.h"

namespace steerd::policy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kBase = R"([server]
listen = ["127.0.0.1:5300"]
identity = "tyo-1"
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[probes.web]
type = "tcp"
port = 80
[endpoints.a]
region = "tokyo"
addresses = ["2001:db8::1", "192.0.2.1", "192.0.2.11", "2001:db8::11"]
probes = ["web"]
[endpoints.b]
region = "virginia"
addresses = ["192.0.2.2"]
[endpoints.sorry]
cname = "sorry.example.net"
[routes.best]
policy = "latency"
members = ["b", "a", "alsob"]
[routes.alsob]
policy = "weighted"
members = [{ to = "b", weight = 7 }]
[routes.safe]
policy = "failover"
members = ["best", "alsob", "sorry"]
failback = "manual"
min_available = 2
[zones."example.org"]
file = "zone"
[zones."example.org".steer]
"@" = { route = "best", ttl = "30s", ttl_min = "5s" }
[zones."example.com"]
file = "zone"
[zones."example.com".steer]
www = { route = "safe", when_all_down = "nodata", families = "any" }
ftp = { route = "safe" }
)";

TEST(Plan, PutsIPv4SlotsBeforeIPv6) {
    const Built built = build(kBase);
    const Plan& plan = *built.plan;
    const Endpoint& a = plan.endpoints.at(0);
    EXPECT_EQ(a.v4_count, 2U);
    EXPECT_EQ(a.v6_count, 2U);
    EXPECT_TRUE(a.probed);
    EXPECT_EQ(a.region, 0U);
    std::vector<std::string> addresses;
    for (std::size_t i = 0; i < 4; ++i) {
        addresses.push_back(plan.slots.at(a.first_slot + i).address.text());
        EXPECT_EQ(plan.slots[a.first_slot + i].endpoint, EndpointId{0});
    }
    EXPECT_THAT(addresses, ElementsAre("192.0.2.1", "192.0.2.11", "2001:db8::1", "2001:db8::11"));
    const Endpoint& sorry = plan.endpoints.at(2);
    EXPECT_TRUE(sorry.cname);
    EXPECT_TRUE(plan.slots.at(sorry.first_slot).cname);
    EXPECT_EQ(sorry.target.to_text(), "sorry.example.net.");
    EXPECT_FALSE(plan.endpoints.at(1).probed);
    EXPECT_EQ(plan.identity, "tyo-1");
}

TEST(Plan, HashesNamesAlikeOnEveryNode) {
    const Built built = build(kBase);
    EXPECT_EQ(built.plan->endpoints.at(0).name_hash, name_hash("a"));
    // XXH3 of 64 bits with seed 0, as published with the algorithm for the empty text.
    EXPECT_EQ(name_hash(""), 0x2D06800538D394C2ULL);
}

TEST(Plan, HasOneTreeForEachRouteThatANameNames) {
    const Built built = build(kBase);
    const Plan& plan = *built.plan;
    ASSERT_EQ(plan.trees.size(), 2U);
    ASSERT_EQ(plan.steered.size(), 3U);
    EXPECT_EQ(plan.steered[1].tree, plan.steered[2].tree);
    const Tree& safe = plan.trees.at(config::index(plan.steered[1].tree));
    ASSERT_EQ(safe.routes.size(), 3U);
    const auto name = [&](std::size_t i) {
        return built.input.model->route(safe.routes[i].route).name;
    };
    EXPECT_THAT((std::vector<std::string>{name(0), name(1), name(2)}),
                ElementsAre("safe", "best", "alsob"));
    EXPECT_TRUE(safe.routes[0].remembers);
    EXPECT_EQ(safe.routes[0].min_available, 2U);
    EXPECT_EQ(safe.routes[0].view_slot, kNone);
    EXPECT_EQ(safe.routes[1].view_slot, 0U);
    EXPECT_THAT(safe.routes[1].regions, ElementsAre(RegionId{1}, RegionId{0}));
    // "alsob" stands once, and both who name it lead there.
    EXPECT_EQ(safe.members[safe.routes[0].first_member + 1].target, 2U);
    EXPECT_EQ(safe.members[safe.routes[1].first_member + 2].target, 2U);
    EXPECT_EQ(safe.members[safe.routes[2].first_member].weight, 7U);
    EXPECT_EQ(safe.members[safe.routes[0].first_member].name_hash, name_hash("best"));
    EXPECT_THAT(safe.endpoints, ElementsAre(EndpointId{1}, EndpointId{0}, EndpointId{2}));
    EXPECT_TRUE(safe.has_cname);
    EXPECT_TRUE(safe.has_addresses);
    EXPECT_THAT(plan.trees_of_endpoint.at(0), ElementsAre(TreeId{0}, TreeId{1}));
    EXPECT_THAT(plan.trees_of_endpoint.at(2), ElementsAre(plan.steered[1].tree));
}

TEST(Plan, KeepsZonesInOrderWithTheirSteerTables) {
    const Built built = build(kBase);
    const Plan& plan = *built.plan;
    ASSERT_EQ(plan.zones.size(), 2U);
    EXPECT_EQ(plan.zones[0].first_steered, 0U);
    EXPECT_EQ(plan.zones[1].first_steered, 1U);
    EXPECT_EQ(plan.zone_set.slots().at(1).apex.to_text(), "example.com.");
    const SteeredName& apex = plan.steered[0];
    EXPECT_EQ(apex.owner.to_text(), "example.org.");
    EXPECT_EQ(apex.ttl_s, 30U);
    EXPECT_EQ(apex.ttl_min_s, 5U);
    const SteeredName& www = plan.steered[1];
    EXPECT_EQ(www.zone, 1U);
    EXPECT_EQ(www.ttl_min_s, 0U);
    EXPECT_EQ(www.when_all_down, config::WhenAllDown::NoData);
    EXPECT_EQ(www.families, config::Families::Any);
}

TEST(Plan, HasNoSteeredNamesInAZoneWithoutData) {
    Built built = prepare(kBase);
    built.input.zones[0].zone = nullptr;
    built.compile();
    ASSERT_TRUE(built.plan);
    EXPECT_EQ(built.plan->steered.size(), 2U);
    EXPECT_EQ(built.plan->zones[1].first_steered, 0U);
    const auto name = dns::Name::parse("www.example.org.");
    EXPECT_EQ(built.plan->zone_set.find(*name)->zone, nullptr);
}

TEST(Plan, TakesAnOlderSteerTableByRouteName) {
    const auto older = make_model(kBase);
    std::string text(kBase);
    text.insert(text.find("[routes.best]"),
                "[routes.another]\npolicy = \"failover\"\nmembers = [\"a\"]\n");
    const auto newer = make_model(text);
    std::string missing;
    const auto table = remapped_steer(older->zones[1], *older, *newer, missing);
    ASSERT_TRUE(table);
    EXPECT_EQ(newer->route(table->steer[0].route).name, "safe");
    EXPECT_NE(table->steer[0].route, older->zones[1].steer[0].route);
    EXPECT_FALSE(remapped_steer(newer->zones[1], *newer, *make_model(R"([server]
listen = ["127.0.0.1:5300"]
)"),
                                missing));
    EXPECT_EQ(missing, "safe");
}

std::string with_cname(std::string_view target, std::string_view more_steer = "") {
    return R"([server]
listen = ["127.0.0.1:5300"]
[endpoints.site]
addresses = ["192.0.2.1"]
[endpoints.other]
cname = ")" +
           std::string(target) + R"("
[routes.safe]
policy = "failover"
members = ["site", "other"]
[zones."example.com"]
file = "zone"
[zones."example.com".steer]
www = { route = "safe" }
)" + std::string(more_steer);
}

/// The messages of compiling, or empty when a plan came out.
std::string cname_problem(std::string_view toml, std::string_view zone) {
    Built built = prepare(toml, zone);
    built.compile();
    EXPECT_EQ(built.plan == nullptr, built.problems.has_errors());
    return built.problems.text();
}

TEST(CnameTarget, ThatLeadsBackToItselfIsAnErrorAtTheSteerEntry) {
    EXPECT_THAT(cname_problem(with_cname("x.example.com"), "x CNAME y\ny CNAME www\n"),
                HasSubstr("steerd.toml:13:1: error: the CNAME target of endpoint \"other\" leads "
                          "back to itself: x.example.com. → y.example.com. → www.example.com. → "
                          "x.example.com."));
    EXPECT_THAT(cname_problem(with_cname("www.alias.example.com"), "alias DNAME example.com.\n"),
                HasSubstr("www.alias.example.com. → www.example.com. → www.alias.example.com."));
    EXPECT_THAT(cname_problem(with_cname("x.example.com"), "x CNAME y\ny CNAME x\n"),
                HasSubstr("x.example.com. → y.example.com. → x.example.com."));
    const std::string apps =
        with_cname("b.apps.example.com", "\"*.apps\" = { route = \"safe\" }\n");
    EXPECT_THAT(cname_problem(apps, ""), HasSubstr("b.apps.example.com. → b.apps.example.com."));
}

TEST(CnameTarget, ThatEndsIsNone) {
    EXPECT_EQ(cname_problem(with_cname("sorry.example.net"), ""), "");
    EXPECT_EQ(cname_problem(with_cname("x.example.com"), "x CNAME y\ny A 192.0.2.9\n"), "");
    EXPECT_EQ(cname_problem(with_cname("gone.example.com"), ""), "");
    // A name that grows with each step ends where names are too long.
    EXPECT_EQ(cname_problem(with_cname("x.d.example.com"), "d DNAME a.d.example.com.\n"), "");
}

TEST(CnameTarget, MayLeadToASteeredNameThatDoesNotLeadBack) {
    EXPECT_EQ(cname_problem(R"([server]
listen = ["127.0.0.1:5300"]
[endpoints.site]
addresses = ["192.0.2.1"]
[endpoints.other]
cname = "second.example.com"
[endpoints.third]
cname = "third.example.net"
[routes.safe]
policy = "failover"
members = ["site", "other"]
[routes.last]
policy = "failover"
members = ["site", "third"]
[zones."example.com"]
file = "zone"
[zones."example.com".steer]
www = { route = "safe" }
second = { route = "last" }
)",
                            ""),
              "");
}

/// 100,000 zones, 10,000 steered names with a route each over 1,000 endpoints in five regions.
PlanInput large_input() {
    auto model = std::make_shared<config::Model>();
    for (const char* name : {"r0", "r1", "r2", "r3", "r4"}) {
        model->regions.push_back(
            {name, {10.0 * static_cast<double>(model->regions.size()), 5}, {}, {}});
    }
    for (std::uint32_t i = 0; i < 1000; ++i) {
        config::EndpointConfig& endpoint = model->endpoints.emplace_back();
        endpoint.name = "e" + std::to_string(i);
        endpoint.region = RegionId{i % 5};
        endpoint.addresses = {base::IpAddress::v4(0xC0000200U + i)};
    }
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        config::RouteConfig& route = model->routes.emplace_back();
        route.name = "t" + std::to_string(i);
        route.policy = config::Policy::Latency;
        for (std::uint32_t m = 0; m < 5; ++m) {
            const std::uint32_t endpoint = (i * 5 + m) % 1000;
            route.members.push_back(
                {model->endpoints[endpoint].name, EndpointId{endpoint}, 1, {}, false, {}});
        }
    }
    base::Problems problems;
    const auto zone =
        zones::load_zone_text(*dns::Name::parse("example."),
                              "@ 60 SOA a. b. 1 2 3 4 5\n@ 60 NS a.\n", "zone", {}, problems);
    PlanInput input;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        auto config = std::make_shared<config::ZoneConfig>();
        config->apex = *dns::Name::parse("z" + std::to_string(i) + ".example.");
        if (i < 10'000) {
            config->steer.emplace_back().owner = config->apex;
            config->steer.back().route = RouteId{i};
        }
        input.zones.push_back({std::move(config), zone});
    }
    input.model = std::move(model);
    return input;
}

/// Countries over a million cells of IPv4.
std::string large_geoip() {
    std::string rows;
    const char* const countries[] = {"JP", "US", "DE", "BR", "AU", "IN"};
    for (std::uint32_t i = 0; i < 60'000; ++i) {
        const std::uint32_t first = (1U << 24) + i * 60'000;
        rows += std::to_string(first) + "," + std::to_string(first + 59'998) + "," +
                countries[(i * 7 + i / 11) % 6] + "\n";
    }
    return rows;
}

TEST(Plan, OfALargeModelCompilesInTime) {
    PlanInput input = large_input();
    input.world = make_world(*input.model, {"", large_geoip(), ""});
    std::size_t cells = input.world->cell_count(base::IpFamily::V4);
    EXPECT_GT(cells, 600'000U);
    base::Problems problems;
    const auto start = std::chrono::steady_clock::now();
    const auto plan = policy::compile(input, problems);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    ASSERT_TRUE(plan) << problems.text();
    EXPECT_EQ(plan->views.size(), 1U);
    EXPECT_EQ(plan->steered.size(), 10'000U);
    // Generous, for sanitizers on a busy machine; Release needs a tenth.
    EXPECT_LT(took.count(), 20.0);
    RecordProperty("seconds", std::to_string(took.count()));
    RecordProperty("view_bytes", std::to_string(plan->views[0]->memory_bytes()));
}

}  // namespace
}  // namespace steerd::policy::testing
