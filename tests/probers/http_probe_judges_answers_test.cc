// http: status, body and the shape of the answer decide; one GET, with the host that was
// configured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdlib>
#include <list>

#include "harness.h"
#include "servers.h"

namespace steerd::probers::test {
namespace {

using health::ProbeType;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string answer(const std::string& status, const std::string& body = "") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

Script says(std::vector<std::string> parts, Script::End end = Script::End::Close) {
    Script script;
    script.parts = std::move(parts);
    script.gap = std::chrono::milliseconds(5);
    script.end = end;
    return script;
}

struct Case {
    Script script;
    std::string expect_body;
    std::string verdict;
};

/// Runs all side by side, each against a server of its own.
void expect_verdicts(const std::vector<Case>& cases) {
    std::list<StreamServer> servers;
    std::vector<std::pair<health::ProbeSpec, std::string>> specs;
    for (const Case& one : cases) {
        servers.emplace_back(one.script);
        auto spec = spec_of(ProbeType::Http, servers.back().port());
        spec.expect_body = one.expect_body;
        const bool times_out = one.verdict.find("timeout") != std::string::npos;
        specs.emplace_back(times_out ? hasty(spec) : spec, "127.0.0.1");
    }
    Harness harness;
    const auto done = harness.run(specs);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        EXPECT_EQ(outcome_text(done[i].verdict), cases[i].verdict) << "case " << i;
    }
}

TEST(HttpProbe, JudgesByStatus) {
    expect_verdicts({
        {says({answer("200 OK")}), "", "pass: http 200"},
        {says({answer("204 No Content")}), "", "pass: http 204"},
        {says({answer("301 Moved\r\nLocation: http://127.0.0.1:1/")}), "", "pass: http 301"},
        {says({answer("399 Odd")}), "", "pass: http 399"},
        {says({answer("400 Bad Request")}), "", "fail: http 400"},
        {says({answer("404 Not Found")}), "", "fail: http 404"},
        {says({answer("503 Unavailable", "ok")}), "ok", "fail: http 503"},
        {says({"HTTP/1.0 200 OK\r\n\r\nold"}), "", "pass: http 200"},
        {says({"HTTP/1.0 200 OK\r\n\r\nold and ok"}), "ok", "pass: http 200"},
        {says({"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", answer("200 OK")}), "",
         "pass: http 200"},
        {says({"HTTP/1.1 100 Continue\r\n\r\n", answer("500 No")}), "", "fail: http 500"},
    });
}

TEST(HttpProbe, FindsTheExpectedTextHoweverItComes) {
    const std::string chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhea\r\n4\r\nlthy\r\n0\r\n\r\n";
    expect_verdicts({
        {says({answer("200 OK", "all healthy here")}), "healthy", "pass: http 200"},
        {says({"HTTP/1.1 200 OK\r\nContent-Le", "ngth: 7\r\n", "\r\nhe", "alt", "hy"}), "healthy",
         "pass: http 200"},
        {says({chunked}), "healthy", "pass: http 200"},
        {says({"HTTP/1.1 200 OK\r\n\r\nheal", "thy"}, Script::End::HalfClose), "healthy",
         "pass: http 200"},
        {says({answer("200 OK", "all healthy here")}, Script::End::Stay), "healthy",
         "pass: http 200"},
        {says({answer("200 OK", "sorry")}), "healthy", "fail: http 200 without the expected text"},
        {says({answer("200 OK")}), "healthy", "fail: http 200 without the expected text"},
        {says({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nheal"}), "healthy",
         "fail: http 200 without the expected text, cut short"},
    });
}

TEST(HttpProbe, FailsOnWhatIsNoAnswer) {
    std::string binary = "\x16\x03\x01\xff\xfe";
    binary += std::string(300, '\0') + "\r\n\r\n\x80\x90";
    expect_verdicts({
        {says({}), "", "fail: connection closed without an answer"},
        {says({}, Script::End::HalfClose), "", "fail: connection closed without an answer"},
        {says({}, Script::End::Stay), "", "fail: timeout after 400ms"},
        {says({"HTTP/1.1 200 OK\r\nContent-"}), "", "fail: connection closed within the headers"},
        {says({binary}), "", "fail: not an http answer"},
        {says({"220 mail.example.com ESMTP\r\n"}), "", "fail: not an http answer"},
    });
}

TEST(HttpProbe, SendsOneGetWithTheConfiguredHost) {
    const StreamServer server(says({answer("200 OK")}));
    auto spec = spec_of(ProbeType::Http, server.port());
    spec.path = "/health/../check?deep=1";
    spec.host = "www.example.com";
    ::setenv("http_proxy", "http://127.0.0.1:9/", 1);  // is not ours to follow
    Harness harness;
    EXPECT_EQ(outcome_text(harness.run_one(spec)), "pass: http 200");
    ::unsetenv("http_proxy");
    EXPECT_THAT(server.request(), StartsWith("GET /health/../check?deep=1 HTTP/1.1\r\n"));
    EXPECT_THAT(server.request(), HasSubstr("\r\nHost: www.example.com\r\n"));
    EXPECT_THAT(server.request(), HasSubstr("\r\nConnection: close\r\n"));

    spec.host.clear();
    EXPECT_EQ(outcome_text(harness.run_one(spec)), "pass: http 200");
    EXPECT_THAT(server.request(),
                HasSubstr("\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
    EXPECT_EQ(server.connections(), 2U);
}

TEST(HttpProbe, WorksOverIpv6) {
    const StreamServer server(says({answer("200 OK")}), "::1");
    Harness harness;
    EXPECT_EQ(outcome_text(harness.run_one(spec_of(ProbeType::Http, server.port()), "::1")),
              "pass: http 200");
    EXPECT_THAT(server.request(),
                HasSubstr("\r\nHost: [::1]:" + std::to_string(server.port()) + "\r\n"));
}

TEST(HttpProbe, HonoursStatusRanges) {
    const StreamServer server(says({answer("418 Teapot")}));
    auto spec = spec_of(ProbeType::Http, server.port());
    Harness harness;
    spec.expect_status = {{200, 299}, {418, 418}};
    EXPECT_EQ(outcome_text(harness.run_one(spec)), "pass: http 418");
    spec.expect_status = {{200, 417}, {419, 599}};
    EXPECT_EQ(outcome_text(harness.run_one(spec)), "fail: http 418");
}

TEST(HttpProbe, FailsWhenRefused) {
    const Listening closed = refusing(SOCK_STREAM);
    Harness harness;
    EXPECT_EQ(outcome_text(harness.run_one(spec_of(ProbeType::Http, closed.port))),
              "fail: connection refused");
}

TEST(HttpProbe, IsSlowWhenTheAnswerIs) {
    Script script = says({"HTTP/1.1 200 OK\r\n", "\r\n"});
    script.gap = std::chrono::milliseconds(60);
    const StreamServer server(script);
    auto spec = spec_of(ProbeType::Http, server.port());
    spec.slow_after = std::chrono::milliseconds(50);
    Harness harness;
    const auto verdict = harness.run_one(spec);
    EXPECT_EQ(outcome_text(verdict), "slow: http 200");
    EXPECT_GE(verdict.latency, std::chrono::milliseconds(55));
}

TEST(HttpProbe, SaysNothingWhenHostAndPathMakeNoUrl) {
    const StreamServer server(says({answer("200 OK")}));
    auto spec = spec_of(ProbeType::Http, server.port());
    spec.host = "bad host";
    Harness harness;
    EXPECT_EQ(outcome_text(harness.run_one(spec)), "inconclusive: host and path make no URL");
    EXPECT_EQ(server.connections(), 0U);
}

}  // namespace
}  // namespace steerd::probers::test
