// Forecast: shares of address space or of demand, before and after, and who moves.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "policy/forecast.h"
#include "steering.h"

namespace steerd::policy::testing {
namespace {

constexpr double kSlash8 = 1 << 24;
/// All of IPv4 but what the IANA registry sets apart.
constexpr double kPublic4 = 4294967296.0 - 3 * kSlash8 - (1 << 29) - (1 << 22) - (1 << 20) -
                            (1 << 17) - 2 * (1 << 16) - 5 * 256;

const std::string kLatency =
    "[routes.main]\npolicy = \"latency\"\nmembers = [\"a\", \"b\", \"c\"]\n";

/// 1.0.0.0/8 in Japan, 2.0.0.0/7 in Germany; 2400::/16 in Japan, 2a00::/15 in Germany.
WorldText two_countries() {
    WorldText world;
    world.geoip = "16777216,33554431,JP\n33554432,67108863,DE\n";
    world.geoip6 =
        "2400::,2400:ffff:ffff:ffff:ffff:ffff:ffff:ffff,JP\n"
        "2a00::,2a01:ffff:ffff:ffff:ffff:ffff:ffff:ffff,DE\n";
    return world;
}

struct Told {
    Forecast forecast;

    [[nodiscard]] double before(std::string_view name) const { return of(forecast.before, name); }

    [[nodiscard]] double after(std::string_view name) const { return of(forecast.after, name); }

