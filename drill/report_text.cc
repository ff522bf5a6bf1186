// See report_text.h.
#include "drill/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "drill/report_validation.h"
#include "drill/report_words.h"

namespace steerd::drill {

namespace {

constexpr std::size_t kPlotHeight = 12;
constexpr std::size_t kPlotMargin = 9;

/// Columns as wide as they must be, but the first no wider than the rest leaves room for; that one
/// to the left, the others to the right.
class Table {
  public:
    explicit Table(std::size_t width) : width_(width) {}

    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    [[nodiscard]] bool empty() const { return rows_.size() < 2; }

    [[nodiscard]] std::string text() const {
        std::vector<std::size_t> widths;
        for (const auto& cells : rows_) {
            widths.resize(std::max(widths.size(), cells.size()));
            for (std::size_t i = 0; i < cells.size(); ++i) {
                widths[i] = std::max(widths[i], cells[i].size());
            }
        }
        std::size_t others = 2;
        for (std::size_t i = 1; i < widths.size(); ++i) {
            others += widths[i] + 2;
        }
        const std::size_t room = std::max(kLeastName, width_ - std::min(width_, others));
        if (!widths.empty()) {
            widths[0] = std::min(widths[0], room);
        }
        std::string out;
        for (const auto& cells : rows_) {
            std::string line;
            for (std::size_t i = 0; i < cells.size(); ++i) {
                const std::string cell = cells[i].size() <= widths[i]
                                             ? cells[i]
                                             : cells[i].substr(0, widths[i] - 2) + "..";
                line += i == 0 ? fmt::format("  {:<{}}", cell, widths[i])
                               : fmt::format("  {:>{}}", cell, widths[i]);
            }
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
        return out;
    }

  private:
    static constexpr std::size_t kLeastName = 16;
    std::size_t width_;
    std::vector<std::vector<std::string>> rows_;
};

/// Without the unit, which the heading tells.
std::string plain_seconds(const std::optional<double>& seconds) {
    return seconds ? fmt::format("{:.1f}", *seconds) : "-";
}

std::vector<std::string> moved_row(std::string first, std::string detect, std::string switched,
                                   const Quantiles& moved) {
    return {std::move(first),         std::move(detect),        std::move(switched),
            plain_seconds(moved.p50), plain_seconds(moved.p90), plain_seconds(moved.p95),
            plain_seconds(moved.p99)};
}

std::string first_cell(const EventFigures& event) {
    return fmt::format("{} {}", moment_text(event.at_s), event_text(event));
}

std::string moved_table(const Results& results, std::size_t width) {
    Table table(width);
    table.row({"event", "detect", "switch", "50 %", "90 %", "95 %", "99 %"});
    for (const EventFigures& event : results.events) {
        if (!event.takes_out) {
            table.row(
                {first_cell(event), plain_seconds(event.detect_s), plain_seconds(event.switch_s)});
            continue;
        }
        table.row(moved_row(first_cell(event), plain_seconds(event.detect_s),
                            plain_seconds(event.switch_s), event.moved));
        if (event.by_class.size() > 1) {
            for (const std::string& name : classes_of(results, event)) {
                table.row(moved_row("  " + name, "", "", event.by_class.at(name).moved));
            }
        }
    }
    return "seconds after the event until it was noticed, until no answer named it, and\n"
           "until that share of the demand that was on it had moved\n" +
           table.text();
}

bool any(const Residual& left) {
    return left.after_15m.value_or(0) > 0 || left.after_1h.value_or(0) > 0 ||
           left.after_1d.value_or(0) > 0;
}

std::string left_table(const Results& results, std::size_t width) {
    Table table(width);
    table.row({"event", "15m", "1h", "1d", "lost", "error s", "back", "flaps"});
    for (const EventFigures& event : results.events) {
        if (!event.takes_out) {
            continue;
        }
        const Residual& left = event.residual;
        table.row({first_cell(event), percent_text(left.after_15m), percent_text(left.after_1h),
                   percent_text(left.after_1d), percent_text(lost_share(event)),
                   fmt::format("{:.1f}", event.error_seconds_per_client),
                   plain_seconds(event.switch_back_s), fmt::format("{}", event.flaps)});
        for (const std::string& name : classes_of(results, event)) {
            const Residual& mine = event.by_class.at(name).residual;
            if (event.by_class.size() > 1 && any(mine)) {
                table.row({"  " + name, percent_text(mine.after_15m), percent_text(mine.after_1h),
                           percent_text(mine.after_1d)});
            }
        }
    }
    if (table.empty()) {
        return {};
    }
    return "\nthe share still on it later, requests lost of all, seconds of errors for each\n"
           "client that was on it, seconds from its recovery until answers were as before\n" +
           table.text();
}

std::string events_tables(const Results& results, std::size_t width) {
    if (results.events.empty()) {
        return "  nothing happens in this drill\n";
    }
    return moved_table(results, width) + left_table(results, width);
}

/// The part of the drill that is worth a plot.
struct Window {
    double from = 0, to = 0;
};

Window worth_seeing(const Report& report) {
    Window window{report.duration_s, 0};
    for (const EventFigures& event : report.results.events) {
        if (event.takes_out) {
            const double length = window_of(report, event);
            window.from = std::min(window.from, event.at_s - length / 20);
            window.to = std::max(window.to, event.at_s + length);
        }
    }
    return {std::max(0.0, window.from), std::min(window.to, report.duration_s)};
}

/// For each column the largest value that falls into it, carried on from the one before.
std::vector<double> columns_of(const std::vector<CurvePoint>& curve, const Window& window,
                               std::size_t width, bool carry) {
    std::vector<double> out(width, -1);
    for (const CurvePoint& point : curve) {
        const double share = (point.t_s - window.from) / (window.to - window.from);
        if (share >= 0 && share <= 1) {
            const auto column = static_cast<std::size_t>(share * static_cast<double>(width));
            double& value = out[std::min(column, width - 1)];
            value = std::max(value, point.clients_on_dead);
        }
    }
    for (std::size_t i = 1; carry && i < width; ++i) {
        out[i] = out[i] < 0 ? out[i - 1] : out[i];
    }
    return out;
}

std::string axis_line(const Window& window, std::size_t width) {
    std::string line(width + kPlotMargin + 8, ' ');
    for (int quarter = 0; quarter <= 4; ++quarter) {
        const double at_s = window.from + (window.to - window.from) * quarter / 4;
        const std::string text = moment_text(std::round(at_s));
        const std::size_t at = kPlotMargin + width * static_cast<std::size_t>(quarter) / 4;
        line.replace(std::min(at, line.size() - text.size()), text.size(), text);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

std::string plot(const Report& report, const TextStyle& style) {
    const Window window = worth_seeing(report);
    if (window.from >= window.to) {
        return {};
    }
    const std::size_t width = std::max<std::size_t>(style.width, 40) - kPlotMargin - 8;
    const auto values = columns_of(report.results.curve, window, width, true);
    const auto theory = columns_of(report.results.closed_form, window, width, false);
    const double most = *std::max_element(values.begin(), values.end());
    if (most <= 0) {
        return {};
    }
    std::string out = fmt::format("\nclients on what is out, as a share of all demand{}\n",
                                  report.results.closed_form.empty() ? "" : " (o: closed form)");
    const char* block = style.terminal ? "\u2588" : "#";
    for (std::size_t row = kPlotHeight; row-- > 0;) {
        const double low = most * static_cast<double>(row) / kPlotHeight;
        const double high = most * static_cast<double>(row + 1) / kPlotHeight;
        const std::string label = row + 1 == kPlotHeight         ? percent_text(most)
                                  : (row + 1) * 2 == kPlotHeight ? percent_text(most / 2)
                                                                 : "";
        std::string line = fmt::format("{:>{}} |", label, kPlotMargin - 2);
        for (std::size_t i = 0; i < width; ++i) {
            const bool filled = values[i] > low + (high - low) / 4;
            const bool dot = theory[i] > low && theory[i] <= high * 1.001;
            line += dot ? "o" : filled ? block : " ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    out += fmt::format("{:>{}} +{}\n", "0 %", kPlotMargin - 2, std::string(width, '-'));
    return out + axis_line(window, width);
}

std::string load_table(const Results& results, std::size_t width) {
    Table table(width);
    table.row({"endpoint", "before", "peak", "capacity", "peak of capacity"});
    for (const auto& [name, load] : results.load) {
        table.row({name, count_text(load.before_qps) + "/s", count_text(load.peak_qps) + "/s",
                   load.capacity ? count_text(*load.capacity) + "/s" : "-",
                   load.capacity ? percent_text(load.peak_qps / *load.capacity) : "-"});
    }
    return table.text();
}

std::string place_table(const Results& results, std::size_t width) {
    const auto ms = [](const std::optional<double>& rtt) {
        return rtt ? fmt::format("{:.1f} ms", *rtt) : "-";
    };
    Table table(width);
    table.row({"place", "requests", "rtt before", "rtt during", "lost"});
    for (const RegionFigures& region : results.regions) {
        table.row({region.place, count_text(region.qps) + "/s", ms(region.rtt_before_ms),
                   ms(region.rtt_during_ms),
                   count_text(static_cast<double>(region.requests_lost))});
    }
    return table.text();
}

std::string sweep_table(const std::vector<SweepPoint>& points, std::size_t width) {
    Table table(width);
    table.row({"ttl", "min", "interval", "fall", "queries", "detect", "p95", "p99", "lost",
               "error s", ""});
    for (const SweepPoint& point : points) {
        table.row({moment_text(point.ttl_s), point.ttl_min_s ? moment_text(*point.ttl_min_s) : "-",
                   point.interval_s > 0 ? moment_text(point.interval_s) : "-",
                   fmt::format("{}", point.fall), count_text(point.authoritative_qps) + "/s",
                   plain_seconds(point.detect_s), plain_seconds(point.p95_s),
                   plain_seconds(point.p99_s), percent_text(point.lost_share),
                   fmt::format("{:.1f}", point.error_seconds_per_client), point.pareto ? "*" : ""});
    }
    std::string out = table.text();
    std::set<std::string> said;
    for (const SweepPoint& point : points) {
        if (!point.note.empty() && said.insert(point.note).second) {
            out += fmt::format("  so that it fits: {}\n", point.note);
        }
    }
    return out +
           "  * pareto: no other choice costs less and moves clients at least as fast with\n"
           "  no more lost\n";
}

std::string countdown_table(const Results& results, std::size_t width) {
    const CountdownFigures& countdown = *results.countdown;
    std::string out = fmt::format(
        "\ncountdown: a TTL of {} that falls to {} once a check failed, beside one "
        "that\nstays; seconds after the switch\n",
        moment_text(countdown.ttl_s), moment_text(countdown.ttl_min_s));
    Table table(width);
    table.row({"event", "TTL", "50 %", "90 %", "95 %", "99 %"});
    const auto add = [&](std::string first, const char* ttl, const Quantiles& q) {
        table.row({std::move(first), ttl, plain_seconds(q.p50), plain_seconds(q.p90),
                   plain_seconds(q.p95), plain_seconds(q.p99)});
    };
    for (const CountdownEvent& event : countdown.events) {
        add(first_cell(results.events[event.event]), "counts down", event.counting);
        add("", "stays", event.fixed);
    }
    out += table.text();
    for (const CountdownEvent& event : countdown.events) {
        out += dashed(countdown_text(countdown, event), width);
    }
    return out;
}

std::string verdict_lines(const Report& report, const TextStyle& style) {
    std::string out;
    for (const Verdict& verdict : report.verdicts) {
        const std::string word = verdict.ok ? "ok  " : "FAIL";
        const std::string shown = !style.terminal ? word
                                  : verdict.ok    ? "\x1b[32m" + word + "\x1b[0m"
                                                  : "\x1b[31;1m" + word + "\x1b[0m";
        out += fmt::format("  {}  {:<24} {:<10} {:>10}\n", shown, verdict.key, verdict.limit,
                           value_text(verdict));
    }
    return out;
}

}  // namespace

std::string report_text(const Report& report, const TextStyle& style) {
    const Results& results = report.results;
    std::string out =
        headline(report) + "\n\n" + events_tables(results, style.width) + plot(report, style);
    if (results.countdown && !results.countdown->events.empty()) {
        out += countdown_table(results, style.width);
    }
    out += "\nload: requests per second\n" + load_table(results, style.width);
    out += fmt::format("  queries at the server: {} before, {} during, {} after; {} switch{}\n",
                       rate_text(results.authoritative_before_qps),
                       rate_text(results.authoritative_during_qps),
                       rate_text(results.authoritative_after_qps), results.switches,
                       results.switches == 1 ? "" : "es");
    out += "\nwho asks\n" + place_table(results, style.width);
    if (report.validation) {
        out += validation_text(*report.validation, style);
    }
    if (!report.sweep.empty()) {
        out +=
            "\nsweep: what each choice costs and buys\n" + sweep_table(report.sweep, style.width);
    }
    if (!report.verdicts.empty()) {
        out += "\nexpected\n" + verdict_lines(report, style);
    }
    for (const auto& [title, sentences] :
         {std::pair{"notes", results.notes}, std::pair{"what is assumed", results.assumptions}}) {
        if (!sentences.empty()) {
            out += fmt::format("\n{}\n", title);
            for (const std::string& sentence : sentences) {
                out += dashed(sentence, style.width);
            }
        }
    }
    return out;
}

}  // namespace steerd::drill
