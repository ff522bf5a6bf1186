// See report_html_charts.h.
#include "drill/report_html_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "drill/report_svg.h"
#include "drill/report_words.h"

namespace steerd::drill {

namespace {

/// More colours than that cannot be told apart; the rest is "others".
constexpr std::size_t kColours = 8;

std::string colour(std::size_t i) { return fmt::format("s{}", std::min(i, kColours - 1)); }

std::string share_text(double share) { return percent_text(share); }

/// Series by the sum of their values, those beyond the colours added up.
std::vector<ChartLine> strongest(std::vector<ChartLine> lines) {
    std::erase_if(lines, [](const ChartLine& line) {
        return std::all_of(line.points.begin(), line.points.end(),
                           [](const auto& point) { return point.second <= 0; });
    });
    const auto sum = [](const ChartLine& line) {
        return std::accumulate(line.points.begin(), line.points.end(), 0.0,
                               [](double s, const auto& point) { return s + point.second; });
    };
    std::stable_sort(lines.begin(), lines.end(),
                     [&](const ChartLine& a, const ChartLine& b) { return sum(a) > sum(b); });
    if (lines.size() > kColours) {
        ChartLine& others = lines[kColours - 1];
        others.name = fmt::format("{} others", lines.size() - kColours + 1);
        for (std::size_t i = kColours; i < lines.size(); ++i) {
            for (std::size_t k = 0; k < others.points.size(); ++k) {
                others.points[k].second += lines[i].points[k].second;
            }
        }
        lines.resize(kColours);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        lines[i].css = colour(i);
    }
    return lines;
}

std::vector<ChartMark> event_marks(const Report& report) {
    std::vector<ChartMark> out;
    for (const EventFigures& event : report.results.events) {
        out.push_back({event.at_s, event_text(event), event.takes_out ? "mark bad" : "mark good"});
    }
    return out;
}

/// Events change things at once: the values just before are drawn up to them.
ChartLine with_steps(ChartLine line, const Results& results) {
    constexpr double kJustBefore = 1e-6;
    Points out;
    for (const auto& point : line.points) {
        const bool at_event = std::any_of(
            results.events.begin(), results.events.end(),
            [&](const EventFigures& event) { return std::abs(event.at_s - point.first) < 1e-9; });
        if (at_event && !out.empty()) {
            out.emplace_back(point.first - kJustBefore, out.back().second);
        }
        out.push_back(point);
    }
    line.points = std::move(out);
    return line;
}

/// Means over even parts of the drill, for what is counted and not followed.
Points smoothed(const Points& points, double duration) {
    constexpr std::size_t kParts = 150;
    std::vector<double> sums(kParts);
    std::vector<double> weights(kParts);
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
        const double length = points[i + 1].first - points[i].first;
        const double middle = points[i].first + length / 2;
        const auto part = static_cast<std::size_t>(middle / duration * double{kParts});
        sums[std::min(part, kParts - 1)] += points[i].second * length;
        weights[std::min(part, kParts - 1)] += length;
    }
    Points out;
    for (std::size_t i = 0; i < kParts; ++i) {
        if (weights[i] > 0) {
            out.emplace_back(duration * (static_cast<double>(i) + 0.5) / double{kParts},
                             sums[i] / weights[i]);
        }
    }
    return out;
}

}  // namespace

std::string timeline_strip(const Report& report) {
    auto marks = event_marks(report);
    for (std::size_t i = 0; i < marks.size(); ++i) {
        marks[i].text = moment_text(report.results.events[i].at_s) + " " + marks[i].text;
    }
    return strip_svg("what happens when", std::move(marks), 0, report.duration_s);
}

std::string event_strip(const EventFigures& event) {
    std::vector<ChartMark> marks{{0, event_text(event), "mark bad"}};
    double last = 10;
    const auto add = [&](const std::optional<double>& at, const char* what, const char* css) {
        if (at) {
            marks.push_back({*at, fmt::format("{} {:.1f} s", what, *at), css});
            last = std::max(last, *at);
        }
    };
    add(event.first_failed_s, "first failed check", "mark");
    add(event.detect_s, "noticed", "mark");
    add(event.switch_s, "answers moved", "mark");
    add(event.moved.p50, "50 %", "mark good");
    add(event.moved.p90, "90 %", "mark good");
    add(event.moved.p95, "95 %", "mark good");
    add(event.moved.p99, "99 % of clients moved", "mark good");
    return strip_svg("seconds after the " + event_text(event), std::move(marks), 0, last * 1.04);
}

