// Answers without end: the verdict falls in time and little of them is ever read.
#include <gtest/gtest.h>

#include "harness.h"
#include "health/probers/body_search.h"
#include "health/probers/http_job.h"
#include "servers.h"

namespace steerd::probers::test {
namespace {

using health::ProbeType;

constexpr std::size_t kMuch = 24 * 1024 * 1024;  // what socket buffers can hold, and some

Script endless(std::vector<std::string> parts, std::string rest, int gap_ms = 0) {
    Script script;
    script.parts = std::move(parts);
    script.endless = std::move(rest);
    script.gap = std::chrono::milliseconds(gap_ms);
    return script;
}

const std::string kHeaders = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";

TEST(EndlessAnswer, BodyDoesNotMatterWithoutAnExpectedText) {
    const StreamServer server(endless({kHeaders}, std::string(65536, 'x')));
    Harness harness;
    const auto verdict = harness.run_one(spec_of(ProbeType::Http, server.port()));
    EXPECT_EQ(outcome_text(verdict), "pass: http 200");
    EXPECT_LT(server.octets_sent(), kMuch);
}

TEST(EndlessAnswer, BodyIsSearchedInItsFirst256KiB) {
    const StreamServer server(endless({kHeaders}, std::string(65536, 'x')));
    const StreamServer early(endless({kHeaders, std::string(250000, 'x'), "ok"}, "xx"));
    const StreamServer late(endless({kHeaders, std::string(256 * 1024, 'x'), "ok"}, "xx"));
    Harness harness;
    std::vector<std::pair<health::ProbeSpec, std::string>> specs;
    for (const StreamServer* one : {&server, &early, &late}) {
        auto spec = spec_of(ProbeType::Http, one->port());
        spec.expect_body = "ok";
        specs.emplace_back(spec, "127.0.0.1");
    }
    const auto done = harness.run(specs);
    const std::string none = "fail: http 200 without the expected text in its first 256 KiB";
    EXPECT_EQ(outcome_text(done[0].verdict), none);
    EXPECT_EQ(outcome_text(done[1].verdict), "pass: http 200");
    EXPECT_EQ(outcome_text(done[2].verdict), none);
    EXPECT_LT(server.octets_sent(), kMuch);
}

TEST(EndlessAnswer, HeadersEndAt64KiB) {
    const StreamServer many(endless({"HTTP/1.1 200 OK\r\n"}, "X-More: yes\r\n"));
    const StreamServer one(endless({"HTTP/1.1 200 OK\r\nX-Long: "}, std::string(4096, 'y')));
    const StreamServer interim(endless({}, "HTTP/1.1 103 Early Hints\r\n\r\n"));
    Harness harness;
    std::vector<std::pair<health::ProbeSpec, std::string>> specs;
    for (const StreamServer* server : {&many, &one, &interim}) {
        auto spec = spec_of(ProbeType::Http, server->port());
        specs.emplace_back(spec, "127.0.0.1");
    }
    const auto done = harness.run(specs);
    EXPECT_EQ(outcome_text(done[0].verdict), "fail: headers over 64 KiB");
    EXPECT_EQ(outcome_text(done[1].verdict), "fail: header line too long");
    EXPECT_EQ(outcome_text(done[2].verdict), "fail: headers over 64 KiB");
    EXPECT_LT(many.octets_sent() + one.octets_sent() + interim.octets_sent(), kMuch);
}

TEST(EndlessAnswer, DripsEndAtTheTimeout) {
    const StreamServer status(endless({"H"}, "T", 20));
    const StreamServer headers(endless({"HTTP/1.1 200 OK\r\nX: "}, "x", 20));
    const StreamServer body(endless({kHeaders}, "x", 20));
    Harness harness;
    std::vector<std::pair<health::ProbeSpec, std::string>> specs;
    for (const StreamServer* server : {&status, &headers, &body}) {
        auto spec = hasty(spec_of(ProbeType::Http, server->port()));
        spec.expect_body = "ok";
        specs.emplace_back(spec, "127.0.0.1");
    }
    const auto done = harness.run(specs);
    for (std::size_t i = 1; i < done.size(); ++i) {
        EXPECT_EQ(outcome_text(done[i].verdict), "fail: timeout after 400ms");
        EXPECT_LT(done[i].verdict.latency, std::chrono::milliseconds(1400));
    }
    EXPECT_EQ(done[0].verdict.outcome, health::Outcome::Fail);  // no HTTP, seen early or late
}

TEST(BodySearch, FindsTextAcrossEverySeam) {
    const std::string body = "xxabababcyy";
    for (std::size_t first = 0; first <= body.size(); ++first) {
        for (std::size_t second = first; second <= body.size(); ++second) {
            BodySearch search("ababc", 100);
            search.feed(std::string_view(body).substr(0, first));
            search.feed(std::string_view(body).substr(first, second - first));
            search.feed(std::string_view(body).substr(second));
            EXPECT_EQ(search.state(), BodySearch::State::Found) << first << " " << second;
        }
    }
    BodySearch single("c", 100);
    EXPECT_EQ(single.feed("ab"), BodySearch::State::Searching);
    EXPECT_EQ(single.feed("c"), BodySearch::State::Found);
}

TEST(BodySearch, EndsWithItsWindow) {
    BodySearch inside("abc", 5);
    EXPECT_EQ(inside.feed("xxab"), BodySearch::State::Searching);
    EXPECT_EQ(inside.feed("c"), BodySearch::State::Found);
    BodySearch outside("abc", 4);
    EXPECT_EQ(outside.feed("xxa"), BodySearch::State::Searching);
    EXPECT_EQ(outside.feed("bc"), BodySearch::State::NotInWindow);
    EXPECT_EQ(outside.feed("abc"), BodySearch::State::NotInWindow);
}

}  // namespace
}  // namespace steerd::probers::test