  private:
    [[nodiscard]] double of(const Amounts& amounts, std::string_view name) const {
        for (std::size_t i = 0; i < forecast.endpoints.size(); ++i) {
            if (forecast.endpoints[i].name == name) {
                return amounts.endpoints[i];
            }
        }
        ADD_FAILURE() << "no endpoint " << name;
        return 0;
    }
};

Told told(const Steering& before, const Steering& after, Ask ask = Ask::A,
          const std::vector<DemandRow>* demand = nullptr) {
    const auto from = compile_health(before.plan, before.facts);
    const auto to = compile_health(after.plan, after.facts);
    ForecastInput input{.before = {before.plan, *from, SteeredId{0}},
                        .after = {after.plan, *to, SteeredId{0}},
                        .ask = ask,
                        .now = at(0),
                        .demand = {},
                        .map = true};
    if (demand != nullptr) {
        input.demand = *demand;
    }
    return {forecast(input)};
}

/// The same configuration with some endpoints down.
Told when_down(Steering& s, std::string_view names, Ask ask = Ask::A,
               const std::vector<DemandRow>* demand = nullptr) {
    const auto up = compile_health(s.plan, s.facts);
    s.set(names, Health::Down);
    const auto down = compile_health(s.plan, s.facts);
    ForecastInput input{.before = {s.plan, *up, SteeredId{0}},
                        .after = {s.plan, *down, SteeredId{0}},
                        .ask = ask,
                        .now = at(0),
                        .demand = {},
                        .map = false};
    if (demand != nullptr) {
        input.demand = *demand;
    }
    return {forecast(input)};
}

base::IpPrefix net(std::string_view text) { return *base::IpPrefix::parse(text); }

TEST(Forecast, AddressSpaceIsPublicUnicastAndTheRestIsUnknown) {
    Steering s(kLatency, "ttl = \"60s\"", "", two_countries());
    const Told got = when_down(s, "a");
    EXPECT_EQ(got.forecast.total, kPublic4);
    EXPECT_EQ(got.before("a"), kSlash8);
    EXPECT_EQ(got.before("b"), 2 * kSlash8);
    EXPECT_EQ(got.before("c"), 0);
    EXPECT_EQ(got.forecast.before.unknown, kPublic4 - 3 * kSlash8);
    EXPECT_EQ(got.after("a"), 0);
    EXPECT_EQ(got.after("b") + got.after("c"), 3 * kSlash8);
    EXPECT_EQ(got.forecast.moved, kSlash8);
    EXPECT_EQ(got.forecast.sampled, 0);
    double japan = 0;
    for (const ForecastPlace& place : got.forecast.places) {
        const bool jp = place.country == geo::CountryCode::from("JP");
        japan += jp ? place.moved : 0;
        EXPECT_EQ(place.moved, jp ? place.weight : 0);
    }
    EXPECT_EQ(japan, kSlash8);
}

TEST(Forecast, Ipv6IsCountedBySlash48) {
    Steering s(kLatency, "ttl = \"60s\"", "", two_countries());
    const Told got = when_down(s, "a", Ask::Aaaa);
    const double slash16 = 4294967296.0;
    // 2000::/3 without 2001::/23, 2001:db8::/32, 2002::/16 and 3fff::/20.
    EXPECT_EQ(got.forecast.total, 8192 * slash16 - (1 << 25) - (1 << 16) - slash16 - (1 << 28));
    EXPECT_EQ(got.before("a"), slash16);
    EXPECT_EQ(got.before("b"), 2 * slash16);
    EXPECT_EQ(got.forecast.moved, slash16);
}

TEST(Forecast, AgreesWithAskingForAnyClient) {
    Steering s(
        "[routes.main]\npolicy = \"geo\"\nmembers = [{match=\"1.2.3.0/24\",to=\"c\"},"
        "{match=\"2.128.0.0/9\",to=\"near\"},{match=\"country:DE\",to=\"b\"},"
        "{match=\"*\",to=\"a\"}]\n[routes.near]\npolicy = \"latency\"\nmembers = [\"a\", \"c\"]\n",
        "ttl = \"60s\"", "", two_countries());
    const Told got = when_down(s, "a");
    EXPECT_EQ(got.before("c"), 256 + (1 << 23)) << "from Germany Virginia is nearer than Tokyo";
    EXPECT_EQ(got.before("b"), 2 * kSlash8 - (1 << 23));
    EXPECT_EQ(got.before("a"), kSlash8 - 256);
    const auto down = compile_health(s.plan, s.facts);
    base::Rng rng(3);
    std::map<std::string, double> seen;
    constexpr int kClients = 20000;
    for (int i = 0; i < kClients; ++i) {
        const base::IpPrefix client(
            base::IpAddress::v4(static_cast<std::uint32_t>(16777216 + rng.below(3 << 24))), 32);
        const ClassHit hit = s.built.view().lookup(client);
        const Decision decision = decide({.plan = s.plan,
                                          .health = *down,
                                          .steered = SteeredId{0},
                                          .client = {hit.id, hash_key(client)},
                                          .ask = Ask::A,
                                          .draw = 0,
                                          .now = at(0)});
        ASSERT_LE(decision.endpoint_count, 1);
        seen[decision.endpoint_count == 0
                 ? std::string("none")
                 : s.plan.endpoints[config::index(decision.endpoints[0])].name] += 1;
    }
    for (const char* name : {"a", "b", "c"}) {
        EXPECT_NEAR(got.after(name) / (3 * kSlash8), seen[name] / kClients, 0.015) << name;
    }
    EXPECT_NEAR(got.forecast.after.none / (3 * kSlash8), seen["none"] / kClients, 0.015);
}

TEST(Forecast, ANameThatDoesNotCareWhereClientsAreHasNoUnknown) {
    Steering s(
        "[routes.main]\npolicy = \"weighted\"\nmembers = [{to=\"a\",weight=95},"
        "{to=\"b\",weight=5}]\n");
    const Told got = when_down(s, "b");
    EXPECT_EQ(got.forecast.before.unknown, 0);
    EXPECT_NEAR(got.before("a") / got.forecast.total, 0.95, 1e-12);
    EXPECT_NEAR(got.forecast.moved / got.forecast.total, 0.05, 1e-12);
    EXPECT_EQ(got.after("a"), got.forecast.total);
}

TEST(Forecast, StickyMovesOnlyTheShareItMust) {
    Steering s(
        "[routes.main]\npolicy = \"weighted\"\nsticky = true\nmembers = [{to=\"a\",weight=60},"
        "{to=\"b\",weight=30},{to=\"c\",weight=10}]\n");
    const Told got = when_down(s, "b");
    const double total = got.forecast.total;
    EXPECT_GT(got.forecast.sampled, 0);
    EXPECT_NEAR(got.before("a") / total, 0.6, 0.01);
    EXPECT_NEAR(got.before("b") / total, 0.3, 0.01);
    EXPECT_NEAR(got.after("a") / total, 0.6 / 0.7, 0.01);
    EXPECT_NEAR(got.forecast.moved / total, got.before("b") / total, 1e-9);
    EXPECT_NEAR(got.after("a") + got.after("c"), total, total * 1e-9);
}

TEST(Forecast, DemandCountsAsTheServerAnswers) {
    Steering s(kLatency, "ttl = \"60s\"", "", two_countries());
    // Half of the second row lies in each country; nobody knows where the third is.
    const std::vector<DemandRow> demand = {{net("203.0.113.0/24"), 100},
                                           {net("1.255.0.0/16"), 40},
                                           {net("9.0.0.0/8"), 10},
                                           {net("2a00:1::/32"), 7},
                                           {net("2.2.2.2/32"), 3}};
    const Told got = when_down(s, "a", Ask::A, &demand);
    EXPECT_NEAR(got.forecast.total, 160, 1e-9);
    EXPECT_GE(got.before("b"), 10 - 1e-9);
    EXPECT_GE(got.before("a"), 140);
    EXPECT_NEAR(got.before("a") + got.before("b") + got.before("c"), 160, 1e-9);
    EXPECT_EQ(got.forecast.before.unknown, 0);
    EXPECT_EQ(got.after("a"), 0);
    EXPECT_NEAR(got.forecast.moved, got.before("a"), 1e-9);
}

TEST(Forecast, ARowOfDemandIsSplitWhereTheTableIs) {
    Steering s(
        "[routes.main]\npolicy = \"geo\"\nmembers = [{match=\"10.0.1.0/24\",to=\"c\"},"
        "{match=\"*\",to=\"a\"}]\n");
    const std::vector<DemandRow> demand = {{net("10.0.0.0/22"), 8}};
    const Told got = when_down(s, "c", Ask::A, &demand);
    EXPECT_NEAR(got.before("c"), 2, 1e-12);
    EXPECT_NEAR(got.before("a"), 6, 1e-12);
    EXPECT_NEAR(got.after("a"), 8, 1e-12);
}

TEST(Forecast, AnotherConfigurationIsComparedByNames) {
    const auto weights = [](int a, int b, std::string_view third) {
        return "[routes.main]\npolicy = \"weighted\"\nmembers = [{to=\"a\",weight=" +
               std::to_string(a) + "},{to=\"b\",weight=" + std::to_string(b) + "}" +
               std::string(third) + "]\n";
    };
    const Steering before(weights(50, 50, ""));
    const Steering after(weights(10, 40, ",{to=\"f\",weight=50}"));
    const Told got = told(before, after);
    const double total = got.forecast.total;
    EXPECT_NEAR(got.before("f"), 0, 1e-6);
    EXPECT_NEAR(got.after("f") / total, 0.5, 1e-12);
    EXPECT_NEAR(got.forecast.moved / total, 0.5, 1e-12);
}

TEST(Forecast, AChangeOfPlacesMovesWhoStandsElsewhere) {
    const Steering before(kLatency, "ttl = \"60s\"", "", two_countries());
    WorldText moved = two_countries();
    moved.geoip = "16777216,33554431,DE\n33554432,67108863,DE\n";
    const Steering after(kLatency, "ttl = \"60s\"", "", moved);
    const Told got = told(before, after);
    EXPECT_EQ(got.before("a"), kSlash8);
    EXPECT_EQ(got.after("a"), 0);
    EXPECT_EQ(got.forecast.moved, kSlash8);
}

TEST(Forecast, WhatGetsNoAddressIsCountedApart) {
    Steering s("[routes.main]\npolicy = \"failover\"\nmembers = [\"four\", \"six\"]\n");
    const Told got = when_down(s, "six", Ask::Aaaa);
    EXPECT_EQ(got.forecast.before.none, got.forecast.total);
    EXPECT_EQ(got.forecast.moved, 0);
}

TEST(Forecast, AddressesOfSeveralEndpointsAreSharedByWhatIsHandedOut) {
    Steering s("[routes.main]\npolicy = \"multivalue\"\nmembers = [\"a\", \"many\"]\n");
    const Told got = when_down(s, "a");
    EXPECT_NEAR(got.before("a") / got.forecast.total, 0.25, 1e-9);
    EXPECT_NEAR(got.before("many") / got.forecast.total, 0.75, 1e-9);
    EXPECT_NEAR(got.after("many") / got.forecast.total, 1, 1e-9);
}

TEST(Forecast, FindsTheSteeredNameAsAQueryWould) {
    const Steering s(kLatency);
    EXPECT_TRUE(find_steered(s.plan, *dns::Name::parse("WWW.example.com"), Ask::A));
    EXPECT_FALSE(find_steered(s.plan, *dns::Name::parse("other.example.com"), Ask::A));
    EXPECT_FALSE(find_steered(s.plan, *dns::Name::parse("www.example.org"), Ask::A));
}

}  // namespace
}  // namespace steerd::policy::testing