std::string dead_chart(const Report& report, const EventFigures* event) {
    const Results& results = report.results;
    Chart chart;
    chart.title = "share of all demand that is on what is out";
    chart.x_to = report.duration_s;
    chart.marks = event_marks(report);
    if (event != nullptr) {
        const double window = window_of(report, *event);
        chart.x_from = std::max(0.0, event->at_s - window * 0.04);
        chart.x_to = event->at_s + window;
        chart.marks = {{event->at_s, event_text(*event), "mark bad"}};
        if (event->switch_s) {
            chart.marks.push_back({event->at_s + *event->switch_s, "answers moved", "mark"});
        }
    }
    chart.y_text = share_text;
    for (std::size_t i = 0; i < results.classes.size(); ++i) {
        ChartLine area{results.classes[i], "", {}};
        for (const CurvePoint& point : results.curve) {
            area.points.emplace_back(point.t_s, i < point.by_class.size() ? point.by_class[i] : 0);
        }
        chart.areas.push_back(with_steps(std::move(area), results));
    }
    chart.areas = strongest(std::move(chart.areas));
    if (chart.areas.empty()) {
        return "<p>No demand is on anything that is out.</p>\n";
    }
    ChartLine theory{"closed form", "theory", {}};
    for (const CurvePoint& point : results.closed_form) {
        // One line for each event: they do not meet.
        if (event == nullptr || (point.t_s >= event->at_s && point.t_s <= chart.x_to)) {
            theory.points.emplace_back(point.t_s, point.clients_on_dead);
        }
    }
    auto legend = chart.areas;
    if (!theory.points.empty() && event != nullptr) {
        chart.lines.push_back(theory);
        legend.push_back(theory);
    }
    return legend_html(legend) + chart_svg(chart);
}

std::string load_chart(const Report& report) {
    const Results& results = report.results;
    Chart chart;
    chart.title = "requests per second at each endpoint";
    chart.x_to = report.duration_s;
    chart.marks = event_marks(report);
    for (std::size_t i = 0; i < results.endpoints.size(); ++i) {
        if (!results.load.contains(results.endpoints[i])) {
            continue;
        }
        ChartLine line{results.endpoints[i], colour(chart.lines.size()), {}};
        for (const CurvePoint& point : results.curve) {
            if (i < point.load_qps.size()) {
                line.points.emplace_back(point.t_s, point.load_qps[i]);
            }
        }
        chart.lines.push_back(std::move(line));
    }
    auto legend = chart.lines;
    for (const ChartLine& line : std::vector(legend)) {
        const auto& load = results.load.at(line.name);
        if (load.capacity && load.peak_qps > *load.capacity * 0.8) {
            chart.lines.push_back({line.name + ": capacity",
                                   line.css + " capacity",
                                   {{0, *load.capacity}, {report.duration_s, *load.capacity}}});
            legend.push_back({line.name + ": capacity", "capacity", {}});
        }
    }
    return legend_html(legend) + chart_svg(chart);
}

std::string authoritative_chart(const Report& report) {
    Chart chart;
    chart.title = "queries per second at the authoritative server";
    chart.x_to = report.duration_s;
    chart.height = 180;
    chart.marks = event_marks(report);
    ChartLine line{"queries at the server", "s0", {}};
    for (const CurvePoint& point : report.results.curve) {
        line.points.emplace_back(point.t_s, point.authoritative_qps);
    }
    line.points = smoothed(line.points, report.duration_s);
    chart.lines.push_back(std::move(line));
    return chart_svg(chart);
}

std::string sweep_chart(const Report& report) {
    std::vector<ScatterPoint> points;
    for (const SweepPoint& point : report.sweep) {
        std::string text = moment_text(point.ttl_s);
        text += point.ttl_min_s ? " to " + moment_text(*point.ttl_min_s) : "";
        text += point.interval_s > 0 ? " / " + moment_text(point.interval_s) : "";
        text += fmt::format(" / {}", point.fall);
        points.push_back({point.authoritative_qps, point.error_seconds_per_client, std::move(text),
                          point.pareto});
    }
    return scatter_svg("cost against exposure", "queries per second at the server",
                       "error seconds per client (ttl / interval / fall)", points);
}

}  // namespace steerd::drill
