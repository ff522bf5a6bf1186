// "What if": an endpoint, or all of a region, supposed to be down (--down of explain and forecast).
// Thread rule: the main thread.
#pragma once

#include <string>

#include "policy/health_state.h"
#include "policy/plan.h"

namespace steerd::cli {

/// Marks an endpoint, or all of `region:NAME`, as down. Throws Failure when there is no such name.
void suppose_down(const policy::Plan& plan, const std::string& name, policy::HealthFacts& facts);

}  // namespace steerd::cli
