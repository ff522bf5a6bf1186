#include "cli/forecast_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "base/html.h"
#include "geo/outline.h"

namespace steerd::cli {

namespace {

using policy::Amounts;
using policy::ForecastPlace;

constexpr std::size_t kColours = 8;
/// Dots smaller than this share of the largest are drawn as large as that.
constexpr double kLeastRadius = 4;
constexpr double kLeastMovedRadius = 8;
constexpr double kMostRadius = 26;  // in tenths of a degree

// Two sets of eight colours that differ in lightness as well as in hue.
constexpr std::string_view kStyle = R"(<style>
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2430;--dim:#5b6675;--line:#d9dee5;--land:#f3f5f8;
--coast:#b9c2cd;--bad:#c0392b;--s0:#2b6cb0;--s1:#dd8a1c;--s2:#2f9e77;--s3:#b5476f;--s4:#7a63c0;
--s5:#8c6d31;--s6:#4aa6c9;--s7:#8a94a0;--none:#c0392b}
@media (prefers-color-scheme:dark){:root{--bg:#14181f;--fg:#e3e8ef;--dim:#9aa6b5;--line:#323b48;
--land:#1a2029;--coast:#465364;--bad:#ff7a6b;--s0:#5a9fe6;--s1:#f0ab4e;--s2:#55c79c;--s3:#e0789f;
--s4:#a893ea;--s5:#c4a15f;--s6:#7fcdea;--s7:#aab4c0;--none:#ff7a6b}}
body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;max-width:1000px;
margin:2em auto;padding:0 1em}
h1{font-size:1.5em;margin-bottom:.2em}h2{font-size:1.15em;margin:1.6em 0 .4em}.dim{color:var(--dim)}
.bad{color:var(--bad);font-weight:600}.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.2em .7em;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--dim)}.word{text-align:left}
svg.map{width:100%;height:auto;display:block;background:var(--land);border:1px solid var(--line);
border-radius:4px}
.coast{fill:none;stroke:var(--coast);stroke-width:3;stroke-linejoin:round}
.dot{fill-opacity:.8;stroke:none}.moves .dot{fill-opacity:.28}.moves .moved{fill-opacity:1}
.region{stroke:var(--fg);stroke-width:6;fill:none}
svg text{font:34px system-ui,sans-serif;fill:var(--fg);paint-order:stroke;stroke:var(--bg);
stroke-width:8px}
@media (max-width:640px){svg text{font-size:84px;stroke-width:18px}.region{stroke-width:12}}
.legend span{margin-right:1.2em;white-space:nowrap}
i.patch{display:inline-block;width:.8em;height:.8em;margin-right:.35em;border-radius:2px}
)";

constexpr std::size_t kCountriesAtOnce = 15;
constexpr std::string_view kCountryHead =
    "<div class=\"scroll\"><table><tr><th class=\"word\">country</th><th>of all clients</th>"
    "<th>of the country's</th></tr>\n";

std::string style() {
    std::string out(kStyle);
    for (std::size_t i = 0; i < kColours; ++i) {
        out += fmt::format(".s{0}{{fill:var(--s{0})}}i.s{0}{{background:var(--s{0})}}\n", i);
    }
    return out + ".none{fill:var(--none)}i.none{background:var(--none)}\n</style>\n";
}

std::string colour(std::size_t endpoint) { return fmt::format("s{}", endpoint % kColours); }

class Page {
  public:
    explicit Page(const ForecastReport& report) : report_(report), f_(report.forecast) {}

    std::string text() {
        add("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
            "<title>Forecast of {}</title>\n",
            base::escape_html(report_.name));
        out_ += style();
        add("</head><body>\n<h1>Forecast of {} {}</h1>\n<p class=\"dim\">After: {}. Shares of "
            "{:.0f} "
            "{}.</p>\n",
            base::escape_html(report_.name), report_.type, base::escape_html(report_.change),
            f_.total, report_.unit);
        add("<p><b>{:.2f} %</b> of the {} move.</p>\n", share(f_.moved) * 100,
            report_.by_demand ? "demand" : "clients");
        warnings();
        table();
        legend();
        out_ += "<h2>Before</h2>\n";
        map(false);
        out_ += "<h2>After</h2>\n";
        map(true);
        out_ +=
            "<p class=\"dim\">A dot is a square of two degrees; its area is the share of the "
            "clients there, its colour the endpoint that most of them get. On the second map dots "
            "are bright where half of them or more move, and pale elsewhere. Crosses are regions. "
            "Coasts: Natural Earth.</p>\n";
        countries();
        return out_ + "</body></html>\n";
    }

