// See report_html.h.
#include "drill/report_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/html.h"
#include "drill/report_html_charts.h"
#include "drill/report_svg.h"
#include "drill/report_validation.h"
#include "drill/report_words.h"

namespace steerd::drill {

namespace {

// Colours: two sets of eight that differ in lightness as well as in hue.
constexpr std::string_view kStyle = R"(<style>
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2430;--dim:#5b6675;--line:#d9dee5;--bad:#c0392b;
--good:#1e8449;--theory:#111;--s0:#2b6cb0;--s1:#dd8a1c;--s2:#2f9e77;--s3:#b5476f;--s4:#7a63c0;
--s5:#8c6d31;--s6:#4aa6c9;--s7:#8a94a0}
@media (prefers-color-scheme:dark){:root{--bg:#14181f;--fg:#e3e8ef;--dim:#9aa6b5;--line:#323b48;
--bad:#ff7a6b;--good:#58c98a;--theory:#fff;--s0:#5a9fe6;--s1:#f0ab4e;--s2:#55c79c;--s3:#e0789f;
--s4:#a893ea;--s5:#c4a15f;--s6:#7fcdea;--s7:#aab4c0}}
body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;max-width:960px;
margin:2em auto;padding:0 1em}
h1{font-size:1.5em;margin-bottom:.2em}h2{font-size:1.15em;margin:1.8em 0 .4em}
h3{font-size:1em;margin:1.2em 0 .2em}.dim{color:var(--dim)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.2em .7em;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--dim)}th:first-child,td:first-child{text-align:left}
tr.class td{color:var(--dim)}tr.class td:first-child{padding-left:1.8em}
tr.pareto td{font-weight:600}.ok{color:var(--good)}.fail{color:var(--bad);font-weight:700}
svg{width:100%;height:auto;display:block;margin:.3em 0}
svg text{font:12px system-ui,sans-serif;fill:var(--dim)}
svg .start{text-anchor:start}svg .middle{text-anchor:middle}svg .end{text-anchor:end}
.grid,.tick,.axis{stroke:var(--line);fill:none}.axis{stroke:var(--dim)}
.mark{stroke:var(--dim);fill:none;stroke-dasharray:3 3}.bad{stroke:var(--bad)}
.mark.good{stroke:var(--good)}
.line{fill:none;stroke-width:1.8}.area{stroke:none;fill-opacity:.85}
.theory{stroke:var(--theory);stroke-dasharray:6 4}.capacity{stroke-dasharray:2 4}
.pareto{fill:var(--s1)}.plain{fill:var(--s0)}
.caption{color:var(--dim);font-size:.87em;margin:.3em 0 .8em;max-width:62em}
.caption dt,.caption dd{display:inline;margin:0}.caption dt{font-weight:600}
.caption dt::after{content:": "}.caption div{margin:.15em 0}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8em,1fr));gap:.7em;
margin:1.2em 0;padding:0;list-style:none}
.cards li{border:1px solid var(--line);border-top:3px solid var(--s0);
border-radius:4px;padding:.55em .8em}
.cards b{display:block;font-size:1.5em;line-height:1.25;font-variant-numeric:tabular-nums}
.cards span{color:var(--dim);font-size:.87em}
.cards li.ok{border-top-color:var(--good)}.cards li.fail{border-top-color:var(--bad)}
td.ok,td.fail{font-weight:700}svg .mark-name{font-size:11px}
.legend span{margin-right:1em;white-space:nowrap}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.35em;border-radius:2px}
.legend i.capacity{background:none;height:0;border-top:2px dotted var(--dim);
border-radius:0;vertical-align:middle}
.legend i.theory{height:0;border-top:2px dashed var(--theory);vertical-align:middle}
@media screen and (max-width:700px){section{overflow-x:auto}svg{min-width:44em}}
@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--dim:#444;--line:#ccc;--bad:#a00;
--good:#060;--theory:#000;--s0:#2b6cb0;--s1:#dd8a1c;--s2:#2f9e77;--s3:#b5476f;--s4:#7a63c0;
--s5:#8c6d31;--s6:#4aa6c9;--s7:#8a94a0}section{break-inside:avoid}h2,h3{break-after:avoid}
.scroll{overflow:visible}
body{max-width:none;margin:0;font-size:12px}th,td{white-space:normal;padding:.15em .5em}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)";

