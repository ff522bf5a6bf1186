// CNAME targets that lead back to themselves through our own zones: static CNAME and DNAME records
// and steered names with CNAME members, followed as a resolver would. Load time only.
//
// Deliberately follows a chain no further than a few hundred names: no resolver does either.
// Thread rule: load plane, one thread.
#pragma once

#include "base/problem.h"
#include "policy/plan.h"

namespace steerd::policy {

/// An error at each steered name that has such a target under its route, with the chain in full.
/// REQUIRES: plan.trees, steered, zones and zone_set are there.
void find_cname_loops(const Plan& plan, base::Problems& problems);

}  // namespace steerd::policy
