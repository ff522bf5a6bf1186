// From scenario to report.
#include "drill/rehearse.h"

#include "drill/complete.h"
#include "drill/engine.h"
#include "drill/rehearse_countdown.h"
#include "drill/virtual.h"

namespace steerd::drill {

Report rehearse(const Scenario& scenario, const Bound& bound, const RehearseOptions& options,
                base::Problems& problems) {
    const std::size_t errors = problems.error_count();
    const VirtualRun run = run_virtual(scenario, bound, problems);
    Report report;
    if (problems.error_count() > errors) {
        return report;
    }
    EngineOptions engine;
    engine.seed = scenario.seed;
    engine.threads = options.threads;
    engine.authority_load = !options.only_exposure;
    engine.rtt_ms = run.rtt_ms;
    engine.progress = options.progress;
    for (const policy::Endpoint& endpoint : bound.plan->endpoints) {
        engine.endpoint_names.push_back(endpoint.name);
    }
    const auto demands = demands_of(scenario);
    report.results = run_engine(run.timeline, scenario.population, demands, engine);
    complete_report(scenario, bound, run, report);
    if (!options.only_exposure) {
        add_countdown(scenario, bound, options, report, problems);
    }
    report.verdicts = judge(scenario.expect, report.results);
    return report;
}

}  // namespace steerd::drill
