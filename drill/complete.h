// What a report says besides the engine's figures, however the drill was run: the words of the
// scenario, capacities, the closed form, what the run assumed. Thread rule: pure functions.
#pragma once

#include <vector>

#include "drill/population.h"
#include "drill/rehearse.h"
#include "drill/virtual.h"

namespace steerd::drill {

[[nodiscard]] std::vector<DemandSpec> demands_of(const Scenario& scenario);

/// Adds to the engine's figures in `report.results`. REQUIRES: they are of this run.
void complete_report(const Scenario& scenario, const Bound& bound, const VirtualRun& run,
                     Report& report);

}  // namespace steerd::drill
