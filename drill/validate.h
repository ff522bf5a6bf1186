// Holds the simulation to account with real resolvers: those that are installed run as caches in
// front of a live server (live_world.h), are asked for hundreds of names side by side, and an
// endpoint behind these names is killed. Their lives, the moments at which each name changed and
// the share of old answers are laid over the simulated cache and the closed form.
// A resolver outside a bound is run once more on fresh data, since a bound at the 1 % level is
// broken now and then by chance, and fails where both runs do.
// What the validation breaks is what the scenario's first event takes out; the rest of the
// scenario does not happen in it. Thread rule: one thread, which starts the processes.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "base/problem.h"
#include "drill/scenario.h"
#include "drill/validate_figures.h"

namespace steerd::drill {

struct ValidateOptions {
    std::filesystem::path program = "/proc/self/exe";  // steerd
    std::function<void(double)> progress;              // from 0 to 1
    /// Asked now and then; true: give up.
    std::function<bool()> cancelled;
};

/// Takes one to two minutes of real time. nullopt where `problems` got an error.
[[nodiscard]] std::optional<Validation> validate(const Scenario& scenario, const Bound& bound,
                                                 const ValidateOptions& options,
                                                 base::Problems& problems);

}  // namespace steerd::drill
