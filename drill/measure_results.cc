// From counts to figures. A quantile is the moment after which the share never again rises above
// its limit, read off a grid of 0.1 s and straight between its points.
#include <algorithm>
#include <numeric>
#include <set>

#include "drill/engine.h"
#include "drill/measure.h"

namespace steerd::drill {

namespace {

using Counts = std::vector<std::int64_t>;

constexpr double kNoTime = 2e-6;

/// Changes of a row (`points` + 1 long) to values.
Counts values_of(const Counts& changes, std::size_t row, std::size_t points) {
    Counts values(points);
    const auto first = changes.begin() + static_cast<std::ptrdiff_t>(row * (points + 1));
    std::partial_sum(first, first + static_cast<std::ptrdiff_t>(points), values.begin());
    return values;
}

std::optional<double> stays_at_or_below(const Counts& on, double limit, double step) {
    std::size_t above = on.size();
    while (above > 0 && static_cast<double>(on[above - 1]) > limit) {
        --above;
    }
    if (above < on.size()) {
        return std::nullopt;  // still above at the end
    }
    while (above > 0 && static_cast<double>(on[above - 1]) <= limit) {
        --above;
    }
    if (above == 0) {
        return 0.0;
    }
    const auto high = static_cast<double>(on[above - 1]);
    const auto low = static_cast<double>(on[above]);
    return (static_cast<double>(above - 1) + (high - limit) / (high - low)) * step;
}

Quantiles quantiles_of(const Counts& on, double step) {
    const auto all = static_cast<double>(on.front());
    if (all <= 0) {
        return Quantiles{0.0, 0.0, 0.0, 0.0};  // nobody was on it, so nobody is left
    }
    return Quantiles{
        stays_at_or_below(on, all * 0.50, step), stays_at_or_below(on, all * 0.10, step),
        stays_at_or_below(on, all * 0.05, step), stays_at_or_below(on, all * 0.01, step)};
}

Residual residual_of(const Counts& on, double step) {
    const auto at = [&](double t) -> std::optional<double> {
        const auto point = static_cast<std::size_t>(t / step + 0.5);
        if (point >= on.size() || on.front() <= 0) {
            return std::nullopt;
        }
        return static_cast<double>(on[point]) / static_cast<double>(on.front());
    };
    return Residual{at(900), at(3600), at(86400)};
}

std::optional<double> since(base::Mono at, const EventPlan& event) {
    const double t = seconds(at);
    if (t == kForever || t > event.ends) {
        return std::nullopt;
    }
    // What an order at the very beginning changes does so a moment later, so that caches are found
    // as before it.
    const double after = t - event.at;
    return after < kNoTime ? 0 : after;
}

std::uint64_t whole(double value) {
    return static_cast<std::uint64_t>(std::llround(std::max(0.0, value)));
}

EventFigures figures_of(const EventTimes& times, const EventPlan& event,
                        const Measure::EventCount& count, const MeasurePlan& plan,
                        std::int64_t total_rate) {
    EventFigures figures;
    figures.at_s = event.at;
    figures.takes_out = times.takes_out;
    figures.first_failed_s = since(times.first_failed, event);
    figures.detect_s = since(times.detected, event);
    figures.switch_s = since(times.switched, event);
    const double length = event.ends - event.at;
    const auto total = static_cast<double>(total_rate);
    figures.requests = whole(total * kRateUnit * length);
    if (!times.takes_out) {
        return figures;
    }
    Counts on(event.points);
    for (std::size_t group = 0; group < plan.classes.size(); ++group) {
        const Counts mine = values_of(count.on, group, event.points);
        std::transform(mine.begin(), mine.end(), on.begin(), on.begin(), std::plus<>());
        if (mine.front() > 0) {
            figures.by_class[plan.classes[group]] =
                ClassFigures{quantiles_of(mine, event.step), residual_of(mine, event.step)};
        }
    }
    figures.moved = quantiles_of(on, event.step);
    figures.residual = residual_of(on, event.step);
    figures.share_on_it = total > 0 ? static_cast<double>(on.front()) / total : 0;
    const double lost_there = static_cast<double>(count.lost) * kRequestUnit;
    // Clients that never had an answer are no loss of this event.
    const double unserved = static_cast<double>(count.unserved) * kRequestUnit -
                            static_cast<double>(count.unserved_rate) * kRateUnit * length;
    const double lost = lost_there + std::max(0.0, unserved);
    figures.requests_lost = whole(lost);
    // Everyone depends on the server.
    const double rate_there = (event.server ? total : static_cast<double>(on.front())) * kRateUnit;
    figures.error_seconds_per_client = rate_there > 0 ? lost / rate_there : 0;
    return figures;
}

/// At most `most` points of the grid: even over the drill, and dense after each event.
std::vector<std::size_t> chosen_points(const MeasurePlan& plan, std::size_t most) {
    std::set<std::size_t> chosen{0, plan.points - 1};
    if (plan.points <= most) {
        for (std::size_t k = 0; k < plan.points; ++k) {
            chosen.insert(k);
        }
        return {chosen.begin(), chosen.end()};
    }
    const auto add = [&](double t) {
        const auto k = static_cast<std::size_t>(std::ceil(std::max(0.0, t) / plan.step - 1e-9));
        if (chosen.size() < most) {
            chosen.insert(std::min(k, plan.points - 1));
        }
    };
    const std::size_t even = most / 2;
    for (std::size_t k = 0; k < even; ++k) {
        add(plan.duration * static_cast<double>(k) / static_cast<double>(even));
    }
    const std::size_t each = (most - even) / std::max<std::size_t>(1, plan.events.size());
    for (const EventPlan& event : plan.events) {
        for (std::size_t k = 0; k + 1 < each; ++k) {
            // Squares: dense at first, out to 15 minutes.
            const double part = static_cast<double>(k) / static_cast<double>(each);
            add(event.at + 900 * part * part);
        }
        add(event.ends);
    }
    return {chosen.begin(), chosen.end()};
}

void add_load(const MeasurePlan& plan, const std::vector<Counts>& demand, Results& results) {
    std::vector<bool> used(plan.endpoints);
    std::vector<std::vector<double>> load(plan.endpoints, std::vector<double>(plan.points));
    for (std::size_t state = 0; state < plan.states; ++state) {
        for (const Use& use : plan.use[state]) {
            used[use.endpoint] = true;
            for (std::size_t k = 0; k < plan.points; ++k) {
                load[use.endpoint][k] +=
                    static_cast<double>(demand[state][k]) * kRateUnit * use.share;
            }
        }
    }
    for (std::size_t endpoint = 0; endpoint < plan.endpoints; ++endpoint) {
        if (!used[endpoint]) {
            continue;
        }
        LoadFigures figures;
        double sum = 0;
        std::size_t points = 0;
        for (; points < plan.points; ++points) {
            const double t = static_cast<double>(points) * plan.step;
            if (points > 0 && t >= plan.first_event) {
                break;
            }
            sum += load[endpoint][points];
        }
        figures.before_qps = sum / static_cast<double>(points);
        figures.peak_qps = *std::max_element(load[endpoint].begin(), load[endpoint].end());
        results.load[results.endpoints[endpoint]] = figures;
    }
    for (CurvePoint& point : results.curve) {
        const auto k = static_cast<std::size_t>(point.t_s / plan.step + 0.5);
        for (std::size_t endpoint = 0; endpoint < plan.endpoints; ++endpoint) {
            point.load_qps.push_back(load[endpoint][k]);
        }
    }
}

void add_curve(const MeasurePlan& plan, const Measure& counts, std::size_t most, Results& results) {
    const std::vector<std::size_t> chosen = chosen_points(plan, most);
    std::vector<Counts> dead;
    for (std::size_t group = 0; group < plan.classes.size(); ++group) {
        dead.push_back(values_of(counts.dead, group, plan.points));
    }
    const auto total = std::max(1.0, static_cast<double>(counts.total_rate));
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        CurvePoint point;
        point.t_s = static_cast<double>(chosen[i]) * plan.step;
        for (const Counts& one : dead) {
            point.by_class.push_back(static_cast<double>(one[chosen[i]]) / total);
            point.clients_on_dead += point.by_class.back();
        }
        const std::size_t next = i + 1 < chosen.size() ? chosen[i + 1] : plan.points;
        std::int64_t fetches = 0;
        for (std::size_t k = chosen[i]; k < next; ++k) {
            fetches += counts.fetches()[k];
        }
        const double until = std::min(static_cast<double>(next) * plan.step, plan.duration);
        // The last point stands at the end, where no time is left to count in.
        point.authoritative_qps =
            until > point.t_s ? static_cast<double>(fetches) * kCacheUnit / (until - point.t_s)
            : i > 0           ? results.curve.back().authoritative_qps
                              : 0;
        results.curve.push_back(std::move(point));
    }
}

void add_places(const MeasurePlan& plan, const Measure& counts, Results& results) {
    for (std::size_t i = 0; i < plan.places.size(); ++i) {
        const Measure::PlaceCount& count = counts.places[i];
        RegionFigures figures;
        figures.place = plan.places[i];
        figures.qps = static_cast<double>(count.rate) * kRateUnit;
        figures.requests_lost = whole(static_cast<double>(count.lost) * kRequestUnit);
        const auto rtt = [&](int phase) -> std::optional<double> {
            if (count.timed[phase] <= 0) {
                return std::nullopt;
            }
            return static_cast<double>(count.rtt[phase]) / static_cast<double>(count.timed[phase]);
        };
        figures.rtt_before_ms = rtt(0);
        figures.rtt_during_ms = rtt(1);
        results.regions.push_back(std::move(figures));
    }
}

}  // namespace

