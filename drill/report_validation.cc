#include "drill/report_validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/html.h"
#include "drill/report_svg.h"
#include "drill/report_words.h"

namespace steerd::drill {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kChartHeight = 170;
constexpr std::size_t kColumns = 9;
constexpr std::array<std::string_view, kColumns> kHead{
    "resolver",     "version",          "names",          "fetches", "life error",
    "change error", "distance (bound)", "stale (theory)", "verdict"};

std::string figure(const std::optional<double>& value, int digits, std::string_view unit) {
    return value ? fmt::format("{:.{}f}{}", *value, digits, unit) : "-";
}

std::string beside(const std::optional<double>& value, const std::optional<double>& other,
                   int digits) {
    return value ? fmt::format("{} ({})", figure(value, digits, ""), figure(other, digits, ""))
                 : "-";
}

std::array<std::string, kColumns> row_of(const ResolverFigures& resolver) {
    return {resolver.name,
            resolver.version.empty() ? "-" : resolver.version,
            fmt::format("{}", resolver.flips),
            fmt::format("{}", resolver.logged_fetches),
            figure(resolver.lifetime_error_s, 3, " s"),
            figure(resolver.flip_error_s, 3, " s"),
            beside(resolver.ks, resolver.ks_critical, 3),
            beside(resolver.stale_observed, resolver.stale_theory, 2),
            resolver.ok() ? "ok" : "FAIL"};
}

/// What the figures mean, and what they were found with.
std::vector<std::string> sentences(const Validation& validation) {
    std::vector<std::string> out{fmt::format(
        "life error: mean absolute difference between the lives of {} watched entries "
        "and the model's, at most {:.1f} s; change error: the largest difference, over "
        "all names, between the moment at which the answers changed and the simulated "
        "cache's given the same logged fetch (moments are taken to be known to 10 ms), at most "
        "{:.0f} s; distance: of the first "
        "new answers to the closed form given the switch's place in the second "
        "(Kolmogorov-Smirnov), bound at the 1 % level; stale: old answers per cache",
        validation.resolvers.empty() ? 0 : validation.resolvers.front().lifetimes,
        kMostLifetimeErrorS, kMostFlipErrorS)};
    for (const ResolverFigures& resolver : validation.resolvers) {
        for (const std::string& complaint : resolver.complaints) {
            out.push_back(fmt::format("{}: {}{}", resolver.name, complaint,
                                      resolver.runs > 1 ? " (in both runs)" : ""));
        }
        if (resolver.failed > 0) {
            out.push_back(
                fmt::format("{}: {} questions got no answer", resolver.name, resolver.failed));
        }
    }
    for (const std::string& name : validation.missing) {
        out.push_back(name + " is not installed and was left out");
    }
    out.insert(out.end(), validation.notes.begin(), validation.notes.end());
    return out;
}

std::string headline_of(const Validation& validation) {
    return fmt::format(
        "{} of {} within all bounds; TTL {:.0f} s, {:.1f} questions per second and name, the "
        "server switched {:.1f} s after the kill",
        std::count_if(validation.resolvers.begin(), validation.resolvers.end(),
                      [](const ResolverFigures& one) { return one.ok(); }),
        validation.resolvers.size(), validation.ttl_s, validation.rate, validation.switch_s);
}

/// The same share at a few moments: what was seen, simulated and computed.
std::string curve_row(const ResolverFigures& resolver) {
    if (resolver.closed_form.empty()) {
        return "";
    }
    const auto at = [](const OldCurve& curve, double t) {
        const auto found =
            std::lower_bound(curve.begin(), curve.end(), t,
                             [](const auto& point, double moment) { return point.first < moment; });
        return found == curve.end() ? 0.0 : found->second;
    };
    std::string out = fmt::format("  {:<18}", resolver.name);
    const double end = resolver.closed_form.back().first;
    for (int i = 0; i < 5; ++i) {
        // Moments in the middle of a step of the observed curve.
        const double t = std::floor(end * (i + 0.5) / 5) + 0.25;
        out += fmt::format("{:>6.2f}s {:.2f}/{:.2f}/{:.2f}", t, at(resolver.curve, t),
                           at(resolver.simulation, t), at(resolver.closed_form, t));
    }
    return out + "\n";
}

Json number(const std::optional<double>& value) {
    return value && std::isfinite(*value) ? Json(std::round(*value * 1e6) / 1e6) : Json(nullptr);
}

Json curve_json(const OldCurve& curve) {
    Json out = Json::array();
    for (const auto& [t, share] : curve) {
        out.push_back({{"t_s", number(t)}, {"old", number(share)}});
    }
    return out;
}

}  // namespace

