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
#include "control/control.h"

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
std::shared_ptr<const policy::Plan> plan_of(std::string_view toml);

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
    void restart(std::shared_ptr<const policy::Plan> plan, std::optional<State> restored);

    [[nodiscard]] base::Now now() const { return {now_, wall_at_zero_ + now_.time_since_epoch()}; }

    void run_for(Duration time) {
        run_until([] { return false; }, time);
    }

    /// True when the condition came true within the time.
    bool run_until(const std::function<bool()>& condition, Duration most);

    Reply order(std::string name, health::OrderState what, bool force = false,
                std::optional<Duration> lasts = std::nullopt);

    Reply release(std::string name) {
        step(ReleaseOrder{++ticket_, std::move(name), "tester"});
        return reply_to(ticket_);
    }

    void resolved(Resolution resolution, std::vector<std::string> addresses = {},
                  std::uint32_t ttl_s = 30);

    [[nodiscard]] bool resolving() const { return !resolving_.empty(); }

    void step(Input input);

    [[nodiscard]] Status status() const { return control_->status(now()); }

    [[nodiscard]] Health health(const std::string& endpoint) const;

    [[nodiscard]] bool is(const std::string& endpoint, Health wanted) const {
        return health(endpoint) == wanted;
    }

    [[nodiscard]] std::vector<Event> events_of(EventKind kind) const;

    /// Where a failover route that remembers is held, for a judge; "" when it is not.
    [[nodiscard]] std::string held(const std::string& route,
                                   policy::Judge judge = policy::Judge::V4) const;

    Control& control() { return *control_; }

    /// Waits for it as long as the gate may take; "no reply" when none came.
    Reply reply_to(std::uint64_t ticket);

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
std::string edited(std::string_view text, std::string_view from, std::string_view to);

}  // namespace steerd::control
