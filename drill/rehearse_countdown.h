// A drill with a countdown TTL is run once more without it, so that the report can tell what the
// countdown buys: what is left after the switch under each. The same seed, so the same outage.
// Thread rule: pure but for the threads that the engine starts and joins.
#pragma once

#include "drill/rehearse.h"

namespace steerd::drill {

/// Adds Results::countdown where the name counts down and something was switched.
void add_countdown(const Scenario& scenario, const Bound& bound, const RehearseOptions& options,
                   Report& report, base::Problems& problems);

}  // namespace steerd::drill
