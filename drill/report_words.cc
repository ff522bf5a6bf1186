// See report_words.h.
#include "drill/report_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace steerd::drill {

std::string moment_text(double seconds) {
    // Tenths of a second are as fine as figures are read.
    auto tenths = std::llround(seconds * 10);
    std::string out;
    const auto take = [&](long long unit, const char* word) {
        if (tenths >= unit) {
            out += fmt::format("{}{}{}", out.empty() ? "" : " ", tenths / unit, word);
            tenths %= unit;
        }
    };
    take(864'000, "d");
    take(36'000, "h");
    take(600, "m");
    if (tenths % 10 != 0) {
        return fmt::format("{}{}{}.{}s", out, out.empty() ? "" : " ", tenths / 10, tenths % 10);
    }
    take(10, "s");
    return out.empty() ? "0" : out;
}

std::string seconds_text(const std::optional<double>& seconds) {
    return seconds ? fmt::format("{:.1f} s", *seconds) : "-";
}

std::string percent_text(double share) {
    const double percent = share * 100;
    const int digits = percent == 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
    return fmt::format("{:.{}f} %", percent, digits);
}

std::string percent_text(const std::optional<double>& share) {
    return share ? percent_text(*share) : "-";
}

std::string count_text(double value) {
    if (value >= 1e9) {
        return fmt::format("{:.1f}G", value / 1e9);
    }
    if (value >= 1e6) {
        return fmt::format("{:.1f}M", value / 1e6);
    }
    if (value >= 1e4) {
        return fmt::format("{:.1f}k", value / 1e3);
    }
    return value >= 100 || value == std::floor(value) ? fmt::format("{:.0f}", value)
                                                      : fmt::format("{:.1f}", value);
}

std::string event_text(const EventFigures& event) {
    return fmt::format("{} of {}", event.what, event.target);
}

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

double lost_share(const EventFigures& event) {
    return event.requests == 0
               ? 0
               : static_cast<double>(event.requests_lost) / static_cast<double>(event.requests);
}

std::string headline(const Report& report) {
    return fmt::format("{} {}, {} of {} time, seed {}{}", report.name, report.type,
                       moment_text(report.duration_s), report.results.mode, report.results.seed,
                       report.population.empty() ? "" : ", population " + report.population);
}

}  // namespace steerd::drill
