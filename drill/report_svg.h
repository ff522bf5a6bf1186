// Charts as inline SVG: areas on top of each other, lines, marks on the time axis, and scattered
// points. Colours are classes of the page's style sheet (s0, s1, ...), so that light, dark and
// print are its business. No script. Thread rule: pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steerd::drill {

using Points = std::vector<std::pair<double, double>>;

/// How a value is written at an axis.
using ValueText = std::string (*)(double);

struct ChartLine {
    std::string name;
    std::string css;  // "s0", "theory"
    Points points;
};

struct ChartMark {
    double x = 0;
    std::string text;
    std::string css = "mark";
};

struct Chart {
    std::string title;  // for those who cannot see it
    double x_from = 0, x_to = 1;
    double y_to = 0;  // 0: as high as what is shown
    ValueText y_text = nullptr;
    std::vector<ChartLine> areas;  // stacked, the first at the bottom; equal x in all
    std::vector<ChartLine> lines;
    std::vector<ChartMark> marks;
    std::size_t height = 240;
};

/// With the time since the drill's start along x.
[[nodiscard]] std::string chart_svg(const Chart& chart);

/// A strip of time with the name of each moment beside its line.
[[nodiscard]] std::string strip_svg(const std::string& title, std::vector<ChartMark> marks,
                                    double x_from, double x_to);

struct ScatterPoint {
    double x = 0, y = 0;
    std::string text;
    bool marked = false;
};

/// Up from 0; to the right in ratios, since what is compared there spans decades.
[[nodiscard]] std::string scatter_svg(const std::string& title, const std::string& x_name,
                                      const std::string& y_name,
                                      const std::vector<ScatterPoint>& points);

/// Names with a patch of their colour.
[[nodiscard]] std::string legend_html(const std::vector<ChartLine>& lines);

}  // namespace steerd::drill
