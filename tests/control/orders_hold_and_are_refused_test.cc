// Orders: effect, precedence, refusal, expiry, names that a reload removes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/decide.h"
#include "tests/control/world_fixture.h"

namespace steerd::control {
namespace {

using health::OrderState;
using policy::Rank;

constexpr std::string_view kThree = R"(
[server]
listen = ["127.0.0.1:5300"]
state_dir = "state"
[regions.japan]
location = [35.68, 139.69]
[regions.france]
location = [48.85, 2.35]
[probes.web]
type = "tcp"
port = 80
[endpoints.tokyo]
region = "japan"
addresses = ["192.0.2.1"]
probes = ["web"]
[endpoints.osaka]
region = "japan"
addresses = ["192.0.2.2"]
probes = ["web"]
[endpoints.paris]
region = "france"
addresses = ["192.0.2.3"]
probes = ["web"]
[routes.asia]
policy = "failover"
members = ["tokyo", "osaka"]
[routes.all]
policy = "failover"
members = ["tokyo", "osaka", "paris"]
[zones."example.com"]
file = "z"
[zones."example.com".steer]
asia = { route = "asia", ttl = "60s" }
all = { route = "all", ttl = "120s" }
)";

class Orders : public ::testing::Test {
  protected:
    Orders() {
        world.load(plan_of(kThree));
        world.run_for(seconds(2));
    }

    [[nodiscard]] Rank rank(std::uint32_t endpoint) const {
        return policy::endpoint_rank(*world.snapshot->plan, *world.snapshot->health,
                                     policy::EndpointId{endpoint}, policy::Judge::V4);
    }

    World world;
};

TEST_F(Orders, ThatCannotBeKeptAreUndoneToWhatHeldBefore) {
    EXPECT_EQ(world.order("tokyo", OrderState::Up).kind, ReplyKind::Done);
    const Reply drained = world.order("tokyo", OrderState::Drain);
    EXPECT_EQ(rank(0), Rank::Drained);
    ASSERT_TRUE(drained.undo && drained.undo->before);
    EXPECT_EQ(drained.undo->before->state, OrderState::Up);
    world.step(*drained.undo);
    world.run_for(seconds(1));
    EXPECT_EQ(rank(0), Rank::Up);
    EXPECT_EQ(world.state->orders.at(0).order.state, OrderState::Up);

    const Reply released = world.release("tokyo");
    EXPECT_TRUE(world.state->orders.empty());
    world.step(*released.undo);
    world.run_for(seconds(1));
    EXPECT_EQ(world.state->orders.at(0).order.state, OrderState::Up);

    const Reply first = world.order("paris", OrderState::Down);
    EXPECT_EQ(first.undo->before, std::nullopt);
    UndoOrder undo = *first.undo;
    undo.why = "the disk is full";
    undo.ticket = 77;
    world.step(undo);
    EXPECT_EQ(world.reply_to(77).message, "undone");
    EXPECT_EQ(rank(2), Rank::Up);  // when it is told, it is so
    EXPECT_EQ(world.events_of(EventKind::OrderReleased).back().cause, "the disk is full");
}

TEST_F(Orders, AreInTheSnapshotThatTheirReplyWaitsForAndOnTheirWayToDisk) {
    const std::size_t before = world.published.size();
    const Reply reply = world.order("tokyo", OrderState::Drain);
    EXPECT_EQ(reply.kind, ReplyKind::Done) << reply.message;
    EXPECT_EQ(world.published.size(), before + 1);
    EXPECT_EQ(rank(0), Rank::Drained);
    EXPECT_GE(world.state_version, reply.state_version);
    ASSERT_EQ(world.state->orders.size(), 1U);
    EXPECT_EQ(world.state->orders[0].name, "tokyo");
    const auto events = world.events_of(EventKind::OrderSet);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].name, "tokyo");
    EXPECT_EQ(events[0].to, "drain");
    EXPECT_EQ(events[0].cause, "because");
    EXPECT_EQ(events[0].who, "tester");
}

