// A configuration compiled to a plan, and a world of endpoints on virtual time that the control is
// run against: what a server's loop and its probers would do, without either.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "config/load.h"
#include "control/control.h"
#include "geo/world.h"
#include "policy/compile.h"
#include "zones/load.h"

namespace steerd::control {

using base::Duration;
using base::Mono;
using base::Wall;
using health::Health;
using health::Outcome;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// The plan of a configuration; its zones' files hold an SOA and an NS.
inline std::shared_ptr<const policy::Plan> plan_of(std::string_view toml) {
    const config::Loaded loaded = config::load_text(toml, "steerd.toml");
    if (!loaded.model) {
        ADD_FAILURE() << loaded.problems.text();
        return nullptr;
    }
    policy::PlanInput input;
    input.model = loaded.model;
    std::vector<geo::Region> regions;
    for (const config::RegionConfig& region : loaded.model->regions) {
        regions.push_back({region.name, region.location, std::nullopt});
    }
    input.world = std::make_shared<geo::World>(std::move(regions), std::nullopt);
    base::Problems problems;
    for (const config::ZoneConfig& zone : loaded.model->zones) {
        std::vector<zones::SteeredOwner> owners;
        for (const config::SteerConfig& steer : zone.steer) {
            owners.push_back(
                {steer.owner, steer.at, true, static_cast<std::uint32_t>(owners.size())});
        }
        const auto data = zones::load_zone_text(
            zone.apex, "$TTL 300\n@ SOA ns1 host 1 2 3 4 60\n@ NS ns1\nns1 A 192.0.2.53\n", "z",
            owners, problems);
        input.zones.push_back({std::make_shared<config::ZoneConfig>(zone), data});
    }
    auto plan = policy::compile(input, problems);
    EXPECT_FALSE(problems.has_errors()) << problems.text();
    return plan;
}

/// How the world answers a check of an address.
struct Behaviour {
    Outcome outcome = Outcome::Pass;
    Duration takes{};
    std::string reason = "tcp connected";
};

inline const Behaviour kUp{};
inline const Behaviour kRefuses{Outcome::Fail, {}, "connection refused"};
inline const Behaviour kSlow{Outcome::Slow, milliseconds(300), "tcp connected"};
inline const Behaviour kNoDescriptor{Outcome::Inconclusive, {}, "no descriptor"};

inline Behaviour black_hole(Duration timeout) { return {Outcome::Fail, timeout, "timeout"}; }

class World {
  public:
    explicit World(Options options = {}, Wall start = Wall{std::chrono::hours(500'000)})
        : options_(options), control_(std::make_unique<Control>(options)), wall_at_zero_(start) {}

    /// Answers from `at` on; a check gets what holds when it starts.
    void set(const std::string& address, Behaviour behaviour) {
        behaviour_[address] = std::move(behaviour);
    }

    void load(std::shared_ptr<const policy::Plan> plan,
              std::optional<State> restored = std::nullopt) {
        step(NewPlan{std::move(plan), std::move(restored)});
    }

    /// A process that was killed and started anew with what it had written.
    void restart(std::shared_ptr<const policy::Plan> plan, std::optional<State> restored) {
        pending_.clear();
        resolving_.clear();
        flying_.clear();
        next_ = base::kNever;
        first_round = false;
        snapshot = nullptr;
        control_ = std::make_unique<Control>(options_);
        load(std::move(plan), std::move(restored));
    }

    [[nodiscard]] base::Now now() const { return {now_, wall_at_zero_ + now_.time_since_epoch()}; }

    void run_for(Duration time) {
        run_until([] { return false; }, time);
    }

    /// True when the condition came true within the time.
    bool run_until(const std::function<bool()>& condition, Duration most) {
        const Mono end = now_ + most;
        while (!condition()) {
            Mono at = next_;
            if (!pending_.empty()) {
                at = std::min(at, pending_.begin()->first);
            }
            if (at > end) {
                now_ = end;
                return condition();
            }
            now_ = std::max(now_, at);
            ChecksDone done;
            while (!pending_.empty() && pending_.begin()->first <= now_) {
                done.checks.push_back(std::move(pending_.begin()->second));
                flying_.erase(done.checks.back().check);
                pending_.erase(pending_.begin());
            }
            if (done.checks.empty()) {
                step(Tick{});
            } else {
                step(std::move(done));
            }
        }
        return true;
    }

    Reply order(std::string name, health::OrderState what, bool force = false,
                std::optional<Duration> lasts = std::nullopt) {
        SetOrder wish{++ticket_, std::move(name), what, "because", "tester", std::nullopt, force};
        if (lasts) {
            wish.until = now().wall + *lasts;
        }
        step(wish);
        return reply_to(ticket_);
    }

    Reply release(std::string name) {
        step(ReleaseOrder{++ticket_, std::move(name), "tester"});
        return reply_to(ticket_);
    }

    void resolved(Resolution resolution, std::vector<std::string> addresses = {},
                  std::uint32_t ttl_s = 30) {
        ASSERT_FALSE(resolving_.empty()) << "nothing is being resolved";
        ResolveDone done;
        done.target = resolving_.front().target;
        done.run = resolving_.front().run;
        done.resolution = resolution;
        for (const std::string& address : addresses) {
            done.addresses.push_back(*base::IpAddress::parse(address));
        }
        done.ttl_s = ttl_s;
        resolving_.erase(resolving_.begin());
        step(std::move(done));
    }

    [[nodiscard]] bool resolving() const { return !resolving_.empty(); }

    void step(Input input) {
        Effects effects = control_->step(now(), std::move(input));
        next_ = effects.next;
        ASSERT_GE(next_, now_);
        for (health::StartCheck& start : effects.start) {
            ASSERT_TRUE(flying_.insert(start.check).second) << "two of one check in flight";
            const auto known = behaviour_.find(start.address.text());
            const Behaviour& how = known == behaviour_.end() ? kUp : known->second;
            health::CheckDone done;
            done.check = start.check;
            done.run = start.run;
            done.verdict = {how.outcome, how.reason, how.takes, std::nullopt};
            done.started = now_;
            done.ended = now_ + how.takes;
            starts.emplace_back(now_, start.address.text());
            started = start;
            pending_.emplace(done.ended, std::move(done));
        }
        for (ResolveTarget& resolve : effects.resolve) {
            resolving_.push_back(std::move(resolve));
        }
        if (effects.snapshot) {
            snapshot = effects.snapshot;
            published.push_back(now_);
        }
        for (Event& event : effects.events) {
            if (event.kind == EventKind::Transition) {
                last_change[event.name] = now_;
            }
            events.push_back(std::move(event));
        }
        for (Reply& reply : effects.replies) {
            replies_[reply.ticket] = std::move(reply);
        }
        if (effects.state) {
            state = *effects.state->state;
            state_version = effects.state->version;
            state_at = now_;
        }
        first_round = effects.first_round_done;
    }

    [[nodiscard]] Status status() const { return control_->status(now()); }

    [[nodiscard]] Health health(const std::string& endpoint) const {
        for (const EndpointStatus& e : status().endpoints) {
            if (e.name == endpoint) {
                return e.addresses.at(0).health;
            }
        }
        ADD_FAILURE() << "no endpoint " << endpoint;
        return Health::Unknown;
    }

    [[nodiscard]] bool is(const std::string& endpoint, Health wanted) const {
        return health(endpoint) == wanted;
    }

    [[nodiscard]] std::vector<Event> events_of(EventKind kind) const {
        std::vector<Event> found;
        for (const Event& event : events) {
            if (event.kind == kind) {
                found.push_back(event);
            }
        }
        return found;
    }

    /// Where a failover route that remembers is held, for a judge; "" when it is not.
    [[nodiscard]] std::string held(const std::string& route,
                                   policy::Judge judge = policy::Judge::V4) const {
        for (const HoldStatus& hold : status().holds) {
            if (hold.route == route && hold.judge == judge) {
                return hold.member;
            }
        }
        return "";
    }

    Control& control() { return *control_; }

    /// Waits for it as long as the gate may take; "no reply" when none came.
    Reply reply_to(std::uint64_t ticket) {
        if (!replies_.contains(ticket)) {
            run_until([&] { return replies_.contains(ticket); }, milliseconds(60));
        }
        return replies_.contains(ticket) ? replies_[ticket]
                                         : Reply{ticket, ReplyKind::Refused, "no reply", {}, 0};
    }

    std::vector<Event> events;
    std::vector<Mono> published;
    std::vector<std::pair<Mono, std::string>> starts;
    std::map<std::string, Mono> last_change;  // by endpoint
    std::shared_ptr<const policy::Snapshot> snapshot;
    std::optional<State> state;
    std::uint64_t state_version = 0;
    Mono state_at{};
    bool first_round = false;
    health::StartCheck started;

  private:
    Options options_;
    std::unique_ptr<Control> control_;
    Wall wall_at_zero_;
    Mono now_{};
    Mono next_ = base::kNever;
    std::uint64_t ticket_ = 0;
    std::map<std::string, Behaviour> behaviour_;
    std::multimap<Mono, health::CheckDone> pending_;
    std::vector<ResolveTarget> resolving_;
    std::set<health::CheckId> flying_;
    std::map<std::uint64_t, Reply> replies_;
};

/// One probe with the timings of product.md's example and two endpoints under a failover.
inline constexpr std::string_view kTwoSites = R"(
[server]
listen = ["127.0.0.1:5300"]
state_dir = "state"
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[probes.web]
type = "tcp"
port = 80
interval = "5s"
timeout = "2s"
fast_interval = "1s"
fall = 3
rise = 2
[endpoints.a]
region = "tokyo"
addresses = ["192.0.2.1"]
probes = ["web"]
[endpoints.b]
region = "virginia"
addresses = ["192.0.2.2"]
probes = ["web"]
[routes.main]
policy = "failover"
members = ["a", "b"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
www = { route = "main", ttl = "60s", ttl_min = "5s" }
)";

/// A configuration with its first `from` replaced.
inline std::string edited(std::string_view text, std::string_view from, std::string_view to) {
    std::string copy(text);
    const std::size_t at = copy.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? copy : copy.replace(at, from.size(), to);
}

}  // namespace steerd::control
