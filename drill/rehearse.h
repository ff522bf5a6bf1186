// A whole drill in one call: control on virtual time, resolvers through its timeline, the closed
// form beside them, verdicts. Thread rule: one call at a time; it starts and joins its own threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/problem.h"
#include "drill/expect.h"
#include "drill/results.h"
#include "drill/scenario.h"
#include "drill/sweep_grid.h"
#include "drill/validate_figures.h"

namespace steerd::drill {

/// What one choice of a sweep costs and buys.
struct SweepPoint {
    std::uint32_t ttl_s = 0;
    std::optional<std::uint32_t> ttl_min_s;  // nullopt: no countdown
    double interval_s = 0;                   // 0: nothing is probed
    std::uint32_t fall = 0;
    double authoritative_qps = 0;               // before the first event
    std::optional<double> detect_s, switch_s;   // of the worst event
    std::optional<double> p50_s, p95_s, p99_s;  // likewise: clients moved
    std::optional<double> residual_15m;         // likewise, a share
    double error_seconds_per_client = 0;        // likewise
    std::uint64_t requests_lost = 0;            // of all events
    double lost_share = 0;                      // of the worst event
    bool pareto = false;  // no other point costs less and buys at least as much
    std::string note;     // "timeout lowered to 1s"
};

struct Report {
    std::string scenario;  // the file
    std::string name;      // asked for
    std::string type;
    double duration_s = 0;
    std::string population;  // of a preset; empty: listed
    Results results;
    std::vector<Verdict> verdicts;
    std::vector<SweepPoint> sweep;
    std::optional<Validation> validation;  // by real resolvers
};

struct RehearseOptions {
    unsigned threads = 1;
    /// Stop when the clients have moved, and take the load at the server from the formula: as a
    /// sweep does, in a fraction of the time.
    bool only_exposure = false;
    std::function<void(double)> progress;  // from 0 to 1
};

/// The report is empty where `problems` got an error.
[[nodiscard]] Report rehearse(const Scenario& scenario, const Bound& bound,
                              const RehearseOptions& options, base::Problems& problems);

/// The same drill for every point of the grid, the same seed for all; Pareto points by cost
/// against lost requests and p99.
[[nodiscard]] std::vector<SweepPoint> sweep(const Scenario& scenario, const Bound& bound,
                                            const SweepGrid& grid, const RehearseOptions& options,
                                            base::Problems& problems);

}  // namespace steerd::drill
