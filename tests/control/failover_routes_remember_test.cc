// failback: auto, after a while, manual; for each judge; across reload and restart. And serve-last.
#include <gtest/gtest.h>

#include "policy/decide.h"
#include "tests/control/world_fixture.h"

namespace steerd::control {
namespace {

using policy::Judge;

std::string with_failback(std::string_view failback) {
    return edited(kTwoSites, "members = [\"a\", \"b\"]",
                  "members = [\"a\", \"b\"]\nfailback = \"" + std::string(failback) + "\"");
}

/// The endpoint an A query gets.
std::string answered(const World& world, policy::Ask ask = policy::Ask::A) {
    const policy::Plan& plan = *world.snapshot->plan;
    const policy::DecideInput input{plan, *world.snapshot->health, policy::SteeredId{0}, {}, ask,
                                    1,    world.now().mono};
    const policy::Decision decision = policy::decide(input);
    std::string names;
    for (std::size_t i = 0; i < decision.endpoint_count; ++i) {
        names += plan.endpoints[config::index(decision.endpoints[i])].name;
    }
    return names;
}

void fail_over(World& world) {
    world.set("192.0.2.1", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return answered(world) == "b"; }, seconds(30)));
}

/// How long after a is up again it is answered again; nullopt: not within the time.
std::optional<Duration> back_after(World& world, Duration most) {
    world.set("192.0.2.1", kUp);
    EXPECT_TRUE(world.run_until([&] { return world.is("a", Health::Up); }, seconds(30)));
    const Mono up = world.now().mono;
    if (!world.run_until([&] { return answered(world) == "a"; }, most)) {
        return std::nullopt;
    }
    return world.now().mono - up;
}

TEST(Failback, AutoReturnsWithTheNextSnapshot) {
    World world;
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(10));
    EXPECT_EQ(answered(world), "a");
    fail_over(world);
    EXPECT_EQ(world.held("main"), "");
    const auto took = back_after(world, minutes(1));
    ASSERT_TRUE(took);
    EXPECT_LE(*took, milliseconds(50));
}

TEST(Failback, AfterReturnsWhenTheBetterOneHasBeenAvailableThatLong) {
    World world;
    world.load(plan_of(with_failback("5m")));
    world.run_for(seconds(10));
    fail_over(world);
    EXPECT_EQ(world.held("main"), "") << "while a is down nothing is held back";
    const auto took = back_after(world, minutes(10));
    ASSERT_TRUE(took);
    EXPECT_GE(*took, minutes(5));
    EXPECT_LE(*took, minutes(5) + milliseconds(50));
}

TEST(Failback, AfterStartsAnewWhenTheBetterOneGoesAgain) {
    World world;
    world.load(plan_of(with_failback("5m")));
    world.run_for(seconds(10));
    fail_over(world);
    EXPECT_FALSE(back_after(world, minutes(4)));
    EXPECT_EQ(world.held("main"), "b");
    world.set("192.0.2.1", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Down); }, seconds(30)));
    const auto took = back_after(world, minutes(10));
    ASSERT_TRUE(took);
    EXPECT_GE(*took, minutes(5));
}

TEST(Failback, ManualStaysUntilReleased) {
    World world;
    world.load(plan_of(with_failback("manual")));
    world.run_for(seconds(10));
    fail_over(world);
    EXPECT_FALSE(back_after(world, std::chrono::hours(3)));
    ASSERT_FALSE(world.status().holds.empty());
    const HoldStatus hold = world.status().holds[0];
    EXPECT_EQ(hold.member, "b");
    EXPECT_EQ(hold.better, "a");
    EXPECT_EQ(hold.failback, "manual");
    EXPECT_FALSE(hold.until);
    EXPECT_EQ(world.release("route:main").kind, ReplyKind::Done);
    EXPECT_EQ(answered(world), "a");
    EXPECT_EQ(world.held("main"), "");
    EXPECT_EQ(world.events_of(EventKind::RouteReleased).size(), 1U);
}

