// The grid of a sweep: each point is the same drill under a plan with other TTLs or other timing of
// probes, compiled as a reload would compile it.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/text.h"
#include "drill/rehearse.h"
#include "drill/replan.h"

namespace steerd::drill {

using config::index;

namespace {

/// One choice; nullopt leaves the configuration's own value.
struct Choice {
    std::optional<base::Duration> ttl, ttl_min, interval;
    std::optional<std::uint32_t> fall;
};

template <typename T>
std::vector<std::optional<T>> options_of(const std::vector<T>& values) {
    if (values.empty()) {
        return {std::nullopt};
    }
    return {values.begin(), values.end()};
}

std::vector<Choice> choices_of(const SweepGrid& grid) {
    std::vector<Choice> out;
    for (const auto& ttl : options_of(grid.ttl)) {
        for (const auto& ttl_min : options_of(grid.ttl_min)) {
            for (const auto& interval : options_of(grid.interval)) {
                for (const auto& fall : options_of(grid.fall)) {
                    out.push_back({ttl, ttl_min, interval, fall});
                }
            }
        }
    }
    return out;
}

std::uint32_t whole_seconds(base::Duration duration) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

/// Each once.
void add_note(std::string& note, const std::string& text) {
    if (note.find(text) == std::string::npos) {
        note += (note.empty() ? "" : ", ") + text;
    }
}

void edit_steer(const Choice& choice, config::SteerConfig& steer, std::string& note) {
    if (choice.ttl) {
        steer.ttl_s = whole_seconds(*choice.ttl);
    }
    if (choice.ttl_min) {
        steer.ttl_min_s.reset();
        if (*choice.ttl_min > base::Duration{}) {
            steer.ttl_min_s = whole_seconds(*choice.ttl_min);
        }
    }
    if (steer.ttl_min_s && *steer.ttl_min_s > steer.ttl_s) {
        steer.ttl_min_s = steer.ttl_s;
        add_note(note, fmt::format("ttl_min lowered to {}s", steer.ttl_s));
    }
}

/// Timings that would exceed the interval are lowered with it.
void edit_probe(const Choice& choice, health::ProbeSpec& spec, std::string& note) {
    spec.fall = choice.fall.value_or(spec.fall);
    if (!choice.interval) {
        return;
    }
    spec.interval = *choice.interval;
    const auto lower = [&](base::Duration& value, std::string_view what) {
        if (value > spec.interval) {
            value = spec.interval;
            add_note(note,
                     fmt::format("{} lowered to {}", what, base::format_duration(spec.interval)));
        }
    };
    lower(spec.timeout, "timeout");
    lower(spec.fast_interval, "fast_interval");
    if (spec.slow_after && *spec.slow_after >= spec.timeout) {
        spec.slow_after.reset();  // nothing passes that late any more
    }
}

std::shared_ptr<const policy::Plan> plan_for(const Choice& choice, const Bound& bound,
                                             std::string& note, base::Problems& problems) {
    const auto& owner = bound.plan->steered[index(bound.steered)].owner;
    return replanned(
        *bound.plan,
        [&](config::Model& model) {
            for (config::ProbeConfig& probe : model.probes) {
                auto spec = std::make_shared<health::ProbeSpec>(*probe.spec);
                edit_probe(choice, *spec, note);
                probe.spec = std::move(spec);
            }
        },
        [&](config::SteerConfig& steer) {
            if (steer.owner == owner) {
                edit_steer(choice, steer, note);
            }
        },
        problems);
}

/// What is in force: of the first probe under the name.
void describe(const Bound& bound, SweepPoint& point) {
    const policy::SteeredName& name = bound.plan->steered[index(bound.steered)];
    point.ttl_s = name.ttl_s;
    if (name.ttl_min_s > 0) {
        point.ttl_min_s = name.ttl_min_s;
    }
    for (const auto endpoint : bound.plan->trees[index(name.tree)].endpoints) {
        const auto& probes = bound.plan->model->endpoint(endpoint).probes;
        if (!probes.empty()) {
            const auto& spec = *bound.plan->model->probes[index(probes.front())].spec;
            point.interval_s = std::chrono::duration<double>(spec.interval).count();
            point.fall = spec.fall;
            return;
        }
    }
}

/// What the choice costs at the server while nothing is wrong; where something is from the start,
/// over the rest.
double cost_of(const Results& results) {
    return results.authoritative_before_qps.value_or(
        results.authoritative_during_qps.value_or(results.authoritative_after_qps.value_or(0)));
}

/// The worst over the events that take endpoints out; one without a value is worse than any.
void take_worst(const Results& results, SweepPoint& point) {
    bool first = true;
    const auto worse = [&](std::optional<double>& worst, const std::optional<double>& next) {
        worst =
            first ? next : (worst && next ? std::optional(std::max(*worst, *next)) : std::nullopt);
    };
    for (const EventFigures& event : results.events) {
        point.requests_lost += event.requests_lost;
        if (event.requests > 0) {
            point.lost_share = std::max(point.lost_share, static_cast<double>(event.requests_lost) /
                                                              static_cast<double>(event.requests));
        }
        if (!event.takes_out || event.target == "server") {
            continue;
        }
        worse(point.detect_s, event.detect_s);
        worse(point.switch_s, event.switch_s);
        worse(point.p50_s, event.moved.p50);
        worse(point.p95_s, event.moved.p95);
        worse(point.p99_s, event.moved.p99);
        worse(point.residual_15m, event.residual.after_15m);
        point.error_seconds_per_client =
            std::max(point.error_seconds_per_client, event.error_seconds_per_client);
        first = false;
    }
}

void mark_pareto(std::vector<SweepPoint>& points) {
    const auto key = [](const SweepPoint& point) {
        return std::tuple(point.authoritative_qps,
                          point.p99_s.value_or(std::numeric_limits<double>::infinity()),
                          point.requests_lost);
    };
    for (SweepPoint& point : points) {
        point.pareto = std::none_of(points.begin(), points.end(), [&](const SweepPoint& other) {
            const auto [cost, p99, lost] = key(other);
            const auto [my_cost, my_p99, my_lost] = key(point);
            return cost <= my_cost && p99 <= my_p99 && lost <= my_lost && key(other) != key(point);
        });
    }
}

}  // namespace

std::vector<SweepPoint> sweep(const Scenario& scenario, const Bound& bound, const SweepGrid& grid,
                              const RehearseOptions& options, base::Problems& problems) {
    const auto choices = choices_of(grid);
    std::vector<SweepPoint> out;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        SweepPoint point;
        Bound with = bound;
        with.plan = plan_for(choices[i], bound, point.note, problems);
        if (with.plan == nullptr) {
            return {};
        }
        RehearseOptions mine = options;
        mine.only_exposure = true;
        if (options.progress) {
            mine.progress = [&, i](double share) {
                options.progress((static_cast<double>(i) + share) /
                                 static_cast<double>(choices.size()));
            };
        }
        const Report report = rehearse(scenario, with, mine, problems);
        if (problems.has_errors()) {
            return {};
        }
        describe(with, point);
        point.authoritative_qps = cost_of(report.results);
        take_worst(report.results, point);
        out.push_back(std::move(point));
    }
    mark_pareto(out);
    return out;
}

}  // namespace steerd::drill
