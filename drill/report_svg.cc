// See report_svg.h. Coordinates have a tenth of a pixel, so that a page stays small.
#include "drill/report_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/html.h"
#include "drill/report_words.h"

namespace steerd::drill {

namespace {

constexpr double kWidth = 860;
constexpr double kLeft = 62;
constexpr double kRight = 14;
constexpr double kTop = 16;
constexpr double kBottom = 26;
constexpr double kRowHeight = 17;
/// Of a letter, about; to keep names from overlapping.
constexpr double kLetter = 6.6;
constexpr double kSmallLetter = 6.1;

constexpr std::array<double, 19> kTimeSteps{
    0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400};

double time_step(double span) {
    for (const double step : kTimeSteps) {
        if (span / step <= 9) {
            return step;
        }
    }
    return 86400 * std::ceil(span / 86400 / 9);
}

/// 1, 2 or 5 times a power of ten, so that there are at most five of them.
double nice_step(double most) {
    const double rough = most / 5;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (rough <= factor * power) {
            return factor * power;
        }
    }
    return 10 * power;
}

std::string number_text(double value) { return count_text(value); }

struct Frame {
    double x_from, x_to, y_to, height;

    [[nodiscard]] double x(double value) const {
        const double share = (value - x_from) / (x_to - x_from);
        return kLeft + std::clamp(share, 0.0, 1.0) * (kWidth - kLeft - kRight);
    }

    [[nodiscard]] double y(double value) const {
        return height - kBottom - std::clamp(value / y_to, 0.0, 1.0) * (height - kTop - kBottom);
    }
};

std::string open_svg(const std::string& title, double height) {
    return fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n",
                       kWidth, height, base::escape_html(title));
}

std::string text_at(double x, double y, std::string_view css, std::string_view text) {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, y, css,
                       base::escape_html(text));
}

std::string y_axis(const Frame& frame, ValueText y_text) {
    std::string out;
    const double step = nice_step(frame.y_to);
    for (double value = 0; value <= frame.y_to * 1.0001; value += step) {
        const double y = frame.y(value);
        out += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\" class=\"grid\"/>", kLeft, y,
                           kWidth - kRight);
        out += text_at(kLeft - 6, y + 4, "end", y_text(value));
    }
    return out;
}

std::string time_axis(const Frame& frame) {
    std::string out;
    const double step = time_step(frame.x_to - frame.x_from);
    for (double t = std::ceil(frame.x_from / step - 1e-9) * step; t <= frame.x_to + step / 1e6;
         t += step) {
        out += fmt::format("<path d=\"M{:.1f} {:.1f}v4\" class=\"tick\"/>", frame.x(t),
                           frame.height - kBottom);
        out += text_at(frame.x(t), frame.height - 8, "middle", moment_text(t));
    }
    return out;
}

/// The points within the frame, with the last one before it and the first one behind it.
Points visible(const Points& points, const Frame& frame) {
    const auto by_x = [](const auto& point, double x) { return point.first < x; };
    auto first = std::lower_bound(points.begin(), points.end(), frame.x_from, by_x);
    auto last = std::lower_bound(points.begin(), points.end(), frame.x_to, by_x);
    first -= first == points.begin() ? 0 : 1;
    last += last == points.end() ? 0 : 1;
    return {first, last};
}

std::string path_of(const Points& points, const Frame& frame, bool begin) {
    std::string out;
    for (const auto& [x, y] : points) {
        out += fmt::format("{}{:.1f} {:.1f}", begin ? "M" : "L", frame.x(x), frame.y(y));
        begin = false;
    }
    return out;
}

std::string stacked(const std::vector<ChartLine>& areas, const Frame& frame) {
    std::string out;
    Points below;
    for (const ChartLine& area : areas) {
        Points top = visible(area.points, frame);
        if (below.empty()) {
            below = top;
            for (auto& point : below) {
                point.second = 0;
            }
        }
        for (std::size_t i = 0; i < top.size(); ++i) {
            top[i].second += below[i].second;
        }
        const Points back(below.rbegin(), below.rend());
        out += fmt::format("<path d=\"{}{}Z\" class=\"area {}\"><title>{}</title></path>\n",
                           path_of(top, frame, true), path_of(back, frame, false), area.css,
                           base::escape_html(area.name));
        below = std::move(top);
    }
    return out;
}

double highest(const Chart& chart) {
    double most = 0;
    if (!chart.areas.empty()) {
        for (std::size_t i = 0; i < chart.areas.front().points.size(); ++i) {
            double sum = 0;
            for (const ChartLine& area : chart.areas) {
                sum += area.points[i].second;
            }
            most = std::max(most, sum);
        }
    }
    for (const ChartLine& line : chart.lines) {
        for (const auto& [x, y] : line.points) {
            most = std::max(most, y);
        }
    }
    return most > 0 ? most * 1.06 : 1;
}

/// Lines for the marks; their names stand above the frame, where there is room for them.
std::string marks_svg(const std::vector<ChartMark>& marks, const Frame& frame) {
    std::string out;
    double taken = 0;
    for (const ChartMark& mark : marks) {
        const double needs = kSmallLetter * static_cast<double>(mark.text.size());
        const double x = std::min(frame.x(mark.x) - 3, kWidth - needs);
        if (x >= taken) {
            taken = x + needs + 8;
            out += text_at(x, kTop - 3, "start mark-name", mark.text);
        }
        out += fmt::format(
            "<path d=\"M{:.1f} {:.1f}V{:.1f}\" class=\"{}\"><title>{}</title></path>",
            frame.x(mark.x), kTop, frame.height - kBottom, mark.css, base::escape_html(mark.text));
    }
    return out;
}

}  // namespace

