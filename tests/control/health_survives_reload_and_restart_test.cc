// What a reload leaves as it was keeps health, counters and phase; a restart gives back health that
// is young; state as JSON reads back as itself, and bad text does no harm.
#include <gtest/gtest.h>

#include "control/state.h"
#include "tests/control/world_fixture.h"

namespace steerd::control {
namespace {

std::vector<Mono> starts_of(const World& world, const std::string& address) {
    std::vector<Mono> at;
    for (const auto& [start, name] : world.starts) {
        if (name == address) {
            at.push_back(start);
        }
    }
    return at;
}

TEST(Reload, KeepsHealthCountersAndPhaseOfWhatStays) {
    World world;
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(20));
    world.set("192.0.2.1", kRefuses);
    ASSERT_TRUE(world.run_until(
        [&] { return world.status().endpoints[0].addresses[0].earliest.has_value(); },
        seconds(10)));
    const Status before = world.status();
    world.load(plan_of(edited(kTwoSites, "ttl = \"60s\"", "ttl = \"120s\"")));
    const Status after = world.status();
    EXPECT_EQ(after.checks[0].counts.fail, 1U);
    EXPECT_EQ(after.checks[0].counts.pass, before.checks[0].counts.pass);
    EXPECT_EQ(after.endpoints[0].addresses[0].earliest, before.endpoints[0].addresses[0].earliest);
    EXPECT_EQ(after.endpoints[0].addresses[0].since, before.endpoints[0].addresses[0].since);
    EXPECT_EQ(after.endpoints[0].addresses[0].cause, before.endpoints[0].addresses[0].cause);
    EXPECT_EQ(after.endpoints[0].addresses[0].transitions, 1U);
    const Mono reloaded = world.now().mono;
    ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Down); }, seconds(10)));
    EXPECT_EQ(world.last_change.at("a") - reloaded, seconds(2)) << "two of three fails were left";
    world.run_for(minutes(1));
    const std::vector<Mono> b = starts_of(world, "192.0.2.2");
    for (std::size_t i = 2; i < b.size(); ++i) {
        EXPECT_EQ(b[i] - b[i - 1], seconds(5));
    }
    EXPECT_EQ(world.events_of(EventKind::Reload).size(), 2U);
}

TEST(Reload, OfTheTimingAloneKeepsHealth) {
    World world;
    world.set("192.0.2.1", kRefuses);
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(20));
    world.load(plan_of(edited(kTwoSites, "interval = \"5s\"", "interval = \"7s\"")));
    EXPECT_TRUE(world.is("a", Health::Down));
    EXPECT_TRUE(world.is("b", Health::Up));
    world.run_for(minutes(1));
    const std::vector<Mono> b = starts_of(world, "192.0.2.2");
    EXPECT_EQ(b.back() - b[b.size() - 2], seconds(7));
    EXPECT_EQ(world.events_of(EventKind::Transition).size(), 2U);
}

TEST(Reload, OfWhatIsAskedBeginsAnew) {
    World world;
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(20));
    world.load(plan_of(edited(kTwoSites, "port = 80", "port = 81")));
    EXPECT_TRUE(world.is("a", Health::Unknown));
    world.run_for(seconds(1));
    EXPECT_TRUE(world.is("a", Health::Up)) << "the first verdict decides at once";
}

TEST(Reload, RemovedChecksEndAndTheirLateVerdictsCountForNothing) {
    World world;
    world.set("192.0.2.2", black_hole(seconds(2)));
    world.load(plan_of(kTwoSites));
    world.run_for(milliseconds(100));
    ASSERT_EQ(world.status().checks_in_flight, 1U);
    const std::string one =
        edited(kTwoSites, "addresses = [\"192.0.2.2\"]", "addresses = [\"192.0.2.7\"]");
    world.load(plan_of(one));
    world.run_for(minutes(1));
    EXPECT_EQ(starts_of(world, "192.0.2.2").size(), 1U);
    EXPECT_TRUE(world.is("b", Health::Up));
    EXPECT_EQ(world.status().checks.size(), 2U);
}

TEST(Reload, AnAddressOfSeveralEndpointsIsCheckedOnce) {
    World world;
    world.load(plan_of(edited(kTwoSites, "192.0.2.2", "192.0.2.1")));
    world.run_for(minutes(1));
    EXPECT_EQ(world.status().checks.size(), 1U);
    const std::vector<Mono> starts = starts_of(world, "192.0.2.1");
    EXPECT_LE(starts.size(), 14U);
    world.set("192.0.2.1", kRefuses);
    world.run_for(seconds(30));
    EXPECT_TRUE(world.is("a", Health::Down));
    EXPECT_TRUE(world.is("b", Health::Down));
    EXPECT_EQ(world.events_of(EventKind::Transition).size(), 4U);
}

