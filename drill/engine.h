// The engine of a virtual drill: streams every resolver on its own through the timeline of answers
// and adds up what its clients get. No event queue and nothing stored for a resolver: its state is
// drawn from (seed, resolver), starts stationary and renews until the drill ends. Sums are
// integers, so the same seed gives the same bytes for any number of threads. It never decides
// anything: what the authority answers comes from the Timeline. Thread rule: run_engine starts and
// joins its threads; `progress` may be called from any of them, but never by two at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "drill/population.h"
#include "drill/results.h"
#include "drill/timeline.h"

namespace steerd::drill {

struct EngineOptions {
    std::uint64_t seed = 1;
    unsigned threads = 1;
    std::size_t curve_points = 600;           // at most
    std::vector<std::string> endpoint_names;  // by EndpointId
    /// By cell of the timeline and EndpointId, in ms, negative where unknown; empty: no RTT
    /// figures.
    std::vector<std::vector<double>> rtt_ms;
    /// False: each resolver jumps in its stationary state to the first change and stops at the
    /// last, which gives the same law for the clients in a fraction of the time; the load at the
    /// authority is then only known before the first event (by the formula).
    bool authority_load = true;
    /// Told the share that is done, from 0 to 1, in rising order.
    std::function<void(double)> progress;
};

/// Figures and curves of the drill. The caller adds what the engine cannot know: the words of the
/// events (in the order of timeline.events), capacities, switch-backs and flaps.
/// REQUIRES: shares of population.classes add up to 1; demands[cell.demand] exists for each cell.
[[nodiscard]] Results run_engine(const Timeline& timeline, const Population& population,
                                 std::span<const DemandSpec> demands, const EngineOptions& options);

}  // namespace steerd::drill
