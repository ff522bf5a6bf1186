// The three reports: plain text stays plain, the page is closed in itself whatever names say, JSON
// has its words; none stumbles over a drill in which nothing happened.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/html.h"
#include "drill/report_html.h"
#include "drill/report_json.h"
#include "drill/report_svg.h"
#include "drill/report_text.h"
#include "drill/report_words.h"

namespace steerd::drill {
namespace {

Report outage(std::size_t classes) {
    Report report;
    report.scenario = "s.toml";
    report.name = "www.example.com.";
    report.type = "A";
    report.duration_s = 600;
    Results& r = report.results;
    r.seed = 7;
    r.endpoints = {"tokyo", "virginia"};
    r.load["tokyo"] = {1000, 1000, std::nullopt};
    r.load["virginia"] = {500, 1500, 1200};
    EventFigures event;
    event.at_s = 60;
    event.what = "kill";
    event.target = "<script>alert('x')</script>";
    event.takes_out = true;
    event.detect_s = 6.2;
    event.switch_s = 6.25;
    event.moved = {20, 30, 32.5, 34};
    event.requests = 1000;
    event.requests_lost = 15;
    event.share_on_it = 0.6;
    for (std::size_t i = 0; i < classes; ++i) {
        r.classes.push_back("class & \"" + std::to_string(i) + "\"");
        event.by_class[r.classes.back()] = {};
    }
    r.events = {event};
    for (int t = 0; t <= 600; t += 5) {
        CurvePoint point;
        point.t_s = t;
        point.clients_on_dead = t >= 60 && t < 100 ? 0.6 * (100 - t) / 40 : 0;
        point.by_class.assign(classes, point.clients_on_dead / static_cast<double>(classes));
        point.load_qps = {1000 * (1 - point.clients_on_dead), 500};
        point.authoritative_qps = 40;
        r.curve.push_back(point);
    }
    r.closed_form = {r.curve.begin() + 12, r.curve.begin() + 20};
    r.regions = {{"JP", 1000, 2.0, 160.0, 15}, {"US", 500, std::nullopt, std::nullopt, 0}};
    r.assumptions = {
        "It is assumed that this sentence is so long that it does not fit into one "
        "line of a terminal that has seventy-eight columns."};
    r.notes = {"Population: a <citation>."};
    report.verdicts = {{"detect", "<= 5s", 6.2, Unit::Seconds, false},
                       {"switches", "<= 4", 2.0, Unit::Count, true},
                       {"clients_moved_p99", "<= 5s", std::nullopt, Unit::Seconds, false}};
    return report;
}

TEST(Reports, PlainTextIsPlainAndNarrow) {
    const std::string text = report_text(outage(3), {});
    for (const char c : text) {
        ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
    }
    EXPECT_NE(text.find("FAIL  detect"), std::string::npos);
    EXPECT_NE(text.find("ok    switches"), std::string::npos);
    EXPECT_NE(text.find("never"), std::string::npos);
    EXPECT_NE(text.find("#"), std::string::npos) << "a plot";
    EXPECT_NE(text.find("125 %"), std::string::npos) << "of the capacity";
    const std::string drawn = report_text(outage(3), {.terminal = true});
    EXPECT_NE(drawn.find("\u2588"), std::string::npos);
}

TEST(Reports, ThePageIsClosedInItselfWhateverNamesSay) {
    for (const std::size_t classes : {1U, 3U, 20U}) {
        const std::string page = report_html(outage(classes));
        EXPECT_EQ(page.find("<script"), std::string::npos);
        EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
        EXPECT_EQ(page.find("src="), std::string::npos);
        EXPECT_EQ(page.find("http"), std::string::npos);
        EXPECT_EQ(page.find("nan"), std::string::npos);
        EXPECT_NE(page.find("closed form"), std::string::npos);
        EXPECT_NE(page.find("prefers-color-scheme:dark"), std::string::npos);
        EXPECT_NE(page.find("a &lt;citation&gt;."), std::string::npos);
        EXPECT_EQ(page.find("others") != std::string::npos, classes > 8);
    }
}

TEST(Reports, JsonHasItsWords) {
    const auto json = nlohmann::json::parse(report_json(outage(2)));
    EXPECT_EQ(json["events"][0]["detect_s"], 6.2);
    EXPECT_EQ(json["events"][0]["clients_moved_s"]["p99"], 34);
    EXPECT_TRUE(json["events"][0]["residual"]["1h"].is_null());
    EXPECT_EQ(json["expect"][0]["ok"], false);
    EXPECT_TRUE(json["expect"][2]["value"].is_null());
    EXPECT_EQ(json["load"]["virginia"]["peak_qps"], 1500);
    EXPECT_EQ(json["curve"].size(), 121U);
    EXPECT_EQ(json["curve"][13]["load_qps"]["virginia"], 500);
}

TEST(Reports, NothingHappenedIsAReportToo) {
    Report report;
    report.duration_s = 10;
    report.results.curve = {CurvePoint{}};
    EXPECT_NE(report_text(report, {}).find("nothing happens"), std::string::npos);
    EXPECT_NE(report_html(report).find("No demand is on anything"), std::string::npos);
    EXPECT_TRUE(nlohmann::json::accept(report_json(report)));
}

TEST(Reports, MomentsAndCountsReadWell) {
    EXPECT_EQ(moment_text(0), "0");
    EXPECT_EQ(moment_text(300), "5m");
    EXPECT_EQ(moment_text(330), "5m 30s");
    EXPECT_EQ(moment_text(7.5), "7.5s");
    EXPECT_EQ(moment_text(90061), "1d 1h 1m 1s");
    EXPECT_EQ(moment_text(60.5), "1m 0.5s");
    EXPECT_EQ(count_text(12345), "12.3k");
    EXPECT_EQ(count_text(1530000), "1.5M");
    EXPECT_EQ(count_text(7.04), "7.0");
    EXPECT_EQ(percent_text(0.0153), "1.5 %");
    EXPECT_EQ(base::escape_html("<a href='x'>&\"</a>"),
              "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
}

}  // namespace
}  // namespace steerd::drill