TEST_F(Orders, EveryStateDoesWhatItSays) {
    (void)world.order("tokyo", OrderState::Down);
    EXPECT_EQ(rank(0), Rank::Down);
    (void)world.order("tokyo", OrderState::Drain);
    EXPECT_EQ(rank(0), Rank::Drained);
    world.set("192.0.2.1", kRefuses);
    world.run_for(seconds(30));
    (void)world.order("tokyo", OrderState::Up);
    EXPECT_EQ(rank(0), Rank::Up) << "up hides down";
    EXPECT_TRUE(world.is("tokyo", Health::Down)) << "health is kept apart from orders";
    EXPECT_EQ(world.release("tokyo").kind, ReplyKind::Done);
    EXPECT_EQ(rank(0), Rank::Down);
}

TEST_F(Orders, AnEndpointsOwnOrderBeatsItsRegions) {
    (void)world.order("tokyo", OrderState::Up);
    EXPECT_EQ(world.order("region:japan", OrderState::Drain).kind, ReplyKind::Done);
    EXPECT_EQ(rank(0), Rank::Up);
    EXPECT_EQ(rank(1), Rank::Drained);
    EXPECT_EQ(rank(2), Rank::Up);
    const Status status = world.status();
    EXPECT_EQ(status.endpoints[0].order_of, "tokyo");
    EXPECT_EQ(status.endpoints[1].order_of, "region:japan");
    EXPECT_FALSE(status.endpoints[2].order);
    EXPECT_EQ(world.release("tokyo").kind, ReplyKind::Done);
    EXPECT_EQ(rank(0), Rank::Drained);
}

TEST_F(Orders, ThatLeaveANameWithoutACandidateAreRefusedUnlessForced) {
    const std::size_t published = world.published.size();
    const Reply refused = world.order("region:japan", OrderState::Drain);
    EXPECT_EQ(refused.kind, ReplyKind::Refused);
    EXPECT_THAT(refused.steered, ::testing::ElementsAre("asia.example.com."));
    EXPECT_THAT(refused.message, ::testing::HasSubstr("asia.example.com."));
    EXPECT_EQ(world.published.size(), published);
    EXPECT_EQ(rank(0), Rank::Up);

    EXPECT_EQ(world.order("tokyo", OrderState::Drain).kind, ReplyKind::Done);
    EXPECT_EQ(world.order("osaka", OrderState::Down).kind, ReplyKind::Refused);
    EXPECT_EQ(world.order("osaka", OrderState::Up).kind, ReplyKind::Done);
    EXPECT_EQ(world.order("osaka", OrderState::Down, true).kind, ReplyKind::Done);
    EXPECT_EQ(rank(1), Rank::Down);
    // asia has no candidate any more, so only names that still have one can lose it.
    const Reply paris = world.order("paris", OrderState::Drain);
    EXPECT_THAT(paris.steered, ::testing::ElementsAre("all.example.com."));
    EXPECT_EQ(world.order("tokyo", OrderState::Down).kind, ReplyKind::Done);
}

TEST_F(Orders, WhatHealthSaysDoesNotMatterForRefusal) {
    world.set("192.0.2.2", kRefuses);
    world.set("192.0.2.3", kRefuses);
    world.run_for(seconds(30));
    EXPECT_EQ(world.order("tokyo", OrderState::Drain).kind, ReplyKind::Done)
        << "what is not ordered out is still handed out when all are down";
}

