// See world_fixture.h.
#include "tests/control/world_fixture.h"

#include <algorithm>

#include "config/load.h"
#include "geo/world.h"
#include "policy/compile.h"
#include "zones/load.h"

namespace steerd::control {

std::shared_ptr<const policy::Plan> plan_of(std::string_view toml) {
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

void World::restart(std::shared_ptr<const policy::Plan> plan, std::optional<State> restored) {
    pending_.clear();
    resolving_.clear();
    flying_.clear();
    next_ = base::kNever;
    first_round = false;
    snapshot = nullptr;
    control_ = std::make_unique<Control>(options_);
    load(std::move(plan), std::move(restored));
}

bool World::run_until(const std::function<bool()>& condition, Duration most) {
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

Reply World::order(std::string name, health::OrderState what, bool force,
                   std::optional<Duration> lasts) {
    SetOrder wish{++ticket_, std::move(name), what, "because", "tester", std::nullopt, force};
    if (lasts) {
        wish.until = now().wall + *lasts;
    }
    step(wish);
    return reply_to(ticket_);
}

void World::resolved(Resolution resolution, std::vector<std::string> addresses,
                     std::uint32_t ttl_s) {
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

void World::step(Input input) {
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

Health World::health(const std::string& endpoint) const {
    for (const EndpointStatus& e : status().endpoints) {
        if (e.name == endpoint) {
            return e.addresses.at(0).health;
        }
    }
    ADD_FAILURE() << "no endpoint " << endpoint;
    return Health::Unknown;
}

std::vector<Event> World::events_of(EventKind kind) const {
    std::vector<Event> found;
    for (const Event& event : events) {
        if (event.kind == kind) {
            found.push_back(event);
        }
    }
    return found;
}

std::string World::held(const std::string& route, policy::Judge judge) const {
    for (const HoldStatus& hold : status().holds) {
        if (hold.route == route && hold.judge == judge) {
            return hold.member;
        }
    }
    return "";
}

Reply World::reply_to(std::uint64_t ticket) {
    if (!replies_.contains(ticket)) {
        run_until([&] { return replies_.contains(ticket); }, milliseconds(60));
    }
    return replies_.contains(ticket) ? replies_[ticket]
                                     : Reply{ticket, ReplyKind::Refused, "no reply", {}, 0, {}};
}

std::string edited(std::string_view text, std::string_view from, std::string_view to) {
    std::string copy(text);
    const std::size_t at = copy.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? copy : copy.replace(at, from.size(), to);
}

}  // namespace steerd::control
