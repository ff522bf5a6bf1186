// CNAME targets: every outcome of a resolution, addresses that come and go, TTLs.
#include <gtest/gtest.h>

#include "control/target_table.h"
#include "tests/control/world_fixture.h"

namespace steerd::control {
namespace {

constexpr std::string_view kTarget = R"(
[server]
listen = ["127.0.0.1:5300"]
state_dir = "state"
[probes.web]
type = "https"
interval = "5s"
timeout = "2s"
fast_interval = "1s"
fall = 3
rise = 2
[endpoints.sorry]
cname = "Sorry.example.net"
probes = ["web"]
[endpoints.free]
cname = "free.example.net"
[routes.main]
policy = "failover"
members = ["sorry", "free"]
[zones."example.com"]
file = "z"
[zones."example.com".steer]
www = { route = "main", ttl = "60s" }
)";

class Targets : public ::testing::Test {
  protected:
    Targets() { world.load(plan_of(kTarget)); }

    void answer_all(Resolution resolution, const std::vector<std::string>& addresses,
                    Duration time) {
        const Mono end = world.now().mono + time;
        while (world.now().mono < end) {
            world.run_until([&] { return world.resolving(); }, end - world.now().mono);
            if (world.resolving()) {
                asked.push_back(world.now().mono);
                world.resolved(resolution, addresses, ttl_s);
            }
        }
    }

    World world;
    std::vector<Mono> asked;
    std::uint32_t ttl_s = 30;
};

TEST_F(Targets, AreUpWhileAnyAddressIs) {
    EXPECT_TRUE(world.resolving()) << "at once";
    EXPECT_TRUE(world.is("sorry", Health::Unknown));
    EXPECT_TRUE(world.is("free", Health::Up)) << "without probes it is never looked up";
    answer_all(Resolution::Addresses, {"192.0.2.1", "2001:db8::1"}, seconds(20));
    EXPECT_TRUE(world.is("sorry", Health::Up));
    EXPECT_EQ(world.status().endpoints[0].addresses[0].resolved.size(), 2U);
    world.set("192.0.2.1", kRefuses);
    answer_all(Resolution::Addresses, {"192.0.2.1", "2001:db8::1"}, minutes(1));
    EXPECT_TRUE(world.is("sorry", Health::Up));
    world.set("2001:db8::1", kRefuses);
    answer_all(Resolution::Addresses, {"192.0.2.1", "2001:db8::1"}, minutes(1));
    EXPECT_TRUE(world.is("sorry", Health::Down));
    world.set("192.0.2.1", kUp);
    answer_all(Resolution::Addresses, {"192.0.2.1", "2001:db8::1"}, minutes(1));
    EXPECT_TRUE(world.is("sorry", Health::Up));
}

TEST_F(Targets, AreCheckedByTheirNameWhereTheProbeNamesNoHost) {
    answer_all(Resolution::Addresses, {"192.0.2.1"}, seconds(5));
    ASSERT_NE(world.started.spec, nullptr);
    EXPECT_EQ(world.started.spec->host, "Sorry.example.net");
    EXPECT_EQ(world.started.address.text(), "192.0.2.1");
}

TEST_F(Targets, ThatDoNotExistFailAtOnceAtFirst) {
    world.resolved(Resolution::NxDomain);
    EXPECT_TRUE(world.is("sorry", Health::Down));
    const auto events = world.events_of(EventKind::Transition);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].address, "Sorry.example.net.");
    EXPECT_EQ(events[0].cause, "NXDOMAIN for Sorry.example.net.");
}

TEST_F(Targets, ThatVanishFailAfterFallQuestions) {
    for (const Resolution gone : {Resolution::NxDomain, Resolution::NoData}) {
        answer_all(Resolution::Addresses, {"192.0.2.1"}, minutes(2));
        ASSERT_TRUE(world.is("sorry", Health::Up));
        asked.clear();
        answer_all(gone, {}, minutes(2));
        EXPECT_TRUE(world.is("sorry", Health::Down));
        ASSERT_GE(asked.size(), 4U);
        EXPECT_EQ(world.last_change.at("sorry"), asked[2]);
        EXPECT_EQ(asked[2] - asked[0], seconds(2)) << "asked again soon after a first fail";
        EXPECT_EQ(asked[4] - asked[3], seconds(5)) << "and at interval once it is down";
    }
}