std::string chart_svg(const Chart& chart) {
    const auto height = static_cast<double>(chart.height);
    const Frame frame{chart.x_from, chart.x_to, chart.y_to > 0 ? chart.y_to : highest(chart),
                      height};
    std::string out = open_svg(chart.title, height);
    out += y_axis(frame, chart.y_text == nullptr ? number_text : chart.y_text);
    out += stacked(chart.areas, frame);
    for (const ChartLine& line : chart.lines) {
        out += fmt::format("<path d=\"{}\" class=\"line {}\"><title>{}</title></path>\n",
                           path_of(visible(line.points, frame), frame, true), line.css,
                           base::escape_html(line.name));
    }
    out += time_axis(frame) + marks_svg(chart.marks, frame);
    return out + "</svg>\n";
}

std::string strip_svg(const std::string& title, std::vector<ChartMark> marks, double x_from,
                      double x_to) {
    std::stable_sort(marks.begin(), marks.end(),
                     [](const ChartMark& a, const ChartMark& b) { return a.x < b.x; });
    // Names go into the first row in which they have room.
    const Frame across{x_from, x_to, 1, 0};
    std::vector<double> ends;
    std::vector<std::size_t> rows;
    for (const ChartMark& mark : marks) {
        const double needs = kLetter * static_cast<double>(mark.text.size()) + 14;
        const double x = std::min(across.x(mark.x), kWidth - needs);
        const auto row = static_cast<std::size_t>(
            std::find_if(ends.begin(), ends.end(), [&](double end) { return end <= x; }) -
            ends.begin());
        ends.resize(std::max(ends.size(), row + 1));
        ends[row] = x + needs;
        rows.push_back(row);
    }
    const double height = kTop + kRowHeight * static_cast<double>(ends.size()) + 12 + kBottom;
    const Frame frame{x_from, x_to, 1, height};
    std::string out = open_svg(title, height);
    out += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\" class=\"axis\"/>", kLeft,
                       height - kBottom, kWidth - kRight);
    for (std::size_t i = 0; i < marks.size(); ++i) {
        const double x = frame.x(marks[i].x);
        const double y = kTop + kRowHeight * static_cast<double>(rows[i]);
        const double needs = kLetter * static_cast<double>(marks[i].text.size()) + 14;
        out += fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}\" class=\"{}\"/>", x, y,
                           height - kBottom, marks[i].css);
        out += x + needs > kWidth ? text_at(x - 5, y + 11, "end", marks[i].text)
                                  : text_at(x + 5, y + 11, "start", marks[i].text);
    }
    return out + time_axis(frame) + "</svg>\n";
}

std::string scatter_svg(const std::string& title, const std::string& x_name,
                        const std::string& y_name, const std::vector<ScatterPoint>& points) {
    constexpr double kLeast = 1e-3;
    double x_least = 1e300;
    double x_most = kLeast;
    double y_most = 0;
    for (const ScatterPoint& point : points) {
        x_least = std::min(x_least, std::max(point.x, kLeast));
        x_most = std::max(x_most, point.x);
        y_most = std::max(y_most, point.y);
    }
    const double height = 320;
    const Frame frame{std::log10(x_least) - 0.12, std::log10(x_most) + 0.12,
                      y_most > 0 ? y_most * 1.1 : 1, height};
    std::string out = open_svg(title, height) + y_axis(frame, number_text);
    for (double power = std::floor(frame.x_from); power <= frame.x_to; power += 1) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double value = factor * std::pow(10.0, power);
            const double at = std::log10(value);
            if (at >= frame.x_from && at <= frame.x_to) {
                out += text_at(frame.x(at), height - 8, "middle", count_text(value));
            }
        }
    }
    out += text_at(kWidth - kRight, kTop + 8, "end", x_name + " \u2192");
    out += text_at(kLeft + 6, kTop + 8, "start", y_name);
    // The marked ones are named first; whose name would cover another's is named by its title only.
    std::vector<ScatterPoint> order = points;
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.marked > b.marked; });
    Points named;
    for (const ScatterPoint& point : order) {
        const double x = frame.x(std::log10(std::max(point.x, kLeast)));
        const double y = frame.y(point.y);
        out += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" class=\"{}\"><title>{}</title></circle>",
            x, y, point.marked ? 5 : 4, point.marked ? "pareto" : "plain",
            base::escape_html(point.text));
        const double needs = kLetter * static_cast<double>(point.text.size()) + 10;
        const bool covered = std::any_of(named.begin(), named.end(), [&](const auto& other) {
            return std::abs(other.first - x) < 140 && std::abs(other.second - y) < 12;
        });
        if (!covered) {
            named.emplace_back(x, y);
            out += x + needs > kWidth ? text_at(x - 8, y + 4, "end", point.text)
                                      : text_at(x + 8, y + 4, "start", point.text);
        }
    }
    return out + "</svg>\n";
}

std::string legend_html(const std::vector<ChartLine>& lines) {
    std::string out = "<p class=\"legend\">";
    for (const ChartLine& line : lines) {
        out += fmt::format("<span><i class=\"{}\"></i>{}</span> ", line.css,
                           base::escape_html(line.name));
    }
    return out + "</p>\n";
}

}  // namespace steerd::drill
