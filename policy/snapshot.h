// What a query sees, as one unit: the plan, the health, and nothing that changes under it.
// Control makes one for each publication; workers keep a shared_ptr and refresh it when the
// generation moves. Thread rule: immutable.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "policy/health_state.h"
#include "policy/plan.h"

namespace steerd::policy {

struct Snapshot {
    std::uint64_t generation = 0;
    base::Now published{};
    std::shared_ptr<const Plan> plan;
    std::shared_ptr<const HealthState> health;
};

}  // namespace steerd::policy
