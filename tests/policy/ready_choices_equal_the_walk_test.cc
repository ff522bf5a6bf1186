// What routes choose from what was made ready at publication is what the general walk chooses: over
// random configurations of all policies, nested and with CNAMEs, random health, orders and holds,
// clients inside and outside of known networks by source and by client subnet, both families. And
// lists: addresses that two endpoints share, an endpoint that two members lead to, draws that fall
// on borders.
#include <fmt/format.h>

#include "asking.h"
#include "both_ways.h"
#include "random_configs.h"

namespace steerd::policy::testing {
namespace {

constexpr std::array kClients = {"10.1.2.77",   "10.1.3.9",        "10.200.0.1", "172.16.9.9",
                                 "192.0.2.200", "2001:db8:1:2::5", "2001:db8::", "2003:1::1"};
constexpr std::array kSubnets = {"10.1.2.0/24",     "10.1.0.0/16",         "10.1.2.77/32",
                                 "10.0.0.0/7",      "0.0.0.0/0",           "172.16.4.0/22",
                                 "2001:db8:1::/48", "2001:db8:1:2:3::/80", "2002:a01:203::/48"};

class ReadyChoices : public ::testing::Test {
  protected:
    void random_health(const Plan& plan, HealthFacts& facts) {
        constexpr std::array kHealth = {Health::Up,      Health::Up,       Health::Up,
                                        Health::Unknown, Health::Degraded, Health::Down};
        for (SlotFacts& slot : facts.slots) {
            slot.health = kHealth[static_cast<std::size_t>(rng_.below(kHealth.size()))];
            slot.next = slot.health;
        }
        for (OrderFacts& order : facts.orders) {
            constexpr std::array kOrders = {OrderState::Up, OrderState::Down, OrderState::Drain};
            order = {};
            if (rng_.below(10) == 0) {
                order.state = kOrders[static_cast<std::size_t>(rng_.below(kOrders.size()))];
            }
        }
        for (std::size_t i = 0; i < facts.holds.size(); ++i) {
            const std::size_t members = plan.model->routes[i].members.size();
            for (std::uint32_t& member : facts.holds[i].member) {
                member =
                    rng_.below(2) == 0 ? kNone : static_cast<std::uint32_t>(rng_.below(members));
            }
        }
    }

    void ask(const Snapshot& snapshot, std::string_view name, int times) {
        for (int i = 0; i < times && !HasFailure(); ++i) {
            dns::QueryOptions options;
            if (rng_.below(3) != 0) {
                options.edns.emplace();
                if (rng_.below(3) != 0) {
                    options.edns->subnet =
                        net(kSubnets[static_cast<std::size_t>(rng_.below(kSubnets.size()))]);
                }
            }
            const auto type = rng_.below(2) == 0 ? dns::RrType::A : dns::RrType::AAAA;
            const auto packet = dns::compose_query(*dns::Name::parse(name), type, options);
            Request request;
            request.query = packet;
            request.client = *base::IpAddress::parse(
                kClients[static_cast<std::size_t>(rng_.below(kClients.size()))]);
            request.draw = rng_.next();
            (void)ways_.agree(snapshot, request);
            ++asked_;
        }
    }

    base::Rng rng_{1907};
    BothWays ways_;
    int asked_ = 0;
};

TEST_F(ReadyChoices, OfRandomConfigurations) {
    int configurations = 0;
    for (std::uint64_t seed = 1; configurations < 150 && !HasFailure(); ++seed) {
        const RandomConfig config = random_config(seed);
        const auto loaded = config::load_text(config.toml, "steerd.toml");
        if (loaded.problems.has_errors()) {
            continue;
        }
        const Built built = build(config.toml, "", config.world);
        ++configurations;
        HealthFacts facts = all_up(*built.plan);
        Snapshot snapshot;
        snapshot.plan = built.plan;
        for (int round = 0; round < 8 && !HasFailure(); ++round) {
            snapshot.health = compile_health(*built.plan, facts);
            ask(snapshot, "www.example.com.", 25);
            random_health(*built.plan, facts);
        }
        if (HasFailure()) {
            ADD_FAILURE() << "seed " << seed << "\n" << config.toml;
        }
    }
    EXPECT_GT(ways_.answered_short(), asked_ / 4);
}

/// REQUIRES: nothing in the configuration walks.
class Lists : public ReadyChoices {
  protected:
    void all_short(std::string_view routes) {
        ask_all(routes);
        EXPECT_EQ(ways_.answered_short(), asked_) << routes;
    }

