// See report_html_charts.h.
#include "drill/report_html_charts.h"

#include <fmt/format.h>

#include <algorithm>
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

/// Until an event's share is down to 1 %, with a margin; else to its end.
double window_of(const Report& report, const EventFigures& event) {
    double end = report.duration_s;
    for (const EventFigures& other : report.results.events) {
        if (other.at_s > event.at_s && !other.takes_out) {
            end = std::min(end, other.at_s);
        }
    }
    const double length = end - event.at_s;
    return event.moved.p99 ? std::min(length, std::max(30.0, *event.moved.p99 * 1.3)) : length;
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
        chart.areas.push_back(std::move(area));
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
    for (const ChartLine& line : legend) {
        const auto& load = results.load.at(line.name);
        if (load.capacity && load.peak_qps > *load.capacity * 0.8) {
            chart.lines.push_back({line.name + ": capacity",
                                   line.css + " capacity",
                                   {{0, *load.capacity}, {report.duration_s, *load.capacity}}});
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
    chart.lines.push_back(std::move(line));
    return chart_svg(chart);
}

std::string sweep_chart(const Report& report) {
    std::vector<ScatterPoint> points;
    for (const SweepPoint& point : report.sweep) {
        if (point.p99_s) {
            points.push_back(
                {point.authoritative_qps, *point.p99_s,
                 fmt::format("ttl {}{}, interval {}, fall {}", moment_text(point.ttl_s),
                             point.ttl_min_s ? " to " + moment_text(*point.ttl_min_s) : "",
                             moment_text(point.interval_s), point.fall),
                 point.pareto});
        }
    }
    return points.empty() ? "<p>No choice moves 99 % of the clients within the drill.</p>\n"
                          : scatter_svg("cost against exposure", "queries per second at the server",
                                        "seconds until 99 % have moved", points);
}

}  // namespace steerd::drill