std::string validation_text(const Validation& validation, const TextStyle& style) {
    std::vector<std::array<std::string, kColumns>> rows(1);
    std::copy(kHead.begin(), kHead.end(), rows[0].begin());
    for (const ResolverFigures& resolver : validation.resolvers) {
        rows.push_back(row_of(resolver));
    }
    std::array<std::size_t, kColumns> widths{};
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < kColumns; ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string out = "\nreal resolvers\n" + dashed(headline_of(validation), style.width);
    for (const auto& row : rows) {
        std::string line = " ";
        for (std::size_t i = 0; i < kColumns; ++i) {
            line += i < 2 ? fmt::format(" {:<{}}", row[i], widths[i])
                          : fmt::format("  {:>{}}", row[i], widths[i]);
        }
        out += line + "\n";
    }
    out += "  share of old answers after the switch: seen/simulated/closed form\n";
    for (const ResolverFigures& resolver : validation.resolvers) {
        out += curve_row(resolver);
    }
    for (const std::string& sentence : sentences(validation)) {
        out += dashed(sentence, style.width);
    }
    return out;
}

void add_validation_json(const Validation& validation, Json& out) {
    Json resolvers = Json::array();
    for (const ResolverFigures& one : validation.resolvers) {
        resolvers.push_back({{"name", one.name},
                             {"version", one.version},
                             {"model", one.model},
                             {"ok", one.ok()},
                             {"runs", one.runs},
                             {"names", one.names},
                             {"names_changed", one.flips},
                             {"logged_fetches", one.logged_fetches},
                             {"lifetimes", one.lifetimes},
                             {"lifetime_error_s", number(one.lifetime_error_s)},
                             {"lifetime_less_ttl_s", number(one.lifetime_excess_s)},
                             {"change_error_s", number(one.flip_error_s)},
                             {"ks", number(one.ks)},
                             {"ks_critical", number(one.ks_critical)},
                             {"stale_queries", number(one.stale_observed)},
                             {"stale_queries_theory", number(one.stale_theory)},
                             {"unanswered", one.failed},
                             {"complaints", one.complaints},
                             {"curve", curve_json(one.curve)},
                             {"simulation", curve_json(one.simulation)},
                             {"closed_form", curve_json(one.closed_form)}});
    }
    out["validation"] = std::move(resolvers);
    out["validation_run"] = {{"ok", validation.ok()},
                             {"ttl_s", number(validation.ttl_s)},
                             {"configured_ttl_s", number(validation.configured_ttl_s)},
                             {"queries_per_second_and_name", number(validation.rate)},
                             {"switch_s", number(validation.switch_s)},
                             {"missing", validation.missing},
                             {"notes", validation.notes}};
}

std::string validation_html(const Validation& validation) {
    std::string out = fmt::format("<p>{}.</p>\n", base::escape_html(headline_of(validation)));
    const std::vector<ChartLine> legend{{"seen at the resolver", "s0", {}},
                                        {"simulated cache", "s1", {}},
                                        {"closed form", "theory", {}}};
    out += legend_html(legend);
    for (const ResolverFigures& resolver : validation.resolvers) {
        out += fmt::format("<h3>{} {}: <span class=\"{}\">{}</span></h3>\n",
                           base::escape_html(resolver.name), base::escape_html(resolver.version),
                           resolver.ok() ? "ok" : "fail", resolver.ok() ? "ok" : "FAIL");
        out += fmt::format("<p class=\"dim\">An entry lives for {}.</p>\n",
                           base::escape_html(resolver.model));
        if (resolver.closed_form.empty()) {
            continue;
        }
        Chart chart;
        chart.title = fmt::format(
            "Share of old answers from {} in the seconds after the switch, over the simulated "
            "cache and the closed form",
            resolver.name);
        chart.x_to = resolver.closed_form.back().first;
        chart.y_to = 1;
        chart.y_text = [](double share) { return percent_text(share); };
        chart.lines = legend;
        chart.lines[0].points = resolver.curve;
        chart.lines[1].points = resolver.simulation;
        chart.lines[2].points = resolver.closed_form;
        chart.height = static_cast<std::size_t>(kChartHeight);
        out += chart_svg(chart);
    }
    out += "<div class=\"scroll\"><table><thead><tr>";
    for (const std::string_view head : kHead) {
        out += fmt::format("<th>{}</th>", head);
    }
    out += "</tr></thead><tbody>\n";
    for (const ResolverFigures& resolver : validation.resolvers) {
        out += "<tr>";
        const auto row = row_of(resolver);
        for (std::size_t i = 0; i < kColumns; ++i) {
            const bool verdict = i + 1 == kColumns;
            out += fmt::format("<td{}>{}</td>",
                               !verdict        ? ""
                               : resolver.ok() ? " class=\"ok\""
                                               : " class=\"fail\"",
                               base::escape_html(row[i]));
        }
        out += "</tr>\n";
    }
    out += "</tbody></table></div>\n<ul>\n";
    for (const std::string& sentence : sentences(validation)) {
        out += fmt::format("<li>{}</li>\n", base::escape_html(sentence));
    }
    return out + "</ul>\n";
}

}  // namespace steerd::drill
