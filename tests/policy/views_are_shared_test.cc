// One view for all trees of one shape, one table for those that memory is too small for, and no new
// view where the one before still holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace steerd::policy::testing {
namespace {

constexpr std::string_view kServer = R"([server]
listen = ["127.0.0.1:5300"]
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
)";

/// Names n0, n1, ... each with a latency route of its own over two endpoints of its own.
std::string many_names(int count, const std::string& extra_steer = "") {
    std::string text(kServer);
    std::string steer = "[zones.\"example.com\"]\nfile = \"zone\"\n[zones.\"example.com\".steer]\n";
    for (int i = 0; i < count; ++i) {
        const std::string n = std::to_string(i);
        text += "[endpoints.t" + n + "]\nregion = \"tokyo\"\naddresses = [\"192.0.2.1\"]\n";
        text += "[endpoints.v" + n + "]\nregion = \"virginia\"\naddresses = [\"192.0.2.2\"]\n";
        text += "[routes.r" + n + "]\npolicy = \"latency\"\nmembers = [\"t" + n + "\", \"v" + n +
                "\"]\n";
        steer += "n" + n + " = { route = \"r" + n + "\" }\n";
    }
    return text + steer + extra_steer;
}

const WorldText kRows = {
    "10.0.0.0/8,tokyo,10\n10.0.0.0/8,virginia,14\n"
    "11.0.0.0/8,tokyo,30\n11.0.0.0/8,virginia,10\n",
    "", ""};

TEST(Views, AreOneForTreesOfOneShape) {
    const Built built = build(many_names(50), "", kRows);
    EXPECT_EQ(built.plan->trees.size(), 50U);
    EXPECT_EQ(built.plan->views.size(), 1U);
    for (const Tree& tree : built.plan->trees) {
        EXPECT_EQ(tree.view, 0U);
    }
}

constexpr std::string_view kThreeShapes = R"(
[endpoints.a]
addresses = ["192.0.2.1"]
[endpoints.b]
addresses = ["192.0.2.2"]
[routes.one]
policy = "geo"
members = [{ match = "10.0.0.0/8", to = "a" }, { match = "*", to = "b" }]
[routes.two]
policy = "geo"
members = [{ match = "10.1.0.0/16", to = "a" }, { match = "*", to = "b" }]
[routes.three]
policy = "geo"
members = [{ match = "11.0.0.0/8", to = "a" }, { match = "*", to = "b" }]
[zones."example.com"]
file = "zone"
[zones."example.com".steer]
n1 = { route = "one" }
n2 = { route = "two" }
n3 = { route = "three" }
n4 = { route = "three" }
)";

TEST(Views, DifferWhereMatchesDo) {
    const Built built = build(std::string(kServer) + std::string(kThreeShapes));
    EXPECT_EQ(built.plan->views.size(), 3U);
    EXPECT_EQ(built.view(0).lookup(net("10.1.2.3")).scope, 8U);
    EXPECT_EQ(built.view(1).lookup(net("10.1.2.3")).scope, 16U);
    EXPECT_EQ(built.view(2).lookup(net("10.1.2.3")).scope, 8U);  // 11.0.0.0/8 is next to it
    EXPECT_EQ(built.view(2).lookup(net("12.1.2.3")).scope, 6U);
}

TEST(Views, ShareATableWhereMemoryIsShort) {
    Built built = prepare(std::string(kServer) + std::string(kThreeShapes));
    built.compile();
    ASSERT_TRUE(built.plan);
    EXPECT_TRUE(built.problems.all().empty());
    const auto alone = built.plan;
    // Room for the one that two names use; the others share.
    built.input.view_bytes_max = built.view(2).memory_bytes();
    built.compile();
    ASSERT_TRUE(built.plan);
    ASSERT_EQ(built.problems.all().size(), 1U) << built.problems.text();
    EXPECT_EQ(built.problems.all()[0].severity, base::Severity::Warning);
    EXPECT_THAT(built.problems.all()[0].message,
                ::testing::HasSubstr("the 2 least used, of 2 steered names, share one table"));
    for (std::size_t name = 0; name < 4; ++name) {
        const View& own =
            *alone->views.at(alone->trees.at(config::index(alone->steered[name].tree)).view);
        for (const char* client : {"10.1.2.3", "10.2.2.3", "11.1.2.3", "12.0.0.0/24", "10.0.0.0/8",
                                   "10.0.0.0/15", "0.0.0.0/1", "2001:db8::1", "::/3"}) {
            const ClassHit wide = own.lookup(net(client));
            const ClassHit hit = built.view(name).lookup(net(client));
            EXPECT_THAT(built.view(name).geo(hit.id, 0).members,
                        ::testing::ElementsAreArray(own.geo(wide.id, 0).members))
                << client;
            EXPECT_GE(hit.scope, wide.scope) << client;
        }
    }
    EXPECT_EQ(built.view(2).lookup(net("12.1.2.3")).scope, 6U);
    EXPECT_EQ(built.view(0).lookup(net("10.1.2.3")).scope, 16U);  // as fine as the company
}

TEST(Views, OfAnEarlierPlanServeOnWhereWorldAndShapeAreTheSame) {
    Built built = build(many_names(2), "", kRows);
    const auto first = built.plan;
    built.input.previous = first;
    built.compile();
    ASSERT_TRUE(built.plan);
    EXPECT_EQ(built.plan->views.at(0), first->views.at(0));
    // Another shape beside it is new, the old one stays.
    Built wider = prepare(many_names(3,
                                     "other = { route = \"far\" }\n"
                                     "[routes.far]\npolicy = \"latency\"\ntolerance = \"9ms\"\n"
                                     "members = [\"t0\", \"v1\"]\n"),
                          "", kRows);
    wider.input.world = built.input.world;
    wider.input.previous = first;
    wider.compile();
    ASSERT_TRUE(wider.plan);
    ASSERT_EQ(wider.plan->views.size(), 2U);
    EXPECT_EQ(wider.plan->views.at(0), first->views.at(0));
    // Another world, though equal, makes new ones.
    Built other = prepare(many_names(2), "", kRows);
    other.input.previous = first;
    other.compile();
    ASSERT_TRUE(other.plan);
    EXPECT_NE(other.plan->views.at(0), first->views.at(0));
}

}  // namespace
}  // namespace steerd::policy::testing
