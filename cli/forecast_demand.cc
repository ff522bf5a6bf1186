#include "cli/forecast_demand.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/csv.h"
#include "base/problem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/files.h"

namespace steerd::cli {

namespace {

constexpr std::size_t kShownErrors = 20;
constexpr double kMaxWeight = 1e12;

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view kBlank = " \t\r\"";
    const auto first = text.find_first_not_of(kBlank);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<double> weight_in(std::string_view text) noexcept {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc{} && end == text.data() + text.size() &&
                      std::isfinite(value) && value >= 0 && value <= kMaxWeight;
    return good ? std::optional(value) : std::nullopt;
}

}  // namespace

std::vector<policy::DemandRow> read_demand(const std::string& path) {
    const std::string file = read_file(path);
    std::vector<policy::DemandRow> rows;
    base::Problems problems;
    std::uint32_t line_number = 0;
    bool first = true;
    for (std::string_view text = base::without_mark(file); !text.empty();) {
        const auto end = text.find('\n');
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++line_number;
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const auto comma = line.find(',');
        const auto client = trimmed(line.substr(0, comma));
        if (std::exchange(first, false) && base::ascii_lower(client) == "prefix") {
            continue;
        }
        const auto prefix = base::IpPrefix::parse(client);
        const auto weight = comma == std::string_view::npos
                                ? std::nullopt
                                : weight_in(trimmed(line.substr(comma + 1)));
        if (prefix && weight) {
            rows.push_back({base::normalised(*prefix).prefix, *weight});
        } else if (problems.error_count() < kShownErrors) {
            problems.error({path, line_number, 0},
                           fmt::format("wants prefix,weight (such as 203.0.113.0/24,120.5), got "
                                       "\"{}\"",
                                       line.substr(0, 100)));
        }
    }
    if (problems.has_errors()) {
        fmt::print(stderr, "{}\n", problems.text());
        throw Failure(path + " cannot be used");
    }
    if (std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.weight == 0; })) {
        throw Failure(path + (rows.empty() ? " has no rows" : ": all weights are 0"));
    }
    return rows;
}

}  // namespace steerd::cli
