// Classes by hand: the order of matches, fences, repeated targets, tolerance, missing estimates,
// rows longer than the source, IPv4 inside IPv6, places that nobody knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/decide.h"
#include "support.h"

namespace steerd::policy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kBase = R"([server]
listen = ["127.0.0.1:5300"]
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[regions.frankfurt]
location = [50.11, 8.68]
[endpoints.a]
region = "tokyo"
addresses = ["192.0.2.1"]
[endpoints.b]
region = "virginia"
addresses = ["192.0.2.2"]
[endpoints.c]
region = "frankfurt"
addresses = ["192.0.2.3"]
[zones."example.com"]
file = "zone"
[zones."example.com".steer]
www = { route = "root" }
)";

Built with(std::string_view more, const WorldText& world = {}) {
    return build(std::string(kBase) + std::string(more), "", world);
}

/// Names of the members that the root's walk takes for a client, in order.
std::vector<std::string> walk(const Built& built, std::string_view client) {
    const Tree& tree = built.plan->trees.at(0);
    const ClassHit hit = built.view().lookup_given(net(client));
    std::vector<std::string> names;
    for (const ClassWord i : built.view().geo(hit.id, 0).members) {
        names.push_back(built.input.model->route(tree.routes[0].route).members.at(i).name);
    }
    return names;
}

/// The root's regions for a client, those that count as equal to the best of a group in one word.
std::vector<std::string> order(const Built& built, std::string_view client) {
    const TreeRoute& route = built.plan->trees.at(0).routes[0];
    const LatencyOrder order = built.view().latency(built.view().lookup_given(net(client)).id, 0);
    std::vector<std::string> out;
    std::size_t end = 0;  // of the group at hand
    for (std::uint16_t rank = 0; rank < route.regions.size(); ++rank) {
        std::size_t region = 0;
        while (order.rank_of_region[region] != rank) {
            ++region;
        }
        const std::string& name =
            built.input.model->regions[config::index(route.regions[region])].name;
        if (rank >= end) {
            out.push_back(name);
            end = order.last_equal[rank] + 1U;
        } else {
            out.back() += "=" + name;
        }
    }
    return out;
}

unsigned scope(const Built& built, std::string_view client) {
    return built.view().lookup_given(net(client)).scope;
}

TEST(GeoClass, WalksFromTheMostSpecificMatchDown) {
    const Built built = with(R"(
[endpoints.d]
addresses = ["192.0.2.4"]
[endpoints.e]
addresses = ["192.0.2.5"]
[endpoints.f]
addresses = ["192.0.2.6"]
[endpoints.g]
addresses = ["192.0.2.7"]
[routes.root]
policy = "geo"
members = [{ match = "*", to = "a" }, { match = "continent:NA", to = "b" },
           { match = "country:US", to = "c" }, { match = "subdivision:US-CA", to = "d" },
           { match = "AS64500", to = "e" }, { match = "10.0.0.0/8", to = "f" },
           { match = "10.1.0.0/16", to = "g" }]
[[geo.networks]]
prefix = "10.0.0.0/8"
subdivision = "US-CA"
asn = 64500
[[geo.networks]]
prefix = "11.0.0.0/8"
country = "US"
)");
    EXPECT_THAT(walk(built, "10.1.2.3"), ElementsAre("g", "f", "e", "d", "c", "b", "a"));
    EXPECT_THAT(walk(built, "10.2.2.3"), ElementsAre("f", "e", "d", "c", "b", "a"));
    EXPECT_THAT(walk(built, "11.2.2.3"), ElementsAre("c", "b", "a"));
    EXPECT_THAT(walk(built, "12.2.2.3"), ElementsAre("a"));
    EXPECT_EQ(scope(built, "10.1.2.3"), 16U);
    EXPECT_EQ(scope(built, "10.128.2.3"), 9U);  // the widest without 10.1.0.0/16
}

TEST(GeoClass, TakesATargetOnceAndEndsAtAFence) {
    const Built built = with(R"(
[routes.root]
policy = "geo"
members = [{ match = "*", to = "a" }, { match = "continent:NA", to = "b", fence = true },
           { match = "country:US", to = "c" }, { match = "10.0.0.0/8", to = "c" }]
[[geo.networks]]
prefix = "10.0.0.0/8"
country = "US"
[[geo.networks]]
prefix = "11.0.0.0/8"
country = "US"
)");
    EXPECT_THAT(walk(built, "10.1.2.3"), ElementsAre("c", "b"));
    EXPECT_EQ(built.view().lookup(net("10.1.2.3")).id, built.view().lookup(net("11.1.2.3")).id);
    EXPECT_EQ(scope(built, "10.1.2.3"), 7U);  // 10/8 and 11/8 decide alike
    EXPECT_EQ(built.view().class_count(), 2U);
}

