// See complete.h.
#include "drill/complete.h"

#include <fmt/format.h>

#include <cmath>

#include "drill/closed_form.h"

namespace steerd::drill {

namespace {

void add_words(const Scenario& scenario, const VirtualRun& run, Results& results) {
    for (std::size_t i = 0; i < results.events.size(); ++i) {
        EventFigures& figures = results.events[i];
        const ScenarioEvent& event = scenario.events[run.timeline.events[i].event];
        figures.what = to_text(event.kind);
        figures.target = event.target;
        figures.switch_back_s = run.stories[i].switch_back_s;
        figures.flaps = run.stories[i].flaps;
        if (event.on_server()) {
            figures.moved = {};  // there is nothing to move away from
            figures.residual = {};
            figures.by_class.clear();
        }
    }
}

void add_capacities(const config::Model& model, Results& results) {
    for (const config::EndpointConfig& endpoint : model.endpoints) {
        const auto load = results.load.find(endpoint.name);
        if (!endpoint.capacity || load == results.load.end()) {
            continue;
        }
        load->second.capacity = endpoint.capacity;
        if (load->second.peak_qps > *endpoint.capacity) {
            results.notes.push_back(fmt::format(
                "Warning: {} gets up to {:.0f} requests/s, above its capacity of {:.0f}",
                endpoint.name, load->second.peak_qps, *endpoint.capacity));
        }
    }
}

/// Of all events after each other; where two overlap, of the first.
void add_closed_form(const Scenario& scenario, const VirtualRun& run,
                     const std::vector<DemandSpec>& demands, Results& results) {
    double done = 0;
    for (const EventTimes& event : run.timeline.events) {
        std::vector<double> times;
        for (const CurvePoint& point : results.curve) {
            if (point.t_s >= done) {
                times.push_back(point.t_s);
            }
        }
        const auto curve =
            closed_form_curve(run.timeline, scenario.population, demands, event, times);
        results.closed_form.insert(results.closed_form.end(), curve.begin(), curve.end());
        if (!curve.empty()) {
            done = std::nextafter(curve.back().t_s, 1e18);
        }
    }
}

}  // namespace

std::vector<DemandSpec> demands_of(const Scenario& scenario) {
    std::vector<DemandSpec> out;
    for (const ScenarioDemand& demand : scenario.demands) {
        out.push_back(demand.spec);
    }
    return out;
}

void complete_report(const Scenario& scenario, const Bound& bound, const VirtualRun& run,
                     Report& report) {
    report.scenario = scenario.file.string();
    report.name = bound.name.to_text();
    report.type = scenario.type == AskedType::A ? "A" : "AAAA";
    report.duration_s = std::chrono::duration<double>(scenario.duration).count();
    report.population = scenario.population_name;
    Results& results = report.results;
    add_words(scenario, run, results);
    add_capacities(*bound.plan->model, results);
    add_closed_form(scenario, run, demands_of(scenario), results);
    results.assumptions.insert(results.assumptions.begin(), run.assumptions.begin(),
                               run.assumptions.end());
    results.notes.insert(results.notes.end(), run.notes.begin(), run.notes.end());
}

}  // namespace steerd::drill
