#include "drill/validate.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "config/model.h"
#include "drill/live_world.h"
#include "drill/validate_run.h"
#include "drill/validate_stats.h"
#include "drill/virtual_clients.h"

namespace steerd::drill {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kNames = 220;  // at least kLeastFlips must change; a datagram may get lost
constexpr std::uint32_t kMostNames = 1600;  // where only a share of them holds what is to die
constexpr std::uint32_t kClocked = 24;      // whose lives are watched
constexpr double kRate = 0.5;               // questions per second for each name and resolver
constexpr std::uint32_t kMostTtlS = 10;     // so that all of it stays within two minutes
constexpr std::size_t kMostClients = 64;
constexpr int kTries = 6;
constexpr int kShareTries = 300;
constexpr base::Duration kBackLimit = seconds(60);
constexpr base::Duration kPatience = milliseconds(500);
constexpr int kVersionSeconds = 5;
constexpr int kPauseMs = 20;
constexpr unsigned kRuns = 2;

/// The scenario of a validation: what its first event takes out is killed, and comes back.
struct KillAndRecover {
    Scenario scenario;
    Bound bound;
    std::string target;
};

std::optional<KillAndRecover> kill_of(const Scenario& scenario, const Bound& bound,
                                      base::Problems& problems) {
    const auto takes_out = [](const ScenarioEvent& event) {
        return !event.on_server() && event.kind != EventKind::Recover &&
               event.kind != EventKind::Release && event.kind != EventKind::Weight;
    };
    const auto first = std::find_if(scenario.events.begin(), scenario.events.end(), takes_out);
    if (first == scenario.events.end()) {
        problems.error(scenario.name_at,
                       "nothing to validate: no event of the scenario takes an endpoint out");
        return std::nullopt;
    }
    KillAndRecover out{scenario, bound, first->target};
    const auto endpoints =
        bound.endpoints[static_cast<std::size_t>(first - scenario.events.begin())];
    ScenarioEvent event = *first;
    event.at = base::Duration{};
    event.kind = EventKind::Kill;
    out.scenario.events = {event, event};
    out.scenario.events[1].kind = EventKind::Recover;
    out.bound.endpoints = {endpoints, endpoints};
    return out;
}

std::vector<InstalledResolver> installed_resolvers(Validation& out) {
    std::vector<InstalledResolver> found;
    for (const ResolverKind& kind : resolver_kinds()) {
        const auto program = find_program(kind.program);
        if (!program) {
            out.missing.emplace_back(kind.name);
            continue;
        }
        const std::string said =
            output_of(*program, {std::string(kind.version_option)}, kVersionSeconds);
        found.push_back({&kind, *program, version_in(kind, said)});
    }
    return found;
}

/// So many that, whatever is drawn for each, enough hold what has `share` of the answers.
double names_needed(double share) {
    return std::ceil((kNames + 3 * std::sqrt(kLeastFlips * (1 - share))) / share);
}

/// Waits until the answers to one of the scenario's clients name what is to die, and settles on it.
class ClientSearch {
  public:
    ClientSearch(ValidateScene& scene, std::vector<base::IpPrefix> candidates)
        : scene_(scene), candidates_(std::move(candidates)) {}

    /// Whether one was found in time.
    bool find() {
        const base::Mono deadline = clock_.now().mono + kBackLimit;
        while (clock_.now().mono < deadline && !(scene_.cancelled && scene_.cancelled())) {
            int most = 0;
            base::IpPrefix best;
            for (const base::IpPrefix& candidate : candidates_) {
                scene_.client = candidate;
                const int old = old_answers(kTries);
                if (old > most) {
                    most = old;
                    best = candidate;
                }
                if (old == kTries) {
                    break;
                }
            }
            if (most > 0) {
                scene_.client = best;
                scene_.old_share = share();
                return true;
            }
            ::poll(nullptr, 0, kPauseMs);  // it has just come back: until it is found up
        }
        return false;
    }

