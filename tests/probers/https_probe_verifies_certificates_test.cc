// https: chain, dates and name are verified unless told otherwise, the name is sent as SNI, and the
// end of the certificate is reported whether it is good or not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "certificates.h"
#include "harness.h"
#include "servers.h"

namespace steerd::probers::test {
namespace {

using health::ProbeType;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class HttpsProbe : public ::testing::Test {
  protected:
    health::ProbeSpec spec(const TlsServer& server) {
        auto out = spec_of(ProbeType::Https, server.port());
        out.host = "www.example.com";
        out.expect_body = "ok";
        out.ca_file = certificates_.ca_file();
        return out;
    }

    /// Days from now to the end of the certificate, rounded.
    static long days_left(const health::Verdict& verdict) {
        if (!verdict.certificate_expires) {
            return -9999;
        }
        const auto left = *verdict.certificate_expires - base::RealClock().now().wall;
        return std::chrono::round<std::chrono::duration<long, std::ratio<86400>>>(left).count();
    }

    std::string issue(const std::string& names, int from = -50, int to = 30) {
        return certificates_.issue(names, from, to);
    }

    Certificates certificates_;
    Harness harness_;
};

TEST_F(HttpsProbe, PassesWithAGoodCertificateAndReportsItsEnd) {
    const TlsServer server(issue("DNS:www.example.com"), certificates_.key_file(), kAnswer);
    for (int i = 0; i < 3; ++i) {  // each a full handshake, so each sees the certificate
        const auto verdict = harness_.run_one(spec(server));
        EXPECT_EQ(outcome_text(verdict), "pass: http 200");
        EXPECT_EQ(days_left(verdict), 30);
    }
    EXPECT_EQ(server.server_name(), "www.example.com");
    EXPECT_THAT(server.request(), HasSubstr("\r\nHost: www.example.com\r\n"));
}

TEST_F(HttpsProbe, MatchesAnAddressWithoutHost) {
    const TlsServer server(issue("IP:127.0.0.1"), certificates_.key_file(), kAnswer);
    auto good = spec(server);
    good.host.clear();
    EXPECT_EQ(outcome_text(harness_.run_one(good)), "pass: http 200");
    EXPECT_EQ(server.server_name(), "");  // RFC 6066 §3: no literal addresses
}

TEST_F(HttpsProbe, FailsOnAnExpiredCertificateAndReportsItsEnd) {
    const TlsServer server(issue("DNS:www.example.com", -50, -2), certificates_.key_file(),
                           kAnswer);
    const auto verdict = harness_.run_one(spec(server));
    EXPECT_EQ(outcome_text(verdict), "fail: certificate expired");
    EXPECT_EQ(days_left(verdict), -2);
}

TEST_F(HttpsProbe, FailsOnACertificateOfTomorrow) {
    const TlsServer server(issue("DNS:www.example.com", 2, 30), certificates_.key_file(), kAnswer);
    EXPECT_EQ(outcome_text(harness_.run_one(spec(server))), "fail: certificate not yet valid");
}

TEST_F(HttpsProbe, FailsOnAnotherName) {
    const TlsServer server(issue("DNS:other.example.com"), certificates_.key_file(), kAnswer);
    EXPECT_EQ(outcome_text(harness_.run_one(spec(server))),
              "fail: certificate is not for www.example.com");
}

TEST_F(HttpsProbe, FailsOnAnUnknownAuthority) {
    const TlsServer server(issue("DNS:www.example.com"), certificates_.key_file(), kAnswer);
    const Certificates others("Other CA");
    const Certificates impostor;  // its authority has the name of ours
    for (const Certificates* trusted : {&others, &impostor}) {
        auto strict = spec(server);
        strict.ca_file = trusted->ca_file();
        const auto verdict = harness_.run_one(strict);
        EXPECT_THAT(outcome_text(verdict), StartsWith("fail: certificate not trusted: "));
        EXPECT_EQ(days_left(verdict), 30);
    }
}

TEST_F(HttpsProbe, AcceptsAnythingWithoutVerify) {
    const TlsServer server(issue("DNS:other.example.com", -50, -2), certificates_.key_file(),
                           kAnswer);
    auto lax = spec(server);
    lax.verify = false;
    lax.ca_file.clear();
    const auto verdict = harness_.run_one(lax);
    EXPECT_EQ(outcome_text(verdict), "pass: http 200");
    EXPECT_EQ(days_left(verdict), -2);
}

TEST_F(HttpsProbe, KeepsTwoBundlesApart) {
    const Certificates others("Other CA");
    const TlsServer ours(issue("DNS:www.example.com"), certificates_.key_file(), kAnswer);
    auto good = spec(ours);
    auto bad = good;
    bad.ca_file = others.ca_file();
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(harness_.run_one(good).outcome, health::Outcome::Pass);
        EXPECT_EQ(harness_.run_one(bad).outcome, health::Outcome::Fail);
    }
}

TEST_F(HttpsProbe, ReadsAChangedBundleAgain) {
    const TlsServer server(issue("DNS:www.example.com"), certificates_.key_file(), kAnswer);
    const Certificates others("Other CA");
    const auto bundle = certificates_.folder() / "bundle.pem";
    std::filesystem::copy_file(others.ca_file(), bundle);
    auto changing = spec(server);
    changing.ca_file = bundle.string();
    EXPECT_EQ(harness_.run_one(changing).outcome, health::Outcome::Fail);
    std::ofstream(bundle, std::ios::app) << std::ifstream(certificates_.ca_file()).rdbuf();
    EXPECT_EQ(harness_.run_one(changing).outcome, health::Outcome::Pass);
}

TEST_F(HttpsProbe, SaysNothingWithoutAReadableBundle) {
    const TlsServer server(issue("DNS:www.example.com"), certificates_.key_file(), kAnswer);
    auto missing = spec(server);
    missing.ca_file = (certificates_.folder() / "missing.pem").string();
    EXPECT_THAT(outcome_text(harness_.run_one(missing)),
                StartsWith("inconclusive: cannot read CA file "));
    missing.ca_file = certificates_.key_file();
    EXPECT_THAT(outcome_text(harness_.run_one(missing)),
                StartsWith("inconclusive: no certificate in CA file "));
}

TEST_F(HttpsProbe, FailsWhenThePeerSpeaksNoTls) {
    Script script;
    script.parts = {"HTTP/1.1 400 Bad Request\r\n\r\n"};
    script.wait_for_request = false;
    const StreamServer plain(script);
    Script silent;
    silent.end = Script::End::Stay;
    const StreamServer frozen(silent);
    auto to_plain = spec_of(ProbeType::Https, plain.port());
    to_plain.verify = false;
    auto to_frozen = hasty(spec_of(ProbeType::Https, frozen.port()));
    to_frozen.verify = false;
    const auto done = harness_.run({{to_plain, "127.0.0.1"}, {to_frozen, "127.0.0.1"}});
    EXPECT_THAT(outcome_text(done[0].verdict), StartsWith("fail: tls: "));
    EXPECT_EQ(outcome_text(done[1].verdict), "fail: timeout after 400ms");
}

}  // namespace
}  // namespace steerd::probers::test