    void ask_all(std::string_view routes, std::string_view down = "") {
        Steering steering(routes);
        steering.set(down, Health::Down);
        for (const config::RouteConfig& route : steering.plan.model->routes) {
            steering.hold(route.name, static_cast<std::uint32_t>(route.members.size() - 1));
        }
        steering.publish();
        Snapshot snapshot;
        snapshot.plan = steering.built.plan;
        snapshot.health = steering.health;
        ask(snapshot, "www.example.com.", 400);
    }
};

TEST_F(Lists, AreDrawnFromByWeight) {
    all_short(
        "[routes.main]\npolicy = \"weighted\"\nmembers = [{to=\"a\",weight=1},{to=\"b\",weight=0},"
        "{to=\"c\",weight=65535},{to=\"d\",weight=2}]\n");
}

TEST_F(Lists, OfManyMembersToo) {
    std::string endpoints;
    std::string members;
    for (int i = 0; i < 40; ++i) {
        endpoints +=
            fmt::format("[endpoints.m{}]\naddresses = [\"10.0.{}.{}\", \"2001:db8:7::{:x}\"]\n", i,
                        i / 256, i % 256, i);
        members += fmt::format("\"m{}\",", i);
    }
    for (const char* const policy : {"weighted", "multivalue", "failover"}) {
        all_short(fmt::format("{}[routes.main]\npolicy = \"{}\"\nmembers = [{}]\n", endpoints,
                              policy, members));
    }
}

TEST_F(Lists, HoldSeveralAddressesOfOneEndpoint) {
    all_short("[routes.main]\npolicy = \"failover\"\nmembers = [\"many\", \"a\"]\n");
}

TEST_F(Lists, AreGoneRoundInWindows) {
    for (const int most : {1, 2, 5, 8, 9, 32}) {
        all_short(
            fmt::format("[routes.main]\npolicy = \"multivalue\"\nmax_answers = {}\n"
                        "members = [\"a\", \"b\", \"many\", \"first\"]\n"
                        "[routes.first]\npolicy = \"failover\"\nmembers = [\"c\", \"a\"]\n",
                        most));
    }
}

TEST_F(Lists, OfEqualsAreDecidedByLot) {
    all_short(
        "[routes.main]\npolicy = \"latency\"\ntolerance = \"1s\"\nmembers = [\"a\", \"b\", \"c\", "
        "\"d\", \"pair\"]\n[routes.pair]\npolicy = \"weighted\"\nmembers = [\"e\", \"b\"]\n");
}

TEST_F(Lists, AreLeftToTheWalkWhereAnAddressStandsTwice) {
    ask_all(
        "[endpoints.twin]\naddresses = [\"192.0.2.1\", \"2001:db8::1\"]\n"
        "[routes.main]\npolicy = \"multivalue\"\nmembers = [\"a\", \"twin\", \"b\"]\n");
    ask_all(
        "[routes.main]\npolicy = \"multivalue\"\nmembers = [\"a\", \"b\", \"first\"]\n"
        "[routes.first]\npolicy = \"failover\"\nmembers = [\"a\", \"c\"]\n");
    EXPECT_EQ(ways_.answered_short(), 0);
}

TEST_F(Lists, OfPlacesPassOverWhatLacksMembers) {
    ask_all(
        "[routes.main]\npolicy = \"geo\"\nmembers = [{match=\"10.0.0.0/8\", to=\"pair\"}, "
        "{match=\"*\", to=\"c\"}]\n[routes.pair]\npolicy = \"failover\"\nmin_available = 2\n"
        "members = [\"a\", \"b\"]\n",
        "a");
    EXPECT_GT(ways_.answered_short(), 0);
    EXPECT_LT(ways_.answered_short(), asked_);
}

TEST_F(Lists, OfPlacesEndAtADeadFence) {
    ask_all(
        "[routes.main]\npolicy = \"geo\"\nmembers = [{match=\"10.0.0.0/8\", to=\"kept\"}, "
        "{match=\"*\", to=\"c\"}]\n[routes.kept]\npolicy = \"geo\"\n"
        "members = [{match=\"*\", to=\"a\", fence=true}]\n",
        "a");
    EXPECT_GT(ways_.answered_short(), 0);
    EXPECT_LT(ways_.answered_short(), asked_);
}

const std::string kSomePlaces =
    "[routes.places]\npolicy = \"geo\"\nmembers = [{match=\"10.0.0.0/8\", to=\"a\"}]\n";

TEST_F(Lists, AreLeftToTheWalkWhereSomeClientsFindAMemberEmpty) {
    for (const char* const policy : {"weighted", "multivalue", "latency"}) {
        ask_all(fmt::format("{}[routes.main]\npolicy = \"{}\"\nmembers = [\"places\", \"d\"]\n",
                            kSomePlaces, policy));
    }
    EXPECT_EQ(ways_.answered_short(), 0);
}

TEST_F(Lists, AreLeftToTheWalkWhereAHoldMayBeEmpty) {
    ask_all(kSomePlaces +
            "[routes.main]\npolicy = \"failover\"\nfailback = \"manual\"\n"
            "members = [\"c\", \"places\"]\n");
    EXPECT_EQ(ways_.answered_short(), 0);
}

TEST_F(Lists, AreLeftToTheWalkBehindADeadFence) {
    ask_all(
        "[routes.main]\npolicy = \"failover\"\nmembers = [\"kept\", \"c\"]\n"
        "[routes.kept]\npolicy = \"geo\"\nmembers = [{match=\"*\", to=\"a\", fence=true}]\n",
        "a");
    EXPECT_EQ(ways_.answered_short(), 0);
}

TEST_F(Lists, AreLeftToTheWalkWhereAHashDecides) {
    ask_all("[routes.main]\npolicy = \"weighted\"\nsticky = true\nmembers = [\"a\", \"b\"]\n");
    EXPECT_EQ(ways_.answered_short(), 0);
}

}  // namespace
}  // namespace steerd::policy::testing