TEST(Failback, WhenTheHeldMemberGoesFirstAvailableCountsAgain) {
    World world;
    world.load(plan_of(with_failback("manual")));
    world.run_for(seconds(10));
    fail_over(world);
    EXPECT_FALSE(back_after(world, minutes(1)));
    world.set("192.0.2.2", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return answered(world) == "a"; }, seconds(30)));
    world.set("192.0.2.2", kUp);
    world.run_for(minutes(10));
    EXPECT_EQ(answered(world), "a");
    EXPECT_EQ(world.held("main"), "");
}

TEST(Failback, ADrainedMemberIsTakenAgainAtOnce) {
    World world;
    world.load(plan_of(with_failback("manual")));
    world.run_for(seconds(10));
    EXPECT_EQ(world.order("a", health::OrderState::Drain).kind, ReplyKind::Done);
    EXPECT_EQ(answered(world), "b");
    EXPECT_EQ(world.release("a").kind, ReplyKind::Done);
    EXPECT_EQ(answered(world), "a");
    // But `down` counts as a failure.
    EXPECT_EQ(world.order("a", health::OrderState::Down).kind, ReplyKind::Done);
    EXPECT_EQ(answered(world), "b");
    EXPECT_EQ(world.release("a").kind, ReplyKind::Done);
    EXPECT_EQ(answered(world), "b");
}

TEST(Failback, AHeldMemberThatIsDegradedGivesWayToOneThatIsUp) {
    World world;
    world.load(plan_of(with_failback("manual")));
    world.run_for(seconds(10));
    fail_over(world);
    EXPECT_FALSE(back_after(world, minutes(1)));
    world.set("192.0.2.2", kSlow);
    ASSERT_TRUE(world.run_until([&] { return world.is("b", Health::Degraded); }, seconds(30)));
    world.run_for(milliseconds(50));
    EXPECT_EQ(answered(world), "a");
}

TEST(Failback, WhenAllAreGoneTheFirstToReturnIsTakenAndHeld) {
    World world;
    world.load(plan_of(with_failback("manual")));
    world.run_for(seconds(10));
    fail_over(world);
    world.set("192.0.2.2", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return world.is("b", Health::Down); }, seconds(30)));
    world.run_for(milliseconds(50));
    EXPECT_EQ(answered(world), "a") << "serve-all: as if everything were up";
    world.set("192.0.2.2", kUp);
    ASSERT_TRUE(world.run_until([&] { return answered(world) == "b"; }, seconds(30)));
    EXPECT_FALSE(back_after(world, minutes(10)));
    EXPECT_EQ(world.held("main"), "b");
}

TEST(Failback, MemorySurvivesReloadAndRestart) {
    const std::string text = with_failback("manual");
    World world;
    world.load(plan_of(text));
    world.run_for(seconds(10));
    fail_over(world);
    EXPECT_FALSE(back_after(world, minutes(1)));
    world.load(plan_of(edited(text, "ttl = \"60s\"", "ttl = \"50s\"")));
    world.run_for(minutes(1));
    EXPECT_EQ(answered(world), "b");
    const std::string written = state_to_json(*world.state);
    const auto read = state_from_json(written);
    ASSERT_TRUE(read.ok());
    world.restart(plan_of(text), *read);
    EXPECT_EQ(answered(world), "b") << "from the first snapshot on";
    world.run_for(minutes(10));
    EXPECT_EQ(answered(world), "b");
    EXPECT_EQ(world.held("main"), "b");
}

