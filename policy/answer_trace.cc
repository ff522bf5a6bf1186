// See answer_trace.h. The decision is taken once more with its steps: it is a pure function, so the
// words are those of the answer given.
#include "policy/answer_trace.h"

#include <algorithm>
#include <cmath>

#include "geo/world.h"

namespace steerd::policy {
namespace {

using config::index;

std::string source_of(const geo::World& world, geo::PlaceId place, std::size_t region,
                      const geo::Estimate& estimate) {
    if (estimate.source == geo::Estimate::Source::Model) {
        return "model";
    }
    const auto measured = world.measured(place, region);
    return measured ? "latency.csv " + measured->client.text() : std::string();
}

std::string told_by(const geo::LatencyRow& row) {
    std::string out;
    if (row.samples) {
        out = std::to_string(*row.samples) + (*row.samples == 1 ? " sample" : " samples");
    }
    if (row.age_days) {
        const auto days = std::llround(*row.age_days);
        out += (out.empty() ? "" : ", ") + std::to_string(days);
        out += days == 1 ? " day old" : " days old";
    }
    return out;
}

std::string detail_of(const geo::World& world, geo::PlaceId place, std::size_t region,
                      const geo::Estimate& estimate) {
    std::string out = told_by({estimate.rtt_ms, estimate.samples, estimate.age_days});
    if (estimate.basis == geo::Estimate::Basis::Country) {
        out = "from its country's largest city";
    } else if (estimate.basis == geo::Estimate::Basis::Node) {
        out = "from this node, the client's place being unknown";
    }
    if (const auto row = world.set_aside(place, region)) {
        out += (out.empty() ? "" : "; ") + std::string("not used: latency.csv ") +
               row->client.text() + ", " + told_by(row->row);
    }
    return out;
}

void add_estimates(const geo::World& world, const base::IpPrefix& client,
                   std::vector<Step>& steps) {
    const geo::PlaceId place = world.locate(base::normalised(client).prefix);
    for (Step& step : steps) {
        for (StepMember& member : step.members) {
            const auto region = world.region_index(member.region);
            if (member.region.empty() || !region) {
                continue;
            }
            const geo::Estimate estimate = world.estimate(place, *region);
            if (estimate.known()) {
                member.rtt_ms = estimate.rtt_ms;
                member.rtt_source = source_of(world, place, *region, estimate);
                member.rtt_detail = detail_of(world, place, *region, estimate);
                member.rtt_samples = estimate.samples;
                member.rtt_age_days = estimate.age_days;
            } else if (member.reason == kHigherEstimate) {
                member.reason = "no estimate";
            } else if (member.reason == kLowestEstimate) {
                member.reason = "no estimate, nothing better is available";
            }
        }
    }
}

bool matches(const config::Match& match, const geo::Facts& facts, const base::IpPrefix& client) {
    switch (match.kind) {
        case config::Match::Kind::Network:
            return match.prefix.contains(client);
        case config::Match::Kind::Asn:
            return facts.asn == match.asn;
        case config::Match::Kind::Subdivision:
            return facts.subdivision && *facts.subdivision == std::string_view(match.code);
        case config::Match::Kind::Country:
            return facts.country && *facts.country == std::string_view(match.code);
        case config::Match::Kind::Continent:
            return facts.continent && *facts.continent == std::string_view(match.code);
        case config::Match::Kind::Any:
            return true;
    }
    return false;
}

/// Most specific first: network (longest first), then by kind.
bool more_specific(const config::Match& a, const config::Match& b) {
    return a.kind != b.kind
               ? a.kind < b.kind
               : a.kind == config::Match::Kind::Network && a.prefix.length() > b.prefix.length();
}

/// A class knows targets, not by which match they were found; this client's place tells that. The
/// same target may stand behind several matches: the most specific one speaks.
void tell_matches(const config::RouteConfig& route, const geo::Facts& facts,
                  const base::IpPrefix& client, Step& step) {
    std::vector<std::size_t> walk;
    for (std::size_t i = 0; i < route.members.size(); ++i) {
        if (matches(route.members[i].match, facts, client)) {
            walk.push_back(i);
        }
    }
    std::stable_sort(walk.begin(), walk.end(), [&](std::size_t a, std::size_t b) {
        return more_specific(route.members[a].match, route.members[b].match);
    });
    std::string chosen;
    for (StepMember& member : step.members) {
        chosen = member.chosen ? member.name : chosen;
        member.chosen = false;
        member.share = 0;
        member.reason = "no match for " + route.members[&member - step.members.data()].match.text();
    }
    bool fenced = false;
    bool found = false;
    for (const std::size_t i : walk) {
        const config::MemberConfig& written = route.members[i];
        const std::string match = written.match.text() + (written.fence ? " (fence)" : "");
        StepMember& member = step.members[i];
        if (fenced) {
            member.reason = "behind the fence: " + match;
        } else if (!found && !chosen.empty() && member.name == chosen) {
            found = member.chosen = true;
            member.share = 1;
            member.reason = "matches " + match;
        } else {
            member.reason = (found ? "less specific: " : "not available: ") + match;
        }
        fenced = fenced || written.fence;
    }
}

void tell_geo_steps(const DecideInput& input, const Trace& trace, std::vector<Step>& steps) {
    const config::Model& model = *input.plan.model;
    for (Step& step : steps) {
        const auto route = std::find_if(model.routes.begin(), model.routes.end(),
                                        [&](const auto& r) { return r.name == step.route; });
        if (step.policy == config::Policy::Geo && route != model.routes.end() &&
            route->members.size() == step.members.size()) {
            tell_matches(*route, trace.place, base::normalised(trace.client).prefix, step);
        }
    }
}

}  // namespace

void trace_client(const Plan& plan, const base::IpPrefix& client, Trace& trace) {
    trace.client = client;
    if (plan.world != nullptr) {
        trace.place = plan.world->place(plan.world->locate(base::normalised(client).prefix));
    }
}

void trace_decision(const DecideInput& input, const Decision& decision, Trace& trace) {
    std::vector<Step> steps;
    (void)decide(input, &steps);
    if (input.plan.world != nullptr) {
        add_estimates(*input.plan.world, trace.client, steps);
        tell_geo_steps(input, trace, steps);
    }
    trace.steps.insert(trace.steps.end(), steps.begin(), steps.end());
    if (trace.route.empty()) {
        const SteeredName& name = input.plan.steered[index(input.steered)];
        trace.route = input.plan.model->route(input.plan.trees[index(name.tree)].root).name;
        trace.fail_open = decision.fail_open;
        trace.ttl_s = decision.ttl_s;
    }
    for (std::size_t i = 0; i < decision.endpoint_count; ++i) {
        trace.endpoints.push_back(input.plan.endpoints[index(decision.endpoints[i])].name);
    }
}

}  // namespace steerd::policy
