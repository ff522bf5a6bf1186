// tcp: a connection passes, a refusal and silence fail, what never left this machine says nothing.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "harness.h"
#include "servers.h"

namespace steerd::probers::test {
namespace {

using health::Outcome;
using health::ProbeType;

TEST(TcpProbe, PassesWhenConnectedOverBothFamilies) {
    const StreamServer v4({});
    const StreamServer v6({}, "::1");
    Harness harness;
    const auto done = harness.run({{spec_of(ProbeType::Tcp, v4.port()), "127.0.0.1"},
                                   {spec_of(ProbeType::Tcp, v6.port()), "::1"}});
    for (const auto& check : done) {
        EXPECT_EQ(outcome_text(check.verdict), "pass: connected");
        EXPECT_EQ(check.run, 1000 + static_cast<std::uint64_t>(check.check));
        EXPECT_EQ(check.verdict.latency, check.ended - check.started);
        EXPECT_GT(check.verdict.latency.count(), 0);
        EXPECT_FALSE(check.verdict.certificate_expires);
    }
}

TEST(TcpProbe, FailsWhenRefused) {
    const Listening closed = refusing(SOCK_STREAM);
    Harness harness;
    const auto verdict = harness.run_one(spec_of(ProbeType::Tcp, closed.port));
    EXPECT_EQ(outcome_text(verdict), "fail: connection refused");
}

TEST(TcpProbe, FailsAtTheTimeoutWhenTheBacklogIsFull) {
    const Listening frozen = listen_on("127.0.0.1", SOCK_STREAM, 0);
    const base::SocketAddress target{base::IpAddress::v4(0x7F000001), frozen.port};
    std::vector<Fd> filling;
    for (int i = 0; i < 4; ++i) {
        filling.push_back(open_socket(base::IpFamily::V4, Transport::Tcp));
        static_cast<void>(connect_socket(filling.back().get(), target));
    }
    Harness harness;
    const auto verdict = harness.run_one(hasty(spec_of(ProbeType::Tcp, frozen.port)));
    EXPECT_EQ(outcome_text(verdict), "fail: timeout after 400ms");
    EXPECT_GE(verdict.latency, std::chrono::milliseconds(400));
    EXPECT_LT(verdict.latency, std::chrono::milliseconds(1400));
}

TEST(TcpProbe, IsSlowBeyondSlowAfter) {
    const StreamServer server({});
    auto spec = spec_of(ProbeType::Tcp, server.port());
    spec.slow_after = std::chrono::nanoseconds(1);
    Harness harness;
    EXPECT_EQ(outcome_text(harness.run_one(spec)), "slow: connected");
}

TEST(SocketErrors, BlameUsOnlyForWhatCameAtOnce) {
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, ENETUNREACH,
                            EHOSTUNREACH, EACCES, EPERM, EINVAL, EAFNOSUPPORT}) {
        EXPECT_EQ(judge_error(error, Reported::AtOnce).outcome, Outcome::Inconclusive) << error;
    }
    for (const int error : {ECONNREFUSED, ECONNRESET, ETIMEDOUT}) {
        EXPECT_EQ(judge_error(error, Reported::AtOnce).outcome, Outcome::Fail) << error;
    }
    for (const int error : {ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, ETIMEDOUT, EACCES}) {
        EXPECT_EQ(judge_error(error, Reported::Later).outcome, Outcome::Fail) << error;
    }
}

TEST(Printable, KeepsReasonsShortAndPlain) {
    EXPECT_EQ(printable("a\x01\xff\nb"), "a???b");
    EXPECT_EQ(printable(std::string(1000, 'x')).size(), 200U);
}

}  // namespace
}  // namespace steerd::probers::test