/// Lines, areas and patches in the colours of the style sheet.
std::string colour_rules() {
    std::string out;
    for (int i = 0; i < 8; ++i) {
        out += fmt::format(
            ".line.s{0}{{stroke:var(--s{0})}}.area.s{0}{{fill:var(--s{0})}}"
            "i.s{0}{{background:var(--s{0})}}\n",
            i);
    }
    return out + "</style>\n";
}

std::string cells(std::string_view tag, const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) {
        out += fmt::format("<{0}>{1}</{0}>", tag, base::escape_html(text));
    }
    return out;
}

class Table {
  public:
    explicit Table(const std::vector<std::string>& head)
        : out_("<div class=\"scroll\"><table><thead><tr>" + cells("th", head) +
               "</tr></thead><tbody>\n") {}

    void row(const std::vector<std::string>& texts, std::string_view css = "") {
        out_ += css.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", css);
        out_ += cells("td", texts) + "</tr>\n";
    }

    [[nodiscard]] std::string html() const { return out_ + "</tbody></table></div>\n"; }

  private:
    std::string out_;
};

std::string section(std::string_view title, const std::string& body) {
    return fmt::format("<section><h2>{}</h2>\n{}</section>\n", base::escape_html(title), body);
}

/// What figures mean and assume, under them, each by its name.
std::string caption(std::initializer_list<std::string_view> figures) {
    std::string out = "<dl class=\"caption\">\n";
    for (const std::string_view figure : figures) {
        const Meaning& meaning = meaning_of(figure);
        out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", base::escape_html(meaning.name),
                           base::escape_html(meaning.text));
    }
    return out + "</dl>\n";
}

std::string verdicts_html(const Report& report) {
    std::string rows;
    for (const Verdict& verdict : report.verdicts) {
        rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td></tr>\n",
                            base::escape_html(verdict.key), base::escape_html(verdict.limit),
                            base::escape_html(value_text(verdict)), verdict.ok ? "ok" : "fail",
                            verdict.ok ? "ok" : "FAIL");
    }
    return "<div class=\"scroll\"><table><thead><tr><th>what</th><th>limit</th><th>value</th>"
           "<th></th></tr></thead><tbody>\n" +
           rows + "</tbody></table></div>\n";
}

std::vector<std::string> moved_cells(const Quantiles& moved) {
    return {seconds_text(moved.p50), seconds_text(moved.p90), seconds_text(moved.p95),
            seconds_text(moved.p99)};
}

std::vector<std::string> joined(std::vector<std::string> cells,
                                const std::vector<std::string>& more) {
    cells.insert(cells.end(), more.begin(), more.end());
    return cells;
}

std::string first_cell(const EventFigures& event) {
    return moment_text(event.at_s) + " " + event_text(event);
}

std::string moved_html(const Results& results) {
    Table table({"event", "detect", "switch", "50 % moved", "90 %", "95 %", "99 %"});
    for (const EventFigures& event : results.events) {
        const std::vector<std::string> first{first_cell(event), seconds_text(event.detect_s),
                                             seconds_text(event.switch_s)};
        if (!event.takes_out) {
            table.row(joined(first, {"", "", "", ""}));
            continue;
        }
        table.row(joined(first, moved_cells(event.moved)));
        for (const std::string& name : classes_of(results, event)) {
            table.row(joined({name, "", ""}, moved_cells(event.by_class.at(name).moved)), "class");
        }
    }
    return table.html() + caption({"detect_s", "switch_s", "clients_moved_s"});
}

std::vector<std::string> left_cells(const Residual& left) {
    return {percent_text(left.after_15m), percent_text(left.after_1h), percent_text(left.after_1d)};
}

std::string left_html(const Results& results) {
    Table table({"event", "left after 15m", "1h", "1d", "lost", "errors per client", "back after",
                 "flaps"});
    for (const EventFigures& event : results.events) {
        if (!event.takes_out) {
            continue;
        }
        table.row(joined(joined({first_cell(event)}, left_cells(event.residual)),
                         {fmt::format("{} ({})", percent_text(lost_share(event)),
                                      count_text(static_cast<double>(event.requests_lost))),
                          fmt::format("{:.1f} s", event.error_seconds_per_client),
                          seconds_text(event.switch_back_s), fmt::format("{}", event.flaps)}));
        for (const std::string& name : classes_of(results, event)) {
            const Residual& left = event.by_class.at(name).residual;
            if (left.after_15m.value_or(0) > 0) {
                table.row(joined(joined({name}, left_cells(left)), {"", "", "", ""}), "class");
            }
        }
    }
    return table.html() + caption({"residual", "requests_lost", "error_seconds_per_client",
                                   "switch_back_s", "flaps"});
}

