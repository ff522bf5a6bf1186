// Steered names that an NS record of another zone of ours names: a resolver keeps a server's
// address for all of its own clients, so it must not depend on one of them. Within one zone zones/
// looks itself. Load time only. Thread rule: load plane, one thread.
#pragma once

#include "base/problem.h"
#include "policy/plan.h"

namespace steerd::policy {

/// An error at each such steered name.
/// REQUIRES: plan.zones and zone_set are there.
void find_steered_servers(const Plan& plan, base::Problems& problems);

}  // namespace steerd::policy
