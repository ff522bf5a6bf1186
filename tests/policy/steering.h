// What the tests of decisions and answers share: one steered name over endpoints a to f (a and d in
// tokyo, b and e in frankfurt, c and f in virginia, each with 192.0.2.1.. and 2001:db8::1..),
// "four" and "six" with one family alone, "many" with three and three addresses, "alias" and
// "other" as CNAME targets; health, orders and holds set by name; decisions as one line of words.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/rng.h"
#include "policy/decide.h"
#include "policy/trace.h"
#include "support.h"

namespace steerd::policy::testing {

using health::Health;
using health::OrderState;

inline const std::string kEndpoints = R"(
[server]
listen = ["127.0.0.1:5300"]
state_dir = "state"
identity = "tyo-1"
[regions.tokyo]
location = [35.68, 139.69]
[regions.frankfurt]
location = [50.11, 8.68]
[regions.virginia]
location = [38.95, -77.45]
[[geo.networks]]
prefix = "203.0.113.0/24"
country = "JP"
location = [35.7, 139.7]
[[geo.networks]]
prefix = "198.18.0.0/16"
country = "DE"
location = [50.0, 8.0]
[[geo.networks]]
prefix = "198.19.0.0/16"
country = "US"
subdivision = "US-CA"
asn = 64500
location = [37.0, -120.0]
[probes.web]
type = "tcp"
port = 80
[endpoints.a]
region = "tokyo"
addresses = ["192.0.2.1", "2001:db8::1"]
probes = ["web"]
[endpoints.b]
region = "frankfurt"
addresses = ["192.0.2.2", "2001:db8::2"]
probes = ["web"]
[endpoints.c]
region = "virginia"
addresses = ["192.0.2.3", "2001:db8::3"]
probes = ["web"]
[endpoints.d]
region = "tokyo"
addresses = ["192.0.2.4", "2001:db8::4"]
probes = ["web"]
[endpoints.e]
region = "frankfurt"
addresses = ["192.0.2.5", "2001:db8::5"]
probes = ["web"]
[endpoints.f]
region = "virginia"
addresses = ["192.0.2.6", "2001:db8::6"]
probes = ["web"]
[endpoints.four]
region = "tokyo"
addresses = ["192.0.2.40"]
probes = ["web"]
[endpoints.six]
region = "tokyo"
addresses = ["2001:db8::60"]
probes = ["web"]
[endpoints.many]
region = "tokyo"
addresses = ["192.0.2.91", "192.0.2.92", "192.0.2.93", "2001:db8::91", "2001:db8::92", "2001:db8::93"]
probes = ["web"]
[endpoints.bare]
region = "tokyo"
addresses = ["192.0.2.99", "2001:db8::99"]
[endpoints.alias]
cname = "alias.example.net"
probes = ["web"]
[endpoints.other]
cname = "other.example.net"
probes = ["web"]
)";

/// The name www.example.com over the route "main".
inline std::string config_of(std::string_view routes, std::string_view steer = "ttl = \"60s\"") {
    return kEndpoints + std::string(routes) +
           "\n[zones.\"example.com\"]\nfile = \"zone\"\n[zones.\"example.com\".steer]\n"
           "www = { route = \"main\", " +
           std::string(steer) + " }\n";
}