TEST(Failback, TheTimeOfTheBetterOneRunsOnThroughARestart) {
    const std::string text = with_failback("5m");
    World world;
    world.load(plan_of(text));
    world.run_for(seconds(10));
    fail_over(world);
    EXPECT_FALSE(back_after(world, minutes(3)));
    world.restart(plan_of(text), world.state);
    EXPECT_EQ(answered(world), "b");
    const Mono from = world.now().mono;
    ASSERT_TRUE(world.run_until([&] { return answered(world) == "a"; }, minutes(10)));
    EXPECT_NEAR(static_cast<double>((world.now().mono - from) / seconds(1)), 120, 2);
}

TEST(Failback, EachFamilyRemembersForItself) {
    std::string text =
        edited(with_failback("manual"), "[\"192.0.2.1\"]", "[\"192.0.2.1\", \"2001:db8::1\"]");
    text = edited(text, "[\"192.0.2.2\"]", "[\"192.0.2.2\", \"2001:db8::2\"]");
    World world;
    world.load(plan_of(text));
    world.run_for(seconds(10));
    world.set("2001:db8::1", kRefuses);
    ASSERT_TRUE(
        world.run_until([&] { return answered(world, policy::Ask::Aaaa) == "b"; }, seconds(30)));
    EXPECT_EQ(answered(world), "a") << "an IPv6 outage moves only AAAA";
    world.set("2001:db8::1", kUp);
    world.run_for(minutes(1));
    EXPECT_EQ(answered(world, policy::Ask::Aaaa), "b");
    EXPECT_EQ(world.held("main", Judge::V6), "b");
    EXPECT_EQ(world.held("main", Judge::V4), "");
    EXPECT_EQ(world.held("main", Judge::Both), "");
}

std::string serve_last() {
    const std::string text = edited(kTwoSites, "[routes.main]\npolicy = \"failover\"",
                                    "[routes.main]\npolicy = \"multivalue\"");
    return edited(text, "ttl_min = \"5s\"", "when_all_down = \"serve-last\"");
}

TEST(ServeLast, AnswersWithWhatWasAliveJustBeforeTheLastMemberWent) {
    World world;
    world.load(plan_of(serve_last()));
    world.run_for(seconds(10));
    world.set("192.0.2.1", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Down); }, seconds(30)));
    world.run_for(seconds(10));
    EXPECT_EQ(answered(world), "b");
    world.set("192.0.2.2", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return world.is("b", Health::Down); }, seconds(30)));
    world.run_for(seconds(1));
    EXPECT_EQ(answered(world), "b") << "b went last";

    world.load(plan_of(serve_last()));
    world.run_for(seconds(1));
    EXPECT_EQ(answered(world), "b") << "after a reload";
    const auto read = state_from_json(state_to_json(*world.state));
    ASSERT_TRUE(read.ok());
    world.restart(plan_of(serve_last()), *read);
    EXPECT_EQ(answered(world), "b") << "after a restart";

    world.set("192.0.2.1", kUp);
    ASSERT_TRUE(world.run_until([&] { return answered(world) == "a"; }, seconds(30)));
    world.set("192.0.2.1", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Down); }, seconds(30)));
    world.run_for(seconds(1));
    EXPECT_EQ(answered(world), "a") << "the memory is of the last time";
}

TEST(ServeLast, SurvivesARestartSoLateThatHealthIsUnknownAgain) {
    World world;
    world.load(plan_of(serve_last()));
    world.run_for(seconds(10));
    world.set("192.0.2.1", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Down); }, seconds(30)));
    world.run_for(seconds(10));
    world.set("192.0.2.2", kRefuses);
    ASSERT_TRUE(world.run_until([&] { return world.is("b", Health::Down); }, seconds(30)));
    world.run_for(seconds(1));
    const State old = *world.state;
    world.run_for(std::chrono::hours(1));
    world.restart(plan_of(serve_last()), old);
    world.run_for(seconds(10));
    EXPECT_TRUE(world.is("a", Health::Down));
    EXPECT_TRUE(world.is("b", Health::Down));
    EXPECT_EQ(answered(world), "b");
}

}  // namespace
}  // namespace steerd::control