  private:
    /// Of this client's answers that name what is to die; two standard errors less if it is drawn.
    double share() const {
        const double seen = static_cast<double>(old_answers(kShareTries)) / kShareTries;
        return std::max(seen - 2 * std::sqrt(seen * (1 - seen) / kShareTries), 1.0 / kShareTries);
    }

    int old_answers(int tries) const {
        int old = 0;
        for (int i = 0; i < tries; ++i) {
            scene_.tick();
            const auto told = ask_once(scene_.server, scene_.names.back(), scene_, true, kPatience);
            old += told && told->old ? 1 : 0;
        }
        return old;
    }

    ValidateScene& scene_;
    std::vector<base::IpPrefix> candidates_;
    base::RealClock clock_;
};

class Validator {
  public:
    Validator(const KillAndRecover& plan, const ValidateOptions& options)
        : plan_(plan), options_(options) {}

    std::optional<Validation> run(base::Problems& problems) {
        auto installed = installed_resolvers(out_);
        if (installed.empty()) {
            problems.error({}, fmt::format("nothing to validate with: none of {} is installed",
                                           fmt::join(out_.missing, ", ")));
            return std::nullopt;
        }
        const auto& steered = plan_.bound.plan->steered[config::index(plan_.bound.steered)];
        const std::uint32_t ttl_s = std::min(steered.ttl_s, kMostTtlS);
        out_.configured_ttl_s = steered.ttl_s;
        out_.ttl_s = ttl_s;
        out_.rate = kRate;
        LiveOptions live;
        live.program = options_.program;
        live.names = true;
        live.names_ttl_s = ttl_s;
        live.cancelled = options_.cancelled;
        world_ = LiveWorld::start(plan_.scenario, plan_.bound, live, problems);
        if (world_ == nullptr) {
            return std::nullopt;
        }
        world_->begin(clock_.now().mono);
        for (const InstalledResolver& resolver : installed) {
            out_.resolvers.emplace_back().name = resolver.kind->name;
            out_.resolvers.back().version = resolver.version;
            out_.resolvers.back().model = resolver.kind->model_text;
        }
        for (unsigned attempt = 1; attempt <= kRuns && !installed.empty(); ++attempt) {
            const std::string failure = attempt_once(installed, attempt, problems);
            if (!failure.empty()) {
                problems.error({}, "validation: " + failure);
                return std::nullopt;
            }
            std::erase_if(installed, [&](const InstalledResolver& resolver) {
                return figures(resolver.kind->name).ok();
            });
        }
        return std::move(out_);
    }

  private:
    ResolverFigures& figures(std::string_view name) {
        return *std::find_if(out_.resolvers.begin(), out_.resolvers.end(),
                             [&](const ResolverFigures& one) { return one.name == name; });
    }

    void tell(const ValidateScene& scene) {
        const auto& steered = plan_.bound.plan->steered[config::index(plan_.bound.steered)];
        if (scene.old_share < 1) {
            out_.notes.push_back(fmt::format(
                "{} is in a share of the answers of its route; so many names are asked for that "
                "{} hold it, and the rest does not count",
                plan_.target, kLeastFlips));
        }
        out_.notes.push_back(fmt::format(
            "validation kills {}, what the scenario's first event takes out, while each resolver "
            "is asked {} questions per second for each of {} names on the route of the drilled "
            "name, and the lives of {} more are watched; their first questions come at random "
            "moments, so that no two caches are in step",
            plan_.target, kRate, scene.names.size() - 1 - kClocked, kClocked));
        if (steered.ttl_s > kMostTtlS) {
            out_.notes.push_back(
                fmt::format("validation serves a TTL of {} s instead of {} s, so that it ends "
                            "within two minutes",
                            kMostTtlS, steered.ttl_s));
        }
        if (steered.ttl_min_s > 0) {
            out_.notes.push_back(
                "validation leaves the countdown (ttl_min) out: the closed form "
                "is for TTLs that stay");
        }
    }

