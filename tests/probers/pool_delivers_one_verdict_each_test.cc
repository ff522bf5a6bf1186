// The pool: one verdict for each check, a bound on what is in flight, a quick end, nothing leaked.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "harness.h"
#include "health/probers/socket.h"
#include "servers.h"

namespace steerd::probers::test {
namespace {

using health::ProbeType;

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

Script frozen() {
    Script script;
    script.end = Script::End::Stay;
    return script;
}

Script good() {
    Script script;
    script.parts = {kOk};
    return script;
}

TEST(Pool, GivesEachOfManyChecksOneVerdict) {
    const StreamServer server(good());
    const Listening closed = refusing(SOCK_STREAM);
    const auto http = spec_of(ProbeType::Http, server.port());
    const auto tcp = spec_of(ProbeType::Tcp, server.port());
    const auto refused = spec_of(ProbeType::Http, closed.port);
    std::vector<std::pair<health::ProbeSpec, std::string>> specs;
    for (int i = 0; i < 300; ++i) {
        specs.emplace_back(i % 3 == 0 ? http : i % 3 == 1 ? tcp : refused, "127.0.0.1");
    }
    Harness harness({50});
    const auto done = harness.run(specs);
    for (std::size_t i = 0; i < done.size(); ++i) {
        EXPECT_EQ(outcome_text(done[i].verdict), i % 3 == 0   ? "pass: http 200"
                                                 : i % 3 == 1 ? "pass: connected"
                                                              : "fail: connection refused");
    }
}

TEST(Pool, HoldsBackWhatIsOverTheBound) {
    const StreamServer server(frozen());
    auto spec = spec_of(ProbeType::Http, server.port());
    spec.timeout = std::chrono::milliseconds(150);
    Harness harness({2, 1});
    const auto done = harness.run({16, {spec, "127.0.0.1"}});
    std::vector<std::pair<base::Mono, int>> steps;
    for (std::size_t i = 0; i < done.size(); ++i) {
        EXPECT_EQ(outcome_text(done[i].verdict), "fail: timeout after 150ms");
        EXPECT_LT(done[i].verdict.latency, std::chrono::milliseconds(900));  // the wait is no part
        steps.emplace_back(done[i].started, 1);
        steps.emplace_back(done[i].ended, -1);
        if (i > 0) {
            EXPECT_GE(done[i].started, done[i - 1].started);  // in order
        }
    }
    std::sort(steps.begin(), steps.end());
    int in_flight = 0;
    for (const auto& [when, change] : steps) {
        in_flight += change;
        EXPECT_LE(in_flight, 2);
    }
}

TEST(Pool, EndsWithinASecondWithEverythingInFlight) {
    const std::size_t before = open_descriptors();
    {
        const StreamServer server(frozen());
        const DnsServer silent([](const auto&, bool) { return std::vector<DnsServer::Octets>{}; });
        auto exec = spec_of(ProbeType::Exec, 0);
        exec.command = {"/bin/sleep", "100"};
        auto dns = spec_of(ProbeType::Dns, silent.port());
        dns.query_name = "example.com";
        auto https = spec_of(ProbeType::Https, server.port());
        https.verify = false;
        Harness harness({30});
        std::vector<health::StartCheck> checks;
        for (std::uint32_t i = 0; i < 60; ++i) {
            auto spec = i % 4 == 0   ? exec
                        : i % 4 == 1 ? dns
                        : i % 4 == 2 ? https
                                     : spec_of(ProbeType::Http, server.port());
            spec.timeout = std::chrono::seconds(30);
            checks.push_back(check_of(i, spec, "127.0.0.1"));
        }
        harness.pool().start(checks);
        harness.pool().resolve({7, "sorry.example.net", silent.address()});
        ASSERT_TRUE(eventually([&] { return server.connections() > 5 && silent.queries() > 5; }));
        const auto begin = std::chrono::steady_clock::now();
        harness.destroy_pool();
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
        EXPECT_TRUE(harness.collector().checks().empty());
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was left";
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Pool, LeavesNoDescriptorBehindChecks) {
    const StreamServer server(good());
    const StreamServer silent(frozen());
    auto exec = spec_of(ProbeType::Exec, 0);
    exec.command = {"/bin/true"};
    auto slow = spec_of(ProbeType::Http, silent.port());
    slow.timeout = std::chrono::milliseconds(50);
    Harness harness;
    const auto round = [&] {
        std::vector<std::pair<health::ProbeSpec, std::string>> specs;
        for (int i = 0; i < 40; ++i) {
            specs.emplace_back(i % 4 == 0   ? exec
                               : i % 4 == 1 ? slow
                               : i % 4 == 2 ? spec_of(ProbeType::Tcp, server.port())
                                            : spec_of(ProbeType::Http, server.port()),
                               "127.0.0.1");
        }
        harness.run(specs);
    };
    round();
    const auto all_closed = [](std::size_t count) {
        return eventually([count] { return open_descriptors() <= count; });
    };
    // The servers close their ends a moment later, so this is looked for and not at.
    ASSERT_TRUE(eventually([] { return open_descriptors() < 60; }));
    const std::size_t before = open_descriptors();
    round();
    round();
    EXPECT_TRUE(all_closed(before));
}

/// Runs `body` in a process of its own; its exit status.
int in_child(const std::function<int()>& body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::alarm(10);
        ::_exit(body());
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST(Pool, SaysNothingOfEndpointsWhenNoDescriptorIsLeft) {
    const Listening server = listen_on("127.0.0.1", SOCK_STREAM, 16);
    const int status = in_child([&] {
        Harness harness;
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = 200;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        while (::dup(server.fd.get()) >= 0) {
        }
        auto dns = spec_of(ProbeType::Dns, server.port);
        dns.query_name = "example.com";
        auto exec = spec_of(ProbeType::Exec, 0);
        exec.command = {"/bin/true"};
        auto https = spec_of(ProbeType::Https, server.port);
        https.verify = false;
        const auto done = harness.run({{spec_of(ProbeType::Tcp, server.port), "127.0.0.1"},
                                       {spec_of(ProbeType::Http, server.port), "127.0.0.1"},
                                       {https, "::1"},
                                       {dns, "127.0.0.1"},
                                       {exec, "127.0.0.1"}});
        int bad = 0;
        for (const auto& check : done) {
            const bool right = check.verdict.outcome == health::Outcome::Inconclusive &&
                               check.verdict.reason.find("no descriptor left") != std::string::npos;
            if (!right) {
                std::fprintf(stderr, "%s\n", outcome_text(check.verdict).c_str());
                ++bad;
            }
        }
        return bad;
    });
    EXPECT_EQ(status, 0);
}

TEST(Pool, LooksAtItsSocketsOnceMoreWhenItWasHeldUpItself) {
    const int status = in_child([] {
        const Listening listening = listen_on("127.0.0.1", SOCK_STREAM, 16);
        Harness harness;
        auto spec = spec_of(ProbeType::Http, listening.port);
        spec.timeout = std::chrono::milliseconds(300);
        harness.pool().start({check_of(0, spec, "127.0.0.1")});
        pollfd waiting{listening.fd.get(), POLLIN, 0};
        ::poll(&waiting, 1, 5000);
        const Fd peer(::accept(listening.fd.get(), nullptr, nullptr));
        // The answer comes in time, while this whole process stands still past the deadline.
        const pid_t waker = ::fork();
        if (waker == 0) {
            ::send(peer.get(), kOk.data(), kOk.size(), MSG_NOSIGNAL);
            ::usleep(500'000);
            ::kill(::getppid(), SIGCONT);
            ::_exit(0);
        }
        ::kill(::getpid(), SIGSTOP);
        ::waitpid(waker, nullptr, 0);
        if (!harness.collector().wait_checks(1)) {
            return 1;
        }
        return harness.collector().checks().front().verdict.outcome == health::Outcome::Pass ? 0
                                                                                             : 2;
    });
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace steerd::probers::test
