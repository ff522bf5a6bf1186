// The example of the reference and the one of the demo load, with the values that stand in them.
#include <algorithm>

#include "config/worst_case.h"
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::filesystem::path example(const char* name) {
    return std::filesystem::path(STEERD_SOURCE_DIR) / "examples" / name;
}

TEST(Examples, TheReferenceLoadsWithOneWarning) {
    const auto loaded = load(example("steerd.toml"));
    ASSERT_NE(loaded.model, nullptr) << loaded.problems.text();
    ASSERT_EQ(loaded.problems.all().size(), 1U) << loaded.problems.text();
    EXPECT_THAT(loaded.problems.text(), HasSubstr("never found down (endpoint \"sorry\")"));
}

TEST(Examples, TheReferenceHasItsValues) {
    const auto model = load(example("steerd.toml")).model;
    ASSERT_NE(model, nullptr);
    EXPECT_EQ(model->server.listen.at(1).text(), "[::1]:5300");
    EXPECT_EQ(model->server.state_dir, example("state"));
    EXPECT_EQ(model->server.region, RegionId{0});
    EXPECT_EQ(model->server.resolver->text(), "127.0.0.53:53");
    EXPECT_EQ(model->admin.unix_sockets.at(0), example("state/admin.sock"));
    EXPECT_EQ(model->admin.tcp.at(0).text(), "127.0.0.1:5380");
    EXPECT_EQ(model->geo.networks.at(0).prefix.text(), "10.1.0.0/16");
    EXPECT_EQ(model->regions.at(1).name, "virginia");
    const auto& web = *model->probes.at(0).spec;
    EXPECT_EQ(web.type, health::ProbeType::Http);
    EXPECT_EQ(web.port, 8080);
    EXPECT_EQ(web.expect_status, (std::vector<std::pair<int, int>>{{200, 299}}));
    EXPECT_EQ(web.slow_after, milliseconds(800));
    EXPECT_EQ(model->endpoints.at(0).capacity, 5000.0);
    EXPECT_EQ(model->endpoints.at(0).addresses.at(1).text(), "2001:db8::10");
    EXPECT_EQ(model->endpoints.at(3).cname->to_text(), "sorry.example.net.");
}

TEST(Examples, TheReferenceHasItsRoutes) {
    const auto model = load(example("steerd.toml")).model;
    ASSERT_NE(model, nullptr);
    ASSERT_EQ(model->routes.size(), 5U);
    EXPECT_EQ(model->routes[0].members.at(0).weight, 95U);
    EXPECT_EQ(model->routes[1].tolerance, milliseconds(5));
    EXPECT_EQ(model->routes[1].members.at(1).to, Target(RouteId{0}));
    std::vector<std::string> matches;
    for (const auto& member : model->routes[2].members) {
        matches.push_back(member.match.text());
    }
    EXPECT_THAT(matches, ElementsAre("continent:EU", "country:US", "subdivision:US-CA", "AS64500",
                                     "203.0.113.0/24", "*"));
    EXPECT_TRUE(model->routes[2].members[1].fence);
    EXPECT_EQ(model->routes[3].failback, Failback{});
    EXPECT_EQ(endpoints_under(*model, RouteId{3}),
              (std::vector{EndpointId{0}, EndpointId{1}, EndpointId{2}, EndpointId{3}}));
}

TEST(Examples, TheReferenceHasItsSteeredNames) {
    const auto model = load(example("steerd.toml")).model;
    ASSERT_NE(model, nullptr);
    const auto& zone = model->zones.at(0);
    EXPECT_EQ(zone.apex.to_text(), "example.com.");
    EXPECT_EQ(zone.file, example("example.com.zone"));
    ASSERT_EQ(zone.steer.size(), 3U);
    EXPECT_EQ(zone.steer[0].owner.to_text(), "www.example.com.");
    EXPECT_EQ(zone.steer[0].ttl_min_s, 5U);
    EXPECT_EQ(zone.steer[1].owner, zone.apex);
    EXPECT_EQ(zone.steer[2].owner.to_text(), "*.apps.example.com.");
    EXPECT_EQ(zone.steer[2].ttl_s, 30U);
}

TEST(Examples, TheReferencePromisesWhatTheContractSays) {
    const auto model = load(example("steerd.toml")).model;
    ASSERT_NE(model, nullptr);
    const auto worst = worst_cases(*model);
    ASSERT_EQ(worst.size(), 3U);
    ASSERT_TRUE(worst[0].worst);
    EXPECT_EQ(worst[0].worst->detect, seconds(11));
    EXPECT_EQ(worst[0].worst->ttl, seconds(56));
    EXPECT_EQ(worst[0].worst->total(), milliseconds(67100));
    EXPECT_EQ(worst[1].worst->ttl, seconds(60));
}

TEST(Examples, TheDemoLoadsAndFailsOverWithinTwelveSeconds) {
    const auto loaded = load(example("tokyo/steerd.toml"));
    ASSERT_NE(loaded.model, nullptr) << loaded.problems.text();
    EXPECT_FALSE(loaded.problems.has_errors());
    const auto worst = worst_cases(*loaded.model);
    ASSERT_TRUE(worst.at(0).worst);
    // 1s + 2 x 0.5s + 0.5s, 0.1s, 10s - 1s
    EXPECT_EQ(worst[0].worst->total(), milliseconds(11600));
}

TEST(Examples, TheBaseOfTheTestsHasNoProblem) {
    EXPECT_THAT(problems_of(kBase), ElementsAre());
    EXPECT_EQ(std::count(kBase.begin(), kBase.end(), '\n'), kBaseLines);
}

}  // namespace
}  // namespace steerd::config