inline base::Mono at(double seconds) {
    return base::Mono{} +
           std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

class Steering {
  public:
    explicit Steering(std::string_view routes, std::string_view steer = "ttl = \"60s\"",
                      std::string_view zone_lines = "", const WorldText& world = {})
        : Steering(build(config_of(routes, steer), zone_lines, world)) {}

    explicit Steering(Built from_elsewhere)
        : built(std::move(from_elsewhere)), plan(*built.plan), facts(all_up(plan)) {
        from("203.0.113.9");
    }

    [[nodiscard]] std::uint32_t endpoint(std::string_view name) const {
        for (std::uint32_t i = 0; i < plan.endpoints.size(); ++i) {
            if (plan.endpoints[i].name == name) {
                return i;
            }
        }
        ADD_FAILURE() << "no endpoint " << name;
        return 0;
    }

    [[nodiscard]] std::uint32_t route(std::string_view name) const {
        for (std::uint32_t i = 0; i < plan.model->routes.size(); ++i) {
            if (plan.model->routes[i].name == name) {
                return i;
            }
        }
        ADD_FAILURE() << "no route " << name;
        return 0;
    }

    /// All addresses of the endpoints named, "a b c".
    Steering& set(std::string_view names, Health state) {
        for_names(names, [&](std::uint32_t e) {
            const Endpoint& it = plan.endpoints[e];
            const std::uint32_t count = it.cname ? 1U : it.v4_count + 0U + it.v6_count;
            for (std::uint32_t s = it.first_slot; s < it.first_slot + count; ++s) {
                facts.slots[s] = {.health = state, .next = state};
            }
        });
        return *this;
    }

    Steering& set4(std::string_view names, Health state) {
        for_names(names, [&](std::uint32_t e) {
            const Endpoint& it = plan.endpoints[e];
            for (std::uint32_t s = it.first_slot; s < it.first_slot + it.v4_count; ++s) {
                facts.slots[s] = {.health = state, .next = state};
            }
        });
        return *this;
    }

    Steering& set6(std::string_view names, Health state) {
        for_names(names, [&](std::uint32_t e) {
            const Endpoint& it = plan.endpoints[e];
            const std::uint32_t first = it.first_slot + it.v4_count;
            for (std::uint32_t s = first; s < first + it.v6_count; ++s) {
                facts.slots[s] = {.health = state, .next = state};
            }
        });
        return *this;
    }

    /// The first address of an endpoint (or all of them) may become `next` at the earliest then.
    Steering& pending(std::string_view name, Health next, double earliest_s, bool all = true) {
        for_names(name, [&](std::uint32_t e) {
            const Endpoint& it = plan.endpoints[e];
            const std::uint32_t count = it.cname || !all ? 1U : it.v4_count + 0U + it.v6_count;
            for (std::uint32_t s = it.first_slot; s < it.first_slot + count; ++s) {
                facts.slots[s].next = next;
                facts.slots[s].earliest = at(earliest_s);
            }
        });
        return *this;
    }

    Steering& order(std::string_view names, std::optional<OrderState> state,
                    base::Mono until = base::kNever) {
        for_names(names, [&](std::uint32_t e) { facts.orders[e] = {state, until}; });
        return *this;
    }

    Steering& hold(std::string_view route_name, std::uint32_t member,
                   base::Mono until = base::kNever) {
        HoldFacts& hold = facts.holds[route(route_name)];
        hold.member = {member, member, member};
        hold.until = {until, until, until};
        return *this;
    }

    Steering& from(std::string_view client) {
        const base::IpPrefix prefix = net(client);
        const std::uint32_t view = plan.trees[0].view;
        who = {view == kNone ? ClassId{} : plan.views[view]->lookup_given(prefix).id,
               hash_key(prefix)};
        return *this;
    }

    /// The next decisions see what was set.
    void publish() { health = compile_health(plan, facts); }

    [[nodiscard]] DecideInput input(Ask ask, std::uint64_t draw) const {
        return {.plan = plan,
                .health = *health,
                .steered = SteeredId{0},
                .client = who,
                .ask = ask,
                .draw = draw,
                .now = now};
    }

    Decision decide(Ask ask = Ask::A, std::uint64_t draw = 1) {
        publish();
        return policy::decide(input(ask, draw));
    }

    /// "a" or "a,b", "cname alias", "nodata", "servfail", "not cname"; "!" in front when failed
    /// open.
    std::string word(Ask ask = Ask::A, std::uint64_t draw = 1) {
        publish();
        return describe(policy::decide(input(ask, draw)));
    }

    [[nodiscard]] std::string describe(const Decision& d) const {
        const std::string mark = d.fail_open ? "!" : "";
        switch (d.kind) {
            case DecisionKind::NoData:
                return mark + "nodata";
            case DecisionKind::ServFail:
                return mark + "servfail";
            case DecisionKind::NotCname:
                return mark + "not cname";
            case DecisionKind::Cname:
                return mark + "cname " + names_of(d);
            case DecisionKind::Addresses:
                return mark + names_of(d);
        }
        return "?";
    }

    [[nodiscard]] std::string names_of(const Decision& d) const {
        std::set<std::string> names;
        for (std::size_t i = 0; i < d.endpoint_count; ++i) {
            names.insert(plan.endpoints[config::index(d.endpoints[i])].name);
        }
        std::string out;
        for (const std::string& name : names) {
            out += (out.empty() ? "" : ",") + name;
        }
        return out;
    }

    /// "192.0.2.1 192.0.2.2", sorted.
    [[nodiscard]] std::string addresses_of(const Decision& d) const {
        std::set<std::string> texts;
        for (std::size_t i = 0; i < d.slot_count; ++i) {
            texts.insert(plan.slots[config::index(d.slots[i])].address.text());
        }
        std::string out;
        for (const std::string& text : texts) {
            out += (out.empty() ? "" : " ") + text;
        }
        return out;
    }

    /// How often each outcome comes in so many draws.
    std::map<std::string, double> shares(std::size_t draws = 100000, Ask ask = Ask::A) {
        publish();
        std::map<std::string, double> out;
        base::Rng rng(7);
        for (std::size_t i = 0; i < draws; ++i) {
            out[describe(policy::decide(input(ask, rng.next())))] +=
                1.0 / static_cast<double>(draws);
        }
        return out;
    }

    /// The same over clients in different /24s, one draw each.
    std::map<std::string, double> shares_of_clients(std::size_t clients = 65536) {
        publish();
        std::map<std::string, double> out;
        for (std::size_t i = 0; i < clients; ++i) {
            const auto address =
                base::IpAddress::v4(static_cast<std::uint32_t>(0x0A000000 + i * 256));
            who.hash_key = hash_key({address, 32});
            out[describe(policy::decide(input(Ask::A, 1)))] += 1.0 / static_cast<double>(clients);
        }
        return out;
    }

    Built built;
    const Plan& plan;
    HealthFacts facts;
    std::shared_ptr<const HealthState> health;
    Client who;
    base::Mono now{};

  private:
    template <typename Fn>
    void for_names(std::string_view names, Fn&& fn) {
        while (!names.empty()) {
            const std::size_t end = std::min(names.find(' '), names.size());
            fn(endpoint(names.substr(0, end)));
            names.remove_prefix(std::min(end + 1, names.size()));
        }
    }
};

/// Four standard deviations of a share seen in so many draws.
inline double spread(double share, double draws) {
    return 4 * std::sqrt(share * (1 - share) / draws) + 1e-9;
}

}  // namespace steerd::policy::testing