    ValidateScene scene(unsigned attempt) {
        ValidateScene scene;
        scene.server = world_->server();
        scene.zone = world_->zone().to_text();
        scene.names.push_back(*dns::Name::parse(world_->name(0)));  // to find a client with
        scene.clocked = kClocked;
        scene.rate = kRate;
        scene.ttl_s = out_.ttl_s;
        scene.seed = plan_.scenario.seed;
        scene.folder = world_->folder();
        const auto& endpoints = plan_.bound.endpoints[0];
        scene.dead = [this, &endpoints](const base::IpAddress& address) {
            const auto endpoint = world_->endpoint_at(address);
            return endpoint &&
                   std::find(endpoints.begin(), endpoints.end(), *endpoint) != endpoints.end();
        };
        scene.kill = [this] { world_->happen(0); };
        scene.tick = [this] { world_->tick(); };
        scene.cancelled = [this] {
            return !world_->failure().empty() || (options_.cancelled && options_.cancelled());
        };
        scene.progress = [this, attempt](double share) {
            if (options_.progress) {
                options_.progress((share + attempt - 1) / kRuns);
            }
        };
        return scene;
    }

    /// What ended it all, or nothing.
    std::string attempt_once(const std::vector<InstalledResolver>& installed, unsigned attempt,
                             base::Problems& problems) {
        if (attempt > 1) {
            world_->happen(1);
        }
        ValidateScene made = scene(attempt);
        std::vector<base::IpPrefix> candidates;
        const std::array plans{plan_.bound.plan};
        for (const ClientGroup& group :
             find_clients(plan_.scenario, plan_.bound.steered, plans, problems).groups) {
            if (candidates.size() < kMostClients) {
                candidates.push_back(group.client);
            }
        }
        if (!ClientSearch(made, std::move(candidates)).find()) {
            return world_->failure().empty()
                       ? fmt::format("no client of the scenario is answered with {}", plan_.target)
                       : world_->failure();
        }
        const double names = names_needed(made.old_share);
        if (names > kMostNames) {
            return fmt::format(
                "{} is in {:.2g} % of the answers to this client: {:.0f} names would have to be "
                "asked for, so that {} hold it, and at most {} are",
                plan_.target, 100 * made.old_share, names, kLeastFlips, kMostNames);
        }
        for (std::size_t i = 1; i <= static_cast<std::size_t>(names) + kClocked; ++i) {
            made.names.push_back(*dns::Name::parse(world_->name(i)));
        }
        if (attempt == 1) {
            tell(made);
        }
        RunOutcome outcome = run_resolvers(made, installed, attempt);
        if (!outcome.failure.empty()) {
            return world_->failure().empty() ? outcome.failure : world_->failure();
        }
        out_.switch_s = outcome.switch_after_s;
        for (const ResolverRun& run : outcome.resolvers) {
            ResolverFigures& old = figures(run.kind->name);
            ResolverFigures fresh;
            if (run.failure.empty()) {
                fresh = figures_of(run.log, run.facts, plan_.scenario.seed);
            } else {
                fresh.complaints.push_back("it did not run: " + run.failure);
            }
            fresh.name = old.name;
            fresh.version = old.version;
            fresh.model = old.model;
            fresh.runs = attempt;
            if (!old.complaints.empty()) {
                out_.notes.push_back(
                    fmt::format("{} was outside the bounds at first ({}) and was "
                                "run once more",
                                old.name, fmt::join(old.complaints, "; ")));
            }
            old = std::move(fresh);
        }
        return {};
    }

    const KillAndRecover& plan_;
    const ValidateOptions& options_;
    base::RealClock clock_;
    std::unique_ptr<LiveWorld> world_;
    Validation out_;
};

}  // namespace

std::optional<Validation> validate(const Scenario& scenario, const Bound& bound,
                                   const ValidateOptions& options, base::Problems& problems) {
    const auto plan = kill_of(scenario, bound, problems);
    return plan ? Validator(*plan, options).run(problems) : std::nullopt;
}

}  // namespace steerd::drill