/// The event that keeps clients longest; one that some never leave is worse than any.
const EventFigures* worst_event(const Results& results) {
    const EventFigures* worst = nullptr;
    const auto p99 = [](const EventFigures& event) { return event.moved.p99.value_or(1e18); };
    for (const EventFigures& event : results.events) {
        if (event.takes_out && event.target != "server" && event.share_on_it > 0 &&
            (worst == nullptr || p99(event) > p99(*worst))) {
            worst = &event;
        }
    }
    return worst;
}

std::string card(std::string_view value, std::string_view what, std::string_view css = "") {
    return fmt::format("<li{}><b>{}</b><span>{}</span></li>\n",
                       css.empty() ? "" : fmt::format(" class=\"{}\"", css),
                       base::escape_html(value), base::escape_html(what));
}

/// What one looks for first.
std::string cards_html(const Report& report) {
    std::string out;
    if (!report.verdicts.empty()) {
        const auto held = std::count_if(report.verdicts.begin(), report.verdicts.end(),
                                        [](const Verdict& verdict) { return verdict.ok; });
        out += card(fmt::format("{} of {}", held, report.verdicts.size()), "expectations held",
                    all_ok(report.verdicts) ? "ok" : "fail");
    }
    if (const EventFigures* event = worst_event(report.results)) {
        out += card(seconds_text(event->detect_s), "until it was noticed");
        out += card(seconds_text(event->switch_s), "until no answer named it");
        out += card(seconds_text(event->moved.p90), "until 90 % of its clients had moved");
        out += card(seconds_text(event->moved.p99), "until 99 % of its clients had moved");
        out += card(percent_text(lost_share(*event)), "of all requests lost");
        return fmt::format(
            "<p class=\"dim\">The event that keeps clients longest: {} at {}.</p>\n"
            "<ul class=\"cards\">\n{}</ul>\n",
            base::escape_html(event_text(*event)), moment_text(event->at_s), out);
    }
    return out.empty() ? out : "<ul class=\"cards\">\n" + out + "</ul>\n";
}

std::string countdown_html(const Results& results) {
    const CountdownFigures& countdown = *results.countdown;
    Table table({"event", "TTL", "50 % moved", "90 %", "95 %", "99 %"});
    std::string sentences;
    for (const CountdownEvent& event : countdown.events) {
        table.row(joined({first_cell(results.events[event.event]),
                          fmt::format("{} to {}", moment_text(countdown.ttl_s),
                                      moment_text(countdown.ttl_min_s))},
                         moved_cells(event.counting)));
        table.row(
            joined({"", "stays at " + moment_text(countdown.ttl_s)}, moved_cells(event.fixed)));
        for (const auto& [name, p99] : event.p99_by_class) {
            if (event.p99_by_class.size() > 1) {
                table.row({name, "99 %: " + seconds_text(p99[0]) + ", else " + seconds_text(p99[1]),
                           "", "", "", ""},
                          "class");
            }
        }
        sentences += "<p>" + base::escape_html(countdown_text(countdown, event)) + "</p>\n";
    }
    return table.html() + sentences + caption({"countdown"});
}

std::string loads_html(const Report& report) {
    Table table({"endpoint", "before", "peak", "capacity", "peak of capacity"});
    for (const auto& [name, load] : report.results.load) {
        table.row({name, count_text(load.before_qps) + "/s", count_text(load.peak_qps) + "/s",
                   load.capacity ? count_text(*load.capacity) + "/s" : "-",
                   load.capacity ? percent_text(load.peak_qps / *load.capacity) : "-"});
    }
    return load_chart(report) + table.html() + caption({"load"});
}