Results results_of(const Timeline& timeline, const MeasurePlan& plan, const Measure& counts,
                   const EngineOptions& options) {
    Results results;
    results.seed = options.seed;
    results.classes = plan.classes;
    results.switches = timeline.switches;
    results.endpoints = options.endpoint_names;
    while (results.endpoints.size() < plan.endpoints) {
        results.endpoints.push_back("endpoint-" + std::to_string(results.endpoints.size()));
    }
    for (std::size_t i = 0; i < plan.events.size(); ++i) {
        results.events.push_back(figures_of(timeline.events[i], plan.events[i], counts.events[i],
                                            plan, counts.total_rate));
    }
    const double ends[3] = {std::min(plan.first_event, plan.duration),
                            std::min(plan.during_ends, plan.duration), plan.duration};
    const auto rate = [&](std::size_t phase) -> std::optional<double> {
        const double length = ends[phase] - (phase == 0 ? 0 : ends[phase - 1]);
        if (length <= 0) {
            return std::nullopt;
        }
        return static_cast<double>(counts.fetches_in(phase)) * kCacheUnit / length;
    };
    add_curve(plan, counts, std::max<std::size_t>(2, options.curve_points), results);
    if (options.authority_load) {
        results.authoritative_before_qps = rate(0);
        results.authoritative_during_qps = rate(1);
        results.authoritative_after_qps = rate(2);
    } else {
        results.authoritative_before_qps = static_cast<double>(counts.formula_fetches) * kCacheUnit;
        for (CurvePoint& point : results.curve) {
            point.authoritative_qps = 0;  // caches that jump and stop leave no load to count
        }
    }
    std::vector<Counts> demand;
    for (std::size_t state = 0; state < plan.states; ++state) {
        demand.push_back(values_of(counts.demand, state, plan.points));
    }
    add_load(plan, demand, results);
    add_places(plan, counts, results);
    return results;
}

}  // namespace steerd::drill