TEST(GeoClass, RemembersAFenceThatKeepsFromSiblingsAbove) {
    const Built built = with(R"(
[routes.root]
policy = "failover"
members = ["inner", "b"]
[routes.inner]
policy = "geo"
members = [{ match = "10.0.0.0/8", to = "a", fence = true }, { match = "11.0.0.0/8", to = "a" },
           { match = "172.16.0.0/12", to = "c" }]
)");
    const View& view = built.view();
    const GeoWalk fenced = view.geo(view.lookup(net("10.1.2.3")).id, 0);
    const GeoWalk open = view.geo(view.lookup(net("11.1.2.3")).id, 0);
    EXPECT_TRUE(fenced.fenced);
    EXPECT_FALSE(open.fenced);
    EXPECT_THAT(fenced.members, ElementsAre(0));
    EXPECT_THAT(open.members, ElementsAre(0));
    EXPECT_THAT(view.geo(view.lookup(net("12.1.2.3")).id, 0).members, IsEmpty());
    EXPECT_EQ(view.lookup(net("10.1.2.3")).scope, 8U);
}

TEST(GeoClass, DoesNotMatchANetworkLongerThanTheSource) {
    const Built built = with(R"(
[routes.root]
policy = "geo"
members = [{ match = "203.0.113.0/25", to = "a" }, { match = "203.0.0.0/16", to = "c" },
           { match = "*", to = "b" }]
)");
    EXPECT_THAT(walk(built, "203.0.113.0/24"), ElementsAre("c", "b"));
    EXPECT_EQ(scope(built, "203.0.113.0/24"), 25U);  // asks for more bits
    EXPECT_THAT(walk(built, "203.0.113.0/25"), ElementsAre("a", "c", "b"));
    EXPECT_EQ(scope(built, "203.0.113.0/25"), 25U);
    EXPECT_THAT(walk(built, "203.0.0.0/15"), ElementsAre("b"));
    EXPECT_EQ(scope(built, "203.0.112.0/24"), 24U);
}

TEST(GeoClass, KeepsItsWorldRowWhereMatchesSplitIt) {
    const Built built = with(R"(
[routes.root]
policy = "geo"
members = [{ match = "10.1.2.0/24", to = "a" }, { match = "country:US", to = "b" },
           { match = "*", to = "c" }]
[[geo.networks]]
prefix = "10.0.0.0/8"
country = "US"
)");
    EXPECT_THAT(walk(built, "10.1.0.0/16"), ElementsAre("b", "c"));
    EXPECT_THAT(walk(built, "10.0.0.0/7"), ElementsAre("c"));
}

TEST(LatencyClass, OrdersRegionsByEstimateAndGroupsByTolerance) {
    const Built built =
        with(R"(
[routes.root]
policy = "latency"
members = ["a", "b", "c"]
tolerance = "5ms"
)",
             {"10.0.0.0/8,tokyo,10\n10.0.0.0/8,virginia,14\n10.0.0.0/8,frankfurt,18\n"
              "11.0.0.0/8,tokyo,30\n11.0.0.0/8,virginia,10\n"
              "11.0.0.0/8,frankfurt,20\n",
              "", ""});
    EXPECT_THAT(order(built, "10.1.2.3"), ElementsAre("tokyo=virginia", "frankfurt"));
    EXPECT_THAT(order(built, "11.1.2.3"), ElementsAre("virginia", "frankfurt", "tokyo"));
    EXPECT_EQ(scope(built, "11.0.0.0/8"), 8U);
    EXPECT_EQ(scope(built, "10.1.2.3"), 24U);  // a hash chooses between equals
}

TEST(LatencyClass, PutsRegionsWithoutEstimateLastAndAlike) {
    const Built built = with(R"(
[routes.root]
policy = "latency"
members = ["a", "b", "c"]
)",
                             {"10.0.0.0/8,virginia,14\n", "", ""});
    EXPECT_THAT(order(built, "10.1.2.3"), ElementsAre("virginia", "tokyo=frankfurt"));
    EXPECT_THAT(order(built, "192.168.0.1"), ElementsAre("tokyo=virginia=frankfurt"));
    EXPECT_EQ(scope(built, "192.168.0.1"), 24U);
    EXPECT_EQ(scope(built, "2001:db8::1"), 56U);
}