std::string places_html(const Results& results) {
    const auto ms = [](const std::optional<double>& rtt) {
        return rtt ? fmt::format("{:.1f} ms", *rtt) : "-";
    };
    Table table({"place", "requests", "round trip before", "during", "added", "lost"});
    for (const RegionFigures& region : results.regions) {
        std::string added = "-";
        if (region.rtt_before_ms && region.rtt_during_ms) {
            added = ms(std::max(0.0, *region.rtt_during_ms - *region.rtt_before_ms));
        }
        table.row({region.place, count_text(region.qps) + "/s", ms(region.rtt_before_ms),
                   ms(region.rtt_during_ms), added,
                   count_text(static_cast<double>(region.requests_lost))});
    }
    return table.html() + caption({"regions"});
}

std::string sweep_html(const Report& report) {
    Table table({"ttl", "ttl_min", "interval", "fall", "queries", "detect", "50 %", "95 %", "99 %",
                 "lost", "errors", "note"});
    for (const SweepPoint& point : report.sweep) {
        table.row(
            {moment_text(point.ttl_s), point.ttl_min_s ? moment_text(*point.ttl_min_s) : "-",
             point.interval_s > 0 ? moment_text(point.interval_s) : "-",
             fmt::format("{}", point.fall), count_text(point.authoritative_qps) + "/s",
             seconds_text(point.detect_s), seconds_text(point.p50_s), seconds_text(point.p95_s),
             seconds_text(point.p99_s), percent_text(point.lost_share),
             fmt::format("{:.1f}", point.error_seconds_per_client), point.note},
            point.pareto ? "pareto" : "");
    }
    return sweep_chart(report) + table.html() + "<p>Bold rows, large points: pareto.</p>\n" +
           caption({"sweep"});
}

std::string list_html(const std::vector<std::string>& sentences) {
    std::string out = "<ul>\n";
    for (const std::string& sentence : sentences) {
        out += fmt::format("<li>{}</li>\n", base::escape_html(sentence));
    }
    return out + "</ul>\n";
}

/// Each event that takes endpoints out, near by.
std::string close_ups(const Report& report) {
    std::string out;
    for (const EventFigures& event : report.results.events) {
        if (event.takes_out && event.target != "server" && event.share_on_it > 0) {
            out += section(fmt::format("{}: {}", moment_text(event.at_s), event_text(event)),
                           "<p class=\"dim\">Seconds after the event:</p>\n" + event_strip(event) +
                               "<h3>Who is still there</h3>\n" + dead_chart(report, &event) +
                               (report.results.closed_form.empty()
                                    ? caption({"clients_on_dead"})
                                    : caption({"clients_on_dead", "closed_form"})));
        }
    }
    return out;
}

}  // namespace

std::string report_html(const Report& report) {
    const Results& results = report.results;
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Drill: " +
        base::escape_html(report.name) + "</title>\n" + std::string(kStyle) + colour_rules() +
        "</head><body>\n";
    out += fmt::format("<h1>Drill of {}</h1>\n<p class=\"dim\">{}; scenario {}</p>\n",
                       base::escape_html(report.name), base::escape_html(headline(report)),
                       base::escape_html(report.scenario));
    out += cards_html(report);
    if (!report.verdicts.empty()) {
        out += section("What was expected", verdicts_html(report));
    }
    out +=
        section("What happens", timeline_strip(report) + moved_html(results) + left_html(results));
    out += section("Clients on what is out",
                   "<p class=\"dim\">As a share of all demand, by who is still there.</p>\n" +
                       dead_chart(report, nullptr) + caption({"clients_on_dead"}));
    out += close_ups(report);
    if (results.countdown && !results.countdown->events.empty()) {
        out += section("What the countdown buys", countdown_html(results));
    }
    out += section("Load at the endpoints", loads_html(report));
    out += section("Queries at the authoritative server",
                   fmt::format("<p>{} before the first event, {} during, {} after; {} switch{} of "
                               "the answer.</p>\n",
                               rate_text(results.authoritative_before_qps),
                               rate_text(results.authoritative_during_qps),
                               rate_text(results.authoritative_after_qps), results.switches,
                               results.switches == 1 ? "" : "es") +
                       authoritative_chart(report) + caption({"authoritative_qps"}));
    out += section("Who asks", places_html(results));
    if (report.validation) {
        out += section("Real resolvers", validation_html(*report.validation));
    }
    if (!report.sweep.empty()) {
        out += section("What each choice costs and buys", sweep_html(report));
    }
    if (!results.notes.empty()) {
        out += section("Notes and citations", list_html(results.notes));
    }
    out += section("What is assumed", list_html(results.assumptions));
    return out + "</body></html>\n";
}

}  // namespace steerd::drill
