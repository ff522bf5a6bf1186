// See rehearse_countdown.h. The plan without the countdown is compiled as a reload would compile
// it; clients are followed until they have moved, as in a sweep: the load at the server is not
// asked.
#include "drill/rehearse_countdown.h"

#include <algorithm>

#include "drill/replan.h"

namespace steerd::drill {

using config::index;

namespace {

std::optional<double> after(const std::optional<double>& moment, double switch_s) {
    return moment ? std::optional(std::max(0.0, *moment - switch_s)) : std::nullopt;
}

Quantiles after(const Quantiles& moved, double switch_s) {
    return {after(moved.p50, switch_s), after(moved.p90, switch_s), after(moved.p95, switch_s),
            after(moved.p99, switch_s)};
}

CountdownEvent compared(std::size_t number, const EventFigures& counting,
                        const EventFigures& fixed) {
    CountdownEvent out;
    out.event = number;
    if (counting.first_failed_s) {
        out.window_s = *counting.switch_s - *counting.first_failed_s;
    }
    out.counting = after(counting.moved, *counting.switch_s);
    out.fixed = after(fixed.moved, *fixed.switch_s);
    for (const auto& [name, figures] : counting.by_class) {
        out.p99_by_class[name][0] = after(figures.moved.p99, *counting.switch_s);
    }
    for (const auto& [name, figures] : fixed.by_class) {
        out.p99_by_class[name][1] = after(figures.moved.p99, *fixed.switch_s);
    }
    return out;
}

}  // namespace

void add_countdown(const Scenario& scenario, const Bound& bound, const RehearseOptions& options,
                   Report& report, base::Problems& problems) {
    const policy::SteeredName& name = bound.plan->steered[index(bound.steered)];
    if (name.ttl_min_s == 0 || name.ttl_min_s >= name.ttl_s) {
        return;
    }
    Bound without = bound;
    without.plan = replanned(
        *bound.plan, nullptr,
        [&](config::SteerConfig& steer) {
            if (steer.owner == name.owner) {
                steer.ttl_min_s.reset();
            }
        },
        problems);
    if (without.plan == nullptr) {
        return;
    }
    RehearseOptions quick = options;
    quick.only_exposure = true;
    quick.progress = nullptr;
    const Report fixed = rehearse(scenario, without, quick, problems);
    CountdownFigures figures{name.ttl_s, name.ttl_min_s, {}};
    const auto& counting = report.results.events;
    for (std::size_t i = 0; i < std::min(counting.size(), fixed.results.events.size()); ++i) {
        const EventFigures& other = fixed.results.events[i];
        if (counting[i].takes_out && counting[i].share_on_it > 0 && counting[i].switch_s &&
            other.switch_s) {
            figures.events.push_back(compared(i, counting[i], other));
        }
    }
    report.results.countdown = std::move(figures);
}

}  // namespace steerd::drill
