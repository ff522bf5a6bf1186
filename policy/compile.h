// Model, zones and world to a Plan: trees, views, steered names; the load-time problems that only
// the whole can show. Thread rule: load plane, any one thread.
#pragma once

#include <memory>
#include <vector>

#include "base/problem.h"
#include "policy/plan.h"

namespace steerd::policy {

/// A zone to be served: its steer table in force and its data; nullptr data answers SERVFAIL.
struct ZoneInput {
    std::shared_ptr<const config::ZoneConfig> config;
    std::shared_ptr<const zones::Zone> zone;
};

struct PlanInput {
    std::shared_ptr<const config::Model> model;
    std::shared_ptr<const geo::World> world;
    std::vector<ZoneInput> zones;
    /// Views of the plan before this one may be taken over when world and shape are the same.
    std::shared_ptr<const Plan> previous;
};

/// nullptr when `problems` got an error (a CNAME target that leads back to itself through our own
/// zones). Steered names of a table refer to routes of `model`.
[[nodiscard]] std::shared_ptr<const Plan> compile(const PlanInput& input, base::Problems& problems);

}  // namespace steerd::policy