TEST(LatencyClass, TakesTheNodeForAClientThatNobodyKnows) {
    const std::string text(kBase);
    const std::string route =
        "[routes.root]\npolicy = \"latency\"\nmembers = [\"a\", \"b\", \"c\"]\n";
    const std::string placed = "[server]\nlocation = [50.0, 8.0]" + text.substr(8);
    const Built built = build(placed + route);
    EXPECT_THAT(order(built, "192.168.0.1"), ElementsAre("frankfurt", "virginia", "tokyo"));
    EXPECT_EQ(scope(built, "192.168.0.1"), 0U);  // nothing about the client matters
    EXPECT_EQ(scope(built, "2001:db8::1"), 0U);
}

TEST(LatencyClass, OfRegionsThatNeverCompeteDependsOnNothing) {
    const Built built = with(R"(
[routes.root]
policy = "failover"
members = ["near", "b"]
[routes.near]
policy = "latency"
members = ["one"]
[routes.one]
policy = "failover"
members = ["a", "c"]
)",
                             {"10.0.0.0/8,tokyo,10\n10.0.0.0/8,frankfurt,5\n", "", ""});
    EXPECT_EQ(built.view().class_count(), 1U);
    EXPECT_EQ(scope(built, "10.1.2.3"), 0U);
}

TEST(LatencyClass, LeavesOutRegionsThatAreDownWhenItIsAsked) {
    // More endpoints than all health could be played through for.
    std::string more = "[probes.p]\ntype = \"tcp\"\nport = 80\n";
    std::string members = "\"a\", \"b\"";
    for (int i = 0; i < 12; ++i) {
        const std::string n = std::to_string(i);
        more += "[regions.r" + n + "]\nlocation = [0, " + n + "]\n[endpoints.e" + n +
                "]\nregion = \"r" + n + "\"\naddresses = [\"198.51.100." + n +
                "\"]\nprobes = [\"p\"]\n";
        members += ", \"e" + n + "\"";
    }
    more += "[routes.www]\npolicy = \"latency\"\nmembers = [" + members + "]\n" + R"(
[routes.root]
policy = "geo"
members = [{ match = "10.0.0.0/7", to = "a" }, { match = "*", to = "www" }]
)";
    const Built built =
        with(more, {"10.0.0.0/8,tokyo,1\n11.0.0.0/8,tokyo,900\n"
                    "0.0.0.0/0,virginia,50\n20.0.0.0/8,tokyo,1\n21.0.0.0/8,tokyo,900\n",
                    "", ""});
    // Where www is asked below 10.0.0.0/7, tokyo is down: how far it is does not matter there.
    EXPECT_EQ(built.view().lookup(net("10.1.2.3")).id, built.view().lookup(net("11.1.2.3")).id);
    EXPECT_NE(built.view().lookup(net("20.1.2.3")).id, built.view().lookup(net("21.1.2.3")).id);
}

TEST(Scope, CountsInTheBitsOfTheAddressThatWasGiven) {
    const Built built = with(R"(
[routes.root]
policy = "geo"
members = [{ match = "10.1.0.0/16", to = "a" }, { match = "*", to = "b" }]
)");
    EXPECT_EQ(scope(built, "10.1.2.3"), 16U);
    EXPECT_EQ(scope(built, "::ffff:10.1.2.3"), 112U);
    EXPECT_EQ(scope(built, "2002:a01:203::1"), 32U);
    EXPECT_THAT(walk(built, "::ffff:10.1.2.3"), ElementsAre("a", "b"));
    EXPECT_THAT(walk(built, "2002:a01:203::1"), ElementsAre("a", "b"));
    // Native IPv6 is one class, but its prefixes must not take 2002::/16 in.
    EXPECT_EQ(scope(built, "2003::1"), 16U);
    EXPECT_EQ(scope(built, "3000::1"), 4U);
    EXPECT_EQ(scope_for(base::normalised(net("2002:a01:203::/48")), {ClassId{0}, 8}), 24U);
    EXPECT_EQ(scope_for(base::normalised(net("10.0.0.0/8")), {ClassId{0}, 8}), 8U);
}

TEST(Scope, OfAStickyDrawIsThePrefixThatIsHashed) {
    const Built built = with(R"(
[routes.root]
policy = "weighted"
sticky = true
members = ["a", "b"]
)");
    EXPECT_EQ(scope(built, "10.1.2.3"), 24U);
    EXPECT_EQ(scope(built, "2001:db8::1"), 56U);
    EXPECT_EQ(scope(built, "::ffff:10.1.2.3"), 120U);
    EXPECT_EQ(built.view().class_count(), 1U);
}

TEST(Scope, NeedsNoViewWhereNothingAboutTheClientMatters) {
    const Built built = with(R"(
[routes.root]
policy = "failover"
members = ["a", "b"]
)");
    EXPECT_EQ(built.plan->trees.at(0).view, kNone);
    EXPECT_TRUE(built.plan->views.empty());
}

}  // namespace
}  // namespace steerd::policy::testing
