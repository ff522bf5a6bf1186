// A live drill from scenario to report: the real world started, its population led through the
// events on real time, and what was written down counted by the same Measure as a virtual drill's
// streams. Nothing here decides anything: answers come from the server, its own words tell when it
// noticed. Thread rule: one call at a time, on one thread.
#pragma once

#include <filesystem>
#include <functional>

#include "base/problem.h"
#include "drill/rehearse.h"
#include "drill/scenario.h"

namespace steerd::drill {

struct LiveDrillOptions {
    std::filesystem::path program = "/proc/self/exe";  // steerd
    std::function<bool()> cancelled;                   // asked all the time; true: end everything
    std::function<void(double)> progress;              // from 0 to 1
};

/// Takes as long as the scenario says. The report is empty where `problems` got an error.
[[nodiscard]] Report live_drill(const Scenario& scenario, const Bound& bound,
                                const LiveDrillOptions& options, base::Problems& problems);

}  // namespace steerd::drill
