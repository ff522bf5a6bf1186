// Behind a router that rejects, an ICMP unreachable comes back: the region is gone, a fail. Without
// a route of our own nothing was sent: inconclusive. Same errno, opposite meaning.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "network.h"

namespace steerd::probers::test {
namespace {

using health::Outcome;
using health::ProbeType;

constexpr int kNoNetwork = 99;

struct Case {
    const char* address;
    Outcome outcome;
};

const std::vector<Case> kCases = {
    {"198.51.100.7", Outcome::Fail},       {"203.0.113.7", Outcome::Fail},
    {"2001:db8:66::7", Outcome::Fail},     {"10.77.0.2", Outcome::Fail},  // no listener there
    {"192.0.2.7", Outcome::Inconclusive},  {"2001:db8:99::7", Outcome::Inconclusive},
    {"192.0.2.200", Outcome::Inconclusive}  // our own table says unreachable
};

/// Every kind of probe against every address; the number of wrong verdicts.
int probe_all() {
    const RejectingRouter router;
    if (!router.ready() || !run_command("ip route add unreachable 192.0.2.128/25")) {
        return kNoNetwork;
    }
    std::vector<std::pair<health::ProbeSpec, std::string>> specs;
    for (const Case& one : kCases) {
        for (const ProbeType type :
             {ProbeType::Tcp, ProbeType::Http, ProbeType::Https, ProbeType::Dns}) {
            auto spec = spec_of(type, 8080);
            spec.timeout = std::chrono::milliseconds(2500);
            spec.verify = false;
            spec.query_name = "example.com";
            specs.emplace_back(spec, one.address);
        }
    }
    Harness harness;
    const auto done = harness.run(specs);
    int wrong = 0;
    for (std::size_t i = 0; i < done.size(); ++i) {
        const auto& verdict = done[i].verdict;
        if (verdict.outcome != kCases[i / 4].outcome ||
            ::getenv("STEERD_TEST_VERBOSE") != nullptr) {
            std::fprintf(stderr, "%s %s: %s\n",
                         std::string(health::to_text(specs[i].first.type)).c_str(),
                         specs[i].second.c_str(), outcome_text(verdict).c_str());
        }
        wrong += verdict.outcome != kCases[i / 4].outcome ? 1 : 0;
    }
    return wrong;
}

TEST(UnreachableRegion, FailsButAMissingRouteOfOursDoesNot) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::alarm(12);
        ::_exit(probe_all());
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_NE(WEXITSTATUS(status), kNoNetwork) << "needs root and network namespaces";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace steerd::probers::test
