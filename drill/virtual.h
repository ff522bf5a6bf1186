// A drill on virtual time: the real control (schedule, trackers, orders, holds, gate) and the real
// decisions run on a queue of moments instead of a loop and sockets; out comes the timeline of
// answers. Checks are answered by the simulated endpoints, operators' orders and changed
// configurations go in as they do in a server, and the server itself can be killed or hung, with
// the state it had written. No rule of health or steering is repeated here. Deterministic: the same
// scenario, plan and seed give the same timeline. Thread rule: one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drill/scenario.h"
#include "drill/timeline.h"
#include "health/prober.h"
#include "policy/snapshot.h"

namespace steerd::drill {

/// What the engine of resolvers cannot know of an event.
struct EventStory {
    std::optional<double> switch_back_s;  // after its end: until all answers are as before it
    std::uint32_t flaps = 0;              // how often an answer named its endpoints anew meanwhile
};

struct VirtualRun {
    Timeline timeline;
    std::vector<EventStory> stories;              // by event
    std::vector<std::vector<double>> rtt_ms;      // by cell and EndpointId; negative: unknown
    std::vector<base::IpPrefix> clients;          // by class: one client of it
    std::vector<std::string> assumptions, notes;  // sentences for the report
};

/// For those who look on.
struct Onlookers {
    std::function<void(const health::StartCheck&, base::Mono)> check_started;
    /// What is published, also by a server that does not answer yet.
    std::function<void(std::shared_ptr<const policy::Snapshot>)> published;
};

/// Demand that the plan's geo data cannot place is a problem; the run is then empty.
[[nodiscard]] VirtualRun run_virtual(const Scenario& scenario, const Bound& bound,
                                     base::Problems& problems, const Onlookers& onlookers = {});

}  // namespace steerd::drill