TEST(Restart, YoungHealthIsKnownSoFallAndRiseApplyAndReadyComesAtOnce) {
    World world;
    world.set("192.0.2.2", kRefuses);
    world.load(plan_of(kTwoSites));
    world.run_for(minutes(3));
    const State state = world.control().state(world.now());
    world.run_for(minutes(9));
    world.set("192.0.2.1", kRefuses);
    world.set("192.0.2.2", kUp);
    world.restart(plan_of(kTwoSites), state);
    EXPECT_TRUE(world.first_round);
    EXPECT_TRUE(world.is("a", Health::Up));
    EXPECT_TRUE(world.is("b", Health::Down));
    EXPECT_EQ(world.status().endpoints[1].addresses[0].cause, "connection refused");
    world.run_for(milliseconds(500));
    EXPECT_TRUE(world.is("a", Health::Up)) << "one fail of three";
    EXPECT_TRUE(world.is("b", Health::Down)) << "one pass of two";
    ASSERT_TRUE(world.run_until([&] { return world.is("a", Health::Down); }, seconds(3)));
    ASSERT_TRUE(world.run_until([&] { return world.is("b", Health::Up); }, seconds(11)));
}

TEST(Restart, OlderHealthIsUnknownSoTheFirstVerdictDecides) {
    World world;
    world.set("192.0.2.2", kRefuses);
    world.load(plan_of(kTwoSites));
    world.run_for(minutes(3));
    const State state = world.control().state(world.now());
    world.run_for(minutes(11));
    world.set("192.0.2.1", kRefuses);
    world.set("192.0.2.2", kUp);
    world.restart(plan_of(kTwoSites), state);
    EXPECT_FALSE(world.first_round);
    EXPECT_TRUE(world.is("a", Health::Unknown));
    world.run_for(milliseconds(500));
    EXPECT_TRUE(world.is("a", Health::Down));
    EXPECT_TRUE(world.is("b", Health::Up));
}

TEST(Restart, WhatALaterReloadAddsIsNotBelievedByOldHealth) {
    World world;
    world.load(plan_of(kTwoSites));
    world.run_for(minutes(3));
    const State state = *world.state;
    world.restart(plan_of(edited(kTwoSites, "192.0.2.2", "192.0.2.7")), state);
    world.run_for(minutes(20));
    world.load(plan_of(kTwoSites));
    EXPECT_TRUE(world.is("a", Health::Up));
    EXPECT_TRUE(world.is("b", Health::Unknown));
}

TEST(Restart, HealthOfAnotherTargetIsNotTaken) {
    World world;
    world.load(plan_of(kTwoSites));
    world.run_for(minutes(3));
    world.restart(plan_of(edited(kTwoSites, "port = 80", "port = 81")), world.state);
    EXPECT_TRUE(world.is("a", Health::Unknown));
    EXPECT_FALSE(world.first_round);
}

TEST(History, IsBoundedAndCanBeFollowed) {
    World world(Options{.history = 10});
    world.load(plan_of(kTwoSites));
    for (int i = 0; i < 20; ++i) {
        world.set("192.0.2.1", i % 2 == 0 ? kRefuses : kUp);
        world.run_for(minutes(1));
    }
    const std::vector<Event> kept = world.control().events_after(0);
    EXPECT_EQ(kept.size(), 10U);
    EXPECT_EQ(kept.back().id, world.events.back().id);
    EXPECT_EQ(world.control().events_after(kept[6].id).size(), 3U);
    EXPECT_TRUE(world.control().events_after(kept.back().id).empty());
    for (std::size_t i = 1; i < world.events.size(); ++i) {
        EXPECT_EQ(world.events[i].id, world.events[i - 1].id + 1);
    }
}