  private:
    template <typename... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    }

    [[nodiscard]] double share(double amount) const { return f_.total > 0 ? amount / f_.total : 0; }

    void warnings() {
        for (const auto& warning : warnings_of(report_)) {
            add("<p class=\"bad\">{}.</p>\n", base::escape_html(warning));
        }
    }

    void row(const std::string& css, std::string_view name, std::string_view region, double before,
             double after) {
        add("<tr><td class=\"word\"><i class=\"patch {}\"></i>{}</td><td class=\"word\">{}</td>"
            "<td>{:.2f} %</td><td>{:.2f} %</td><td>{:+.2f}</td>",
            css, base::escape_html(name), base::escape_html(region), share(before) * 100,
            share(after) * 100,
            std::round(share(after - before) * 1e4) / 100 + 0.0);  // never -0.00
        if (report_.by_demand) {
            add("<td>{:.1f}</td><td>{:.1f}</td>", before, after);
        }
        out_ += "</tr>\n";
    }

    void table() {
        add("<div class=\"scroll\"><table><tr><th class=\"word\">endpoint</th><th "
            "class=\"word\">region</th><th>before</th><th>after</th><th>change</th>{}</tr>\n",
            report_.by_demand ? "<th>before, req/s</th><th>after, req/s</th>" : "");
        for (std::size_t i = 0; i < f_.endpoints.size(); ++i) {
            row(colour(i), f_.endpoints[i].name, f_.endpoints[i].region, f_.before.endpoints[i],
                f_.after.endpoints[i]);
        }
        if (f_.before.none > 0 || f_.after.none > 0) {
            row("none", "no answer", "", f_.before.none, f_.after.none);
        }
        if (f_.before.unknown > 0 || f_.after.unknown > 0) {
            row("", "unknown place", "", f_.before.unknown, f_.after.unknown);
        }
        out_ += "</table></div>\n";
    }

    void legend() {
        out_ += "<p class=\"legend\">";
        for (std::size_t i = 0; i < f_.endpoints.size(); ++i) {
            add("<span><i class=\"patch {}\"></i>{}</span>", colour(i),
                base::escape_html(f_.endpoints[i].name));
        }
        out_ += "</p>\n";
    }

    void map(bool after) {
        const bool moves = after && f_.moved > 0;
        add("<svg class=\"map{}\" viewBox=\"-1800 -840 3600 1440\" role=\"img\" aria-label=\"who "
            "answers "
            "where, {}\">\n<path class=\"coast\" d=\"{}\"/>\n",
            moves ? " moves" : "", after ? "after" : "before", geo::world_outline());
        double most = 0;
        std::vector<const ForecastPlace*> dots;
        for (const ForecastPlace& place : f_.places) {
            if (place.location) {
                most = std::max(most, place.weight);
                dots.push_back(&place);
            }
        }
        // Large ones below, so that none hides another.
        std::stable_sort(dots.begin(), dots.end(),
                         [](const auto* a, const auto* b) { return a->weight > b->weight; });
        for (const ForecastPlace* place : dots) {
            dot(*place, after, most);
        }
        for (const auto& [name, at] : report_.regions) {
            const double x = at.longitude * 10;
            const double y = -at.latitude * 10;
            const bool east = at.longitude > 100;  // its name would be cut off
            add("<path class=\"region\" d=\"M{0:.0f} {2:.0f}h36m-18-18v36\"/><text x=\"{1:.0f}\" "
                "y=\"{2:.0f}\"{3}>{4}</text>\n",
                x - 18, east ? x - 24 : x + 24, y, east ? " text-anchor=\"end\"" : "",
                base::escape_html(name));
        }
        out_ += "</svg>\n";
    }

    void dot(const ForecastPlace& place, bool after, double most) {
        const Amounts& amounts = after ? place.after : place.before;
        const auto top = std::max_element(amounts.endpoints.begin(), amounts.endpoints.end());
        const bool answered = top != amounts.endpoints.end() && *top > amounts.none;
        const auto endpoint = static_cast<std::size_t>(top - amounts.endpoints.begin());
        const bool moves = after && place.moved > 0 && place.moved >= place.weight / 2;
        const double radius = std::max(moves ? kLeastMovedRadius : kLeastRadius,
                                       kMostRadius * std::sqrt(place.weight / most));
        add("<circle class=\"dot {}{}\" cx=\"{:.0f}\" cy=\"{:.0f}\" r=\"{:.0f}\"><title>{}: {:.3f} "
            "% of "
            "all, {}",
            answered ? colour(endpoint) : "none", moves ? " moved" : "",
            place.location->longitude * 10, -place.location->latitude * 10, radius,
            place.country ? place.country->view() : "??", share(place.weight) * 100,
            answered ? base::escape_html(f_.endpoints[endpoint].name) : "no answer");
        if (answered) {
            add(" {:.0f} %", *top / place.weight * 100);
        }
        out_ += "</title></circle>\n";
    }

    void countries() {
        if (report_.countries.empty() || report_.countries.front().moved <= 0) {
            return;
        }
        out_ += "<h2>Who moves</h2>\n";
        out_ += kCountryHead;
        std::size_t shown = 0;
        for (const ForecastCountry& country : report_.countries) {
            if (country.moved <= 0) {
                break;  // those that move most stand first
            }
            if (shown++ == kCountriesAtOnce) {
                out_ += "</table></div>\n<details><summary>All others</summary>\n";
                out_ += kCountryHead;
            }
            add("<tr><td class=\"word\">{}</td><td>{:.2f} %</td><td>{:.1f} %</td></tr>\n",
                country.code, share(country.moved) * 100, country.moved / country.weight * 100);
        }
        out_ += shown > kCountriesAtOnce ? "</table></div></details>\n" : "</table></div>\n";
    }

    const ForecastReport& report_;
    const policy::Forecast& f_;
    std::string out_;
};

}  // namespace

std::string forecast_html(const ForecastReport& report) { return Page(report).text(); }

}  // namespace steerd::cli