TEST_F(Orders, OfUnknownNamesAreTold) {
    EXPECT_EQ(world.order("kyoto", OrderState::Drain).kind, ReplyKind::UnknownName);
    EXPECT_EQ(world.order("japan", OrderState::Drain).kind, ReplyKind::UnknownName);
    EXPECT_EQ(world.order("region:tokyo", OrderState::Drain).kind, ReplyKind::UnknownName);
    EXPECT_EQ(world.release("kyoto").kind, ReplyKind::UnknownName);
    EXPECT_EQ(world.release("route:kyoto").kind, ReplyKind::UnknownName);
    EXPECT_EQ(world.release("tokyo").kind, ReplyKind::Done) << "nothing to release is no error";
    EXPECT_EQ(world.release("route:all").kind, ReplyKind::Done);
    EXPECT_TRUE(world.events_of(EventKind::OrderSet).empty());
    EXPECT_TRUE(world.events_of(EventKind::OrderReleased).empty());
}

TEST_F(Orders, EndByThemselves) {
    const Mono from = world.now().mono;
    EXPECT_EQ(world.order("tokyo", OrderState::Drain, false, minutes(30)).kind, ReplyKind::Done);
    EXPECT_EQ(world.status().endpoints[0].order->until,
              world.events_of(EventKind::OrderSet)[0].until);
    ASSERT_TRUE(world.run_until([&] { return rank(0) == Rank::Up; }, std::chrono::hours(1)));
    EXPECT_EQ(world.now().mono - from, minutes(30));
    ASSERT_EQ(world.events_of(EventKind::OrderExpired).size(), 1U);
    EXPECT_EQ(world.events_of(EventKind::OrderExpired)[0].name, "tokyo");
    EXPECT_TRUE(world.state->orders.empty());
    EXPECT_EQ(world.order("tokyo", OrderState::Drain, false, seconds(-1)).kind, ReplyKind::Refused);
}

TEST_F(Orders, OfANameThatAReloadRemovesAreKeptAndHoldAgainWhenItReturns) {
    (void)world.order("paris", OrderState::Drain);
    std::string without = edited(kThree, "\"osaka\", \"paris\"", "\"osaka\"");
    const std::size_t from = without.find("[endpoints.paris]");
    without.erase(from, without.find("[routes.asia]") - from);
    world.load(plan_of(without));
    world.run_for(seconds(1));
    ASSERT_EQ(world.status().absent_orders.size(), 1U);
    EXPECT_EQ(world.status().absent_orders[0].name, "paris");
    EXPECT_EQ(world.state->orders.size(), 1U);
    EXPECT_EQ(world.order("paris", OrderState::Up).kind, ReplyKind::UnknownName);
    world.load(plan_of(kThree));
    world.run_for(seconds(1));
    EXPECT_TRUE(world.status().absent_orders.empty());
    EXPECT_EQ(rank(2), Rank::Drained);

    world.load(plan_of(without));
    world.run_for(seconds(1));
    EXPECT_EQ(world.release("paris").kind, ReplyKind::Done) << "a kept order can be released";
    EXPECT_TRUE(world.status().orders.empty());
}

TEST_F(Orders, SurviveARestart) {
    (void)world.order("tokyo", OrderState::Drain, false, minutes(30));
    (void)world.order("region:france", OrderState::Down);
    world.run_for(minutes(10));
    world.restart(plan_of(kThree), world.state);
    EXPECT_EQ(rank(0), Rank::Drained) << "from the first snapshot on";
    EXPECT_EQ(rank(2), Rank::Down);
    world.run_for(minutes(21));
    EXPECT_EQ(rank(0), Rank::Up);
    EXPECT_EQ(rank(2), Rank::Down);
}

TEST_F(Orders, StatusSaysWhenItIsSafeToStop) {
    const Wall since = world.now().wall;
    (void)world.order("tokyo", OrderState::Drain);
    const auto safe = world.status().endpoints[0].safe_to_stop;
    ASSERT_TRUE(safe);
    EXPECT_GE(*safe - since, seconds(120));
    EXPECT_LE(*safe - since, seconds(121));
    (void)world.order("tokyo", OrderState::Down);
    EXPECT_FALSE(world.status().endpoints[0].safe_to_stop);
}

}  // namespace
}  // namespace steerd::control