TEST(Status, TellsWhyAndSinceWhen) {
    World world;
    world.set("192.0.2.1", {Outcome::Pass, milliseconds(12), "http 200"});
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(30));
    const Status status = world.status();
    EXPECT_EQ(status.endpoints[0].name, "a");
    EXPECT_EQ(status.endpoints[0].region, "tokyo");
    EXPECT_EQ(status.endpoints[0].addresses[0].address, "192.0.2.1");
    EXPECT_EQ(status.endpoints[0].addresses[0].cause, "http 200 in 12 ms");
    EXPECT_EQ(status.steered[0].name, "www.example.com.");
    EXPECT_TRUE(status.steered[0].available_v4);
    world.set("192.0.2.1", kRefuses);
    world.set("192.0.2.2", kRefuses);
    world.run_for(seconds(30));
    EXPECT_FALSE(world.status().steered[0].available_v4);
    EXPECT_EQ(world.status().endpoints[0].addresses[0].since,
              Wall{std::chrono::hours(500'000)} + world.last_change.at("a").time_since_epoch());
}

TEST(Control, OctetsFromStrangersInCausesDoNoHarm) {
    World world;
    world.set("192.0.2.1", {Outcome::Fail, {}, std::string(100'000, '\xFF')});
    world.load(plan_of(kTwoSites));
    world.run_for(seconds(5));
    EXPECT_LE(world.status().endpoints[0].addresses[0].cause.size(), 200U);
    EXPECT_TRUE(state_from_json(state_to_json(world.control().state(world.now()))).ok());
}

State full_state() {
    const Wall wall{seconds(1'790'000'000) + base::Duration(123'456'789)};
    State state;
    state.written = wall;
    state.checks.push_back({*base::IpAddress::parse("192.0.2.1"), "web", 0xFEDCBA9876543210ULL,
                            Health::Degraded, wall - seconds(5), wall, "http 200 in 900 ms, slow"});
    state.targets.push_back(
        {"sorry.example.net.",
         Health::Up,
         wall,
         {*base::IpAddress::parse("192.0.2.7"), *base::IpAddress::parse("2001:db8::7")}});
    state.slots.push_back({"tokyo", "192.0.2.1", Health::Down, wall, "timeout after 2s"});
    state.orders.push_back(
        {"region:tokyo", {health::OrderState::Drain, "kernel \"6.1\"", "root", wall, wall}});
    state.orders.push_back(
        {"osaka", {health::OrderState::Up, "", "", wall - seconds(1), std::nullopt}});
    state.holds.push_back({"safe", policy::Judge::V6, "b", {{"a", wall}, {"c", std::nullopt}}});
    state.last_good.push_back(
        {"www.example.com.", policy::Judge::Both, {{"tokyo", "192.0.2.1", Health::Up, {}, {}}}});
    return state;
}

TEST(StateText, ReadsBackAsItself) {
    const std::string text = state_to_json(full_state());
    const auto read = state_from_json(text);
    ASSERT_TRUE(read.ok()) << read.error();
    EXPECT_EQ(state_to_json(*read), text);
    EXPECT_EQ(read->checks[0].target, 0xFEDCBA9876543210ULL);
    EXPECT_EQ(read->checks[0].health, Health::Degraded);
    EXPECT_EQ(read->checks[0].verified, full_state().checks[0].verified);
    EXPECT_EQ(read->targets[0].addresses, full_state().targets[0].addresses);
    EXPECT_EQ(read->orders[0].order.until, full_state().orders[0].order.until);
    EXPECT_FALSE(read->orders[1].order.until);
    EXPECT_EQ(read->holds[0].judge, policy::Judge::V6);
    EXPECT_FALSE(read->holds[0].barred[1].since);
    EXPECT_EQ(read->last_good[0].slots[0].health, Health::Up);
    EXPECT_TRUE(state_from_json(state_to_json({})).ok());
}

TEST(StateText, BadTextIsAnErrorAndNothingElse) {
    for (const std::string text :
         {"", "{}", "null", "[]", "{\"version\": 2}", "{\"version\": \"1\"}", "\xFF\xFE",
          "{\"version\":1,\"written\":99999999999999999999}"}) {
        EXPECT_FALSE(state_from_json(text).ok()) << text;
    }
    EXPECT_FALSE(state_from_json(std::string(1'000'000, '[')).ok()) << "nested without end";
    const std::string good = state_to_json(full_state());
    for (std::size_t length = 0; length + 2 < good.size(); ++length) {
        ASSERT_FALSE(state_from_json(std::string_view(good).substr(0, length)).ok()) << length;
    }
}

TEST(StateText, MutatedTextNeverHarmsTheControlThatTakesIt) {
    base::Rng rng(1);
    World world;
    const auto plan = plan_of(edited(kTwoSites, "members = [\"a\", \"b\"]",
                                     "members = [\"a\", \"b\"]\nfailback = \"manual\""));
    world.load(plan);
    world.run_for(seconds(10));
    (void)world.order("b", health::OrderState::Drain, false, minutes(5));
    world.set("192.0.2.1", kRefuses);
    world.run_for(seconds(30));
    const std::string good = state_to_json(world.control().state(world.now()));
    int taken = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string text = good;
        for (std::uint64_t n = 1 + rng.below(3); n > 0; --n) {
            const std::size_t at = rng.below(text.size());
            switch (rng.below(4)) {
                case 0:
                    text[at] = static_cast<char>(rng.below(256));
                    break;
                case 1:
                    text[at] = "0123456789-\"{}[],:nulE."[rng.below(23)];
                    break;
                case 2:
                    text.erase(at, 1 + rng.below(20));
                    break;
                default:
                    text.insert(at, text.substr(rng.below(text.size()), rng.below(40)));
                    break;
            }
        }
        auto read = state_from_json(text);
        if (!read.ok()) {
            continue;
        }
        ++taken;
        Control control(Options{});
        (void)control.step(world.now(), NewPlan{plan, std::move(*read)});
        (void)control.status(world.now());
        (void)control.step(world.now(), Tick{});
    }
    EXPECT_GT(taken, 100);
}

}  // namespace
}  // namespace steerd::control