TEST_F(Targets, ThatGetNoAnswerStayAsTheyWere) {
    answer_all(Resolution::Addresses, {"192.0.2.1"}, seconds(20));
    answer_all(Resolution::NoAnswer, {}, std::chrono::hours(1));
    EXPECT_TRUE(world.is("sorry", Health::Up)) << "its addresses are still probed";
    EXPECT_EQ(world.status().endpoints[0].addresses[0].resolution,
              "no answer for Sorry.example.net.");
    world.set("192.0.2.1", kRefuses);
    world.run_for(seconds(30));
    EXPECT_TRUE(world.is("sorry", Health::Down));
}

TEST_F(Targets, AreAskedAgainAtTheProbesPaceWhateverTheirTtl) {
    constexpr int pause = 5;  // the interval of the probe
    for (const std::uint32_t ttl : {0U, 60U, 86'400U}) {
        ttl_s = ttl;
        world.run_until([&] { return world.resolving(); }, minutes(10));
        world.resolved(Resolution::Addresses, {"192.0.2.1"}, ttl);
        const Mono from = world.now().mono;
        ASSERT_TRUE(world.run_until([&] { return world.resolving(); }, minutes(10)));
        EXPECT_EQ(world.now().mono - from, seconds(pause));
    }
}

TEST_F(Targets, FollowNewAddressesWithoutForgettingWhatTheyWere) {
    answer_all(Resolution::Addresses, {"192.0.2.1"}, seconds(20));
    world.set("192.0.2.9", black_hole(seconds(2)));
    const std::size_t transitions = world.events_of(EventKind::Transition).size();
    answer_all(Resolution::Addresses, {"192.0.2.2"}, minutes(1));
    EXPECT_TRUE(world.is("sorry", Health::Up));
    EXPECT_EQ(world.events_of(EventKind::Transition).size(), transitions)
        << "never unknown in between";
    EXPECT_EQ(world.status().checks.size(), 1U) << "the old address is probed no more";
    answer_all(Resolution::Addresses, {"192.0.2.2", "192.0.2.9"}, minutes(1));
    EXPECT_TRUE(world.is("sorry", Health::Up));
    EXPECT_EQ(world.status().checks.size(), 2U);
}

TEST_F(Targets, AnAnswerOfAnEarlierQuestionCountsForNothing) {
    ResolveDone stale;
    stale.target = TargetId{0};
    stale.run = 999;
    stale.resolution = Resolution::NxDomain;
    world.step(stale);
    stale.target = TargetId{77};
    world.step(stale);
    EXPECT_TRUE(world.is("sorry", Health::Unknown));
    world.resolved(Resolution::Addresses, {"192.0.2.1"});
    stale.target = TargetId{0};
    stale.run = 1;
    world.step(stale);
    world.run_for(seconds(1));
    EXPECT_TRUE(world.is("sorry", Health::Up));
}

TEST_F(Targets, AreKnownAgainAfterARestart) {
    answer_all(Resolution::Addresses, {"192.0.2.1"}, seconds(20));
    const auto read = state_from_json(state_to_json(world.control().state(world.now())));
    ASSERT_TRUE(read.ok());
    world.restart(plan_of(kTarget), *read);
    EXPECT_TRUE(world.is("sorry", Health::Up));
    EXPECT_TRUE(world.first_round);
}

TEST_F(Targets, AThousandAddressesAreNotAllProbed) {
    std::vector<std::string> many;
    for (int i = 0; i < 1000; ++i) {
        many.push_back("198.18." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
    }
    answer_all(Resolution::Addresses, many, seconds(10));
    EXPECT_EQ(world.status().checks.size(), kMaxTargetAddresses);
    EXPECT_TRUE(world.is("sorry", Health::Up));
}

}  // namespace
}  // namespace steerd::control
