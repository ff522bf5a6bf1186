// See answer_trace.h. The decision is taken once more with its steps: it is a pure function, so the
// words are those of the answer given.
#include "policy/answer_trace.h"

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
            }
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
    }
    trace.steps.insert(trace.steps.end(), steps.begin(), steps.end());
    if (trace.route.empty()) {
        const SteeredName& name = input.plan.steered[index(input.steered)];
        trace.route = input.plan.model->route(input.plan.trees[index(name.tree)].root).name;
        trace.fail_open = decision.fail_open;
    }
    for (std::size_t i = 0; i < decision.endpoint_count; ++i) {
        trace.endpoints.push_back(input.plan.endpoints[index(decision.endpoints[i])].name);
    }
}

}  // namespace steerd::policy
