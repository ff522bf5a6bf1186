// The queue: scripted events, verdicts that are due, and the moments at which control wants to be
// called; the earliest goes first, and of one moment the script before the rest.
#include "drill/virtual.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/rng.h"
#include "base/text.h"
#include "control/control.h"
#include "drill/replan.h"
#include "drill/virtual_answers.h"
#include "drill/virtual_clients.h"
#include "drill/virtual_events.h"
#include "drill/virtual_world.h"

namespace steerd::drill {

using base::Mono;
using config::index;

namespace {

/// 2026-01-01: wall time is only for orders, which keep their moments to it.
constexpr base::Wall kWallAtZero{std::chrono::seconds(1'767'225'600)};
constexpr base::Duration kLeastWarmUp = std::chrono::seconds(10);
constexpr std::uint64_t kControlSalt = 0x6A09E667F3BCC908ULL;
constexpr std::uint64_t kWorldSalt = 0xBB67AE8584CAA73BULL;
constexpr std::uint64_t kAnswerSalt = 0x3C6EF372FE94F82BULL;

/// The control speaks of the command's option; a scenario has a key.
std::string in_scenario_words(std::string message) {
    constexpr std::string_view kOption = "--force";
    const auto at = message.find(kOption);
    return at == std::string::npos ? message : message.replace(at, kOption.size(), "force = true");
}

/// Long enough that every check is in its phase and every first verdict is in.
base::Duration warm_up(const policy::Plan& plan) {
    base::Duration longest{};
    for (const auto& probe : plan.model->probes) {
        longest = std::max(longest, probe.spec->interval + probe.spec->timeout);
    }
    return std::max<base::Duration>(kLeastWarmUp, longest + std::chrono::seconds(2));
}

/// The plan at first and after each event that changes a weight.
std::vector<std::shared_ptr<const policy::Plan>> plans_of(const Scenario& scenario,
                                                          const Bound& bound,
                                                          base::Problems& problems) {
    std::vector<std::shared_ptr<const policy::Plan>> plans{bound.plan};
    for (const ScenarioEvent& event : scenario.events) {
        if (event.kind == EventKind::Weight) {
            auto next =
                with_weight(*plans.back(), event.route, event.target, event.weight, problems);
            if (next == nullptr) {
                break;
            }
            plans.push_back(std::move(next));
        }
    }
    return plans;
}

class Rehearsal {
  public:
    Rehearsal(const Scenario& scenario, const Bound& bound,
              std::vector<std::shared_ptr<const policy::Plan>> plans, const Clients& clients,
              const Onlookers& onlookers)
        : scenario_(scenario),
          bound_(bound),
          plans_(std::move(plans)),
          onlookers_(onlookers),
          world_(bound.plan, scenario.type, base::mix64(scenario.seed ^ kWorldSalt)),
          book_(bound.steered, scenario.ask(), clients, base::mix64(scenario.seed ^ kAnswerSalt)),
          now_(Mono{} - warm_up(*bound.plan)) {
        log_.in_force.assign(scenario.events.size(), base::kNever);
        keeps_state_ = bound.plan->model->server.state_dir.has_value() &&
                       std::any_of(scenario.events.begin(), scenario.events.end(),
                                   [](const ScenarioEvent& event) { return event.on_server(); });
        for (std::size_t i = 0; i < bound.plan->endpoints.size(); ++i) {
            const auto id = static_cast<policy::EndpointId>(i);
            judged_by_.push_back(world_.addresses(id));
            endpoint_ids_.emplace(bound.plan->endpoints[i].name, id);
        }
    }

    VirtualRun run() {
        const Mono over{scenario_.duration};
        start(std::nullopt);
        while (true) {
            Mono at = next_event_ < scenario_.events.size() ? Mono{scenario_.events[next_event_].at}
                                                            : base::kNever;
            if (running()) {
                at = std::min({at, next_, pending_.empty() ? base::kNever : pending_.begin()->first,
                               resolves_.empty() ? base::kNever : now_});
            }
            if (at >= over) {
                break;
            }
            now_ = std::max(now_, at);
            if (next_event_ < scenario_.events.size() &&
                Mono{scenario_.events[next_event_].at} <= now_) {
                happen(next_event_++);
            } else {
                advance();
            }
        }
        return finish();
    }

  private:
    [[nodiscard]] base::Now now() const { return {now_, kWallAtZero + now_.time_since_epoch()}; }

    [[nodiscard]] bool running() const { return control_ != nullptr && !hung_; }

    void start(std::optional<control::State> restored) {
        control::Options options;
        options.seed = base::mix64(scenario_.seed ^ kControlSalt ^ ++lives_);
        options.keep_state = keeps_state_;
        options.history = 16;
        control_ = std::make_unique<control::Control>(options);
        answering_ = false;
        step(control::NewPlan{plans_[plan_], std::move(restored)});
    }

    void advance() {
        if (!resolves_.empty()) {
            auto done = std::move(resolves_.back());
            resolves_.pop_back();
            step(std::move(done));
            return;
        }
        control::ChecksDone done;
        while (!pending_.empty() && pending_.begin()->first <= now_) {
            done.checks.push_back(std::move(pending_.begin()->second));
            pending_.erase(pending_.begin());
            note(done.checks.back());
        }
        if (done.checks.empty()) {
            step(control::Tick{});
        } else {
            step(std::move(done));
        }
    }

    void note(const health::CheckDone& done) {
        if (done.verdict.outcome == health::Outcome::Fail ||
            done.verdict.outcome == health::Outcome::Slow) {
            log_.bad_checks.push_back({now_, addresses_[done.check]});
        }
    }

    void step(control::Input input) {
        control::Effects effects = control_->step(now(), std::move(input));
        next_ = effects.next;
        for (const health::StartCheck& check : effects.start) {
            if (onlookers_.check_started) {
                onlookers_.check_started(check, now_);
            }
            addresses_[check.check] = check.address;
            auto done = world_.check(check, now_);
            const Mono ended = done.ended;
            pending_.emplace(ended, std::move(done));
        }
        for (const control::ResolveTarget& target : effects.resolve) {
            resolves_.push_back(world_.resolve(target));
        }
        for (const control::Event& event : effects.events) {
            if (event.kind == control::EventKind::Transition) {
                note(event);
            }
        }
        for (const control::Reply& reply : effects.replies) {
            hear(reply);
        }
        if (effects.state) {
            written_ = *effects.state->state;
        }
        if (effects.snapshot) {
            snapshot_ = effects.snapshot;
            if (onlookers_.published) {
                onlookers_.published(snapshot_);
            }
        }
        // As in a server, nobody is answered before the first verdicts are in.
        const bool begins = effects.first_round_done && !answering_;
        if (snapshot_ && effects.first_round_done && (effects.snapshot || begins)) {
            book_.publish(now_, *snapshot_, plan_in_force_);
        }
        if (begins) {
            answering_ = true;
            if (lives_ > 1) {
                timeline_.authority.push_back({now_, Authority::Up});
                log_.in_force[restarted_by_] = now_;
            }
        }
    }

    void note(const control::Event& event) {
        const auto health = health::parse_health(event.to);
        const auto id = endpoint_ids_.at(event.name);
        if (!health) {
            return;
        }
        auto address = base::IpAddress::parse(event.address);
        if (!address) {
            address = judged_by_[index(id)].front();  // of a CNAME target
        }
        log_.beliefs.push_back({now_, id, *address, *health});
    }

    void hear(const control::Reply& reply) {
        const ScenarioEvent& event = scenario_.events[reply.ticket];
        if (reply.kind == control::ReplyKind::Done) {
            log_.in_force[reply.ticket] = Mono{event.at};
        } else {
            remark(event, in_scenario_words(reply.message));
        }
    }

    void remark(const ScenarioEvent& event, const std::string& what) {
        notes_.push_back(fmt::format("{} of {} at {}: {}", to_text(event.kind), event.target,
                                     base::format_duration(event.at), what));
    }

    void happen(std::size_t number) {
        const ScenarioEvent& event = scenario_.events[number];
        world_.apply(event, bound_.endpoints[number], now_);
        if (event.on_server()) {
            on_server(event, number);
        } else if (event.kind == EventKind::Drain || event.kind == EventKind::Release) {
            order(event, number);
        } else if (event.kind == EventKind::Weight) {
            log_.in_force[number] = now_;
            plan_ = std::min(plan_ + 1, plans_.size() - 1);
            if (running()) {
                reload();
            } else {
                remark(event, "in force when the server is back");
            }
        }
    }

    void reload() {
        // What is published from here on is of the new plan; the gate may hold it back until then.
        plan_in_force_ = plan_;
        step(control::NewPlan{plans_[plan_], std::nullopt});
    }

    void order(const ScenarioEvent& event, std::size_t number) {
        if (!running()) {
            remark(event, "not heard, the server was not running");
            return;
        }
        if (event.kind == EventKind::Release) {
            step(control::ReleaseOrder{number, event.target, "drill"});
            return;
        }
        control::SetOrder order;
        order.ticket = number;
        order.name = event.target;
        order.state = health::OrderState::Drain;
        order.reason = "drill";
        order.who = "drill";
        order.force = event.force;
        step(std::move(order));
    }

    void on_server(const ScenarioEvent& event, std::size_t number) {
        if (event.kind == EventKind::Kill) {
            control_.reset();
            hung_ = false;
            pending_.clear();
            resolves_.clear();
            snapshot_.reset();
            next_ = base::kNever;
            timeline_.authority.push_back({now_, Authority::Killed});
        } else if (event.kind == EventKind::Hang) {
            if (control_ == nullptr) {
                remark(event, "it was not running");
                return;
            }
            hung_ = true;
            timeline_.authority.push_back({now_, Authority::Hung});
        } else if (control_ == nullptr) {
            restarted_by_ = number;
            plan_in_force_ = plan_;
            start(std::exchange(written_, std::nullopt));
        } else if (hung_) {
            hung_ = false;
            log_.in_force[number] = now_;
            timeline_.authority.push_back({now_, Authority::Up});
            if (plan_in_force_ != plan_) {
                reload();
            }
        }
    }

    VirtualRun finish() {
        VirtualRun out;
        timeline_.duration = scenario_.duration;
        book_.move_into(timeline_);
        timeline_.truth = world_.truth(Mono{scenario_.duration});
        timeline_.events = event_times(scenario_, bound_, log_, judged_by_, timeline_);
        out.stories = event_stories(timeline_);
        out.timeline = std::move(timeline_);
        out.notes = std::move(notes_);
        return out;
    }

    const Scenario& scenario_;
    const Bound& bound_;
    std::vector<std::shared_ptr<const policy::Plan>> plans_;
    const Onlookers& onlookers_;
    VirtualWorld world_;
    AnswerBook book_;
    Mono now_;
    Mono next_ = base::kNever;
    std::size_t next_event_ = 0;
    std::unique_ptr<control::Control> control_;
    std::uint64_t lives_ = 0;
    bool hung_ = false;
    bool answering_ = false;
    bool keeps_state_ = false;
    std::size_t plan_ = 0;           // as configured
    std::size_t plan_in_force_ = 0;  // as loaded
    std::size_t restarted_by_ = 0;   // event
    std::multimap<Mono, health::CheckDone> pending_;
    std::vector<control::ResolveDone> resolves_;
    std::map<health::CheckId, base::IpAddress> addresses_;
    std::optional<control::State> written_;
    std::shared_ptr<const policy::Snapshot> snapshot_;
    std::map<std::string, policy::EndpointId> endpoint_ids_;
    JudgedBy judged_by_;
    DrillLog log_;
    Timeline timeline_;
    std::vector<std::string> notes_;
};

void say_assumptions(const Scenario& scenario, VirtualRun& run) {
    const auto any = [&](EventKind kind) {
        return std::any_of(scenario.events.begin(), scenario.events.end(),
                           [&](const ScenarioEvent& event) { return event.kind == kind; });
    };
    run.assumptions.emplace_back(
        "A healthy check takes no time; a killed endpoint fails at once, a blackholed one after "
        "the probe's timeout; probes reach endpoints from this one server.");
    if (any(EventKind::Slow) || any(EventKind::Gray)) {
        run.assumptions.emplace_back(
            "A request that takes as long as the longest timeout of the endpoint's probes counts "
            "as failed; a slow one that is faster counts as served.");
    }
    if (any(EventKind::Flap)) {
        run.assumptions.emplace_back("A flapping endpoint begins each period dead.");
    }
    if (std::any_of(scenario.demands.begin(), scenario.demands.end(),
                    [](const ScenarioDemand& demand) { return demand.location.has_value(); })) {
        run.assumptions.emplace_back(
            "Demand at coordinates comes from networks that the server is told to stand there.");
    }
}

}  // namespace

VirtualRun run_virtual(const Scenario& scenario, const Bound& bound, base::Problems& problems,
                       const Onlookers& onlookers) {
    const std::size_t errors = problems.error_count();
    auto plans = plans_of(scenario, bound, problems);
    const Clients clients = find_clients(scenario, bound.steered, plans, problems);
    if (problems.error_count() > errors) {
        return {};
    }
    VirtualRun run = Rehearsal(scenario, bound, std::move(plans), clients, onlookers).run();
    run.rtt_ms = clients.rtt_ms;
    for (const ClientGroup& group : clients.groups) {
        run.clients.push_back(group.client);
    }
    say_assumptions(scenario, run);
    return run;
}

}  // namespace steerd::drill
