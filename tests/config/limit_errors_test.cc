// [server.rate_limit] and [server.tcp]: what is taken where keys are left out, and each error.
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

/// The server's part of a configuration with these lines behind it.
ServerConfig server_with(const std::string& lines) {
    const auto loaded = load_text(std::string(kBase) + lines, "c.toml");
    EXPECT_NE(loaded.model, nullptr);
    return loaded.model != nullptr ? loaded.model->server : ServerConfig{};
}

TEST(RateLimitKeys, WithoutTheTableThereIsNone) {
    EXPECT_FALSE(server_with("").rate_limit);
    EXPECT_EQ(server_with("").tcp, TcpConfig{});
}

TEST(RateLimitKeys, AnEmptyTableTurnsItOnWithTheDefaults) {
    const auto limit = server_with("[server.rate_limit]\n").rate_limit;
    ASSERT_TRUE(limit);
    EXPECT_EQ(*limit, RateLimitConfig{});
}

TEST(RateLimitKeys, OtherKindsFollowResponsesUnlessTheySayOtherwise) {
    const auto limit =
        server_with("[server.rate_limit]\nresponses_per_second = 50\nerrors_per_second = 5\n")
            .rate_limit;
    ASSERT_TRUE(limit);
    EXPECT_EQ(limit->nxdomains_per_second, 50U);
    EXPECT_EQ(limit->nodata_per_second, 50U);
    EXPECT_EQ(limit->referrals_per_second, 50U);
    EXPECT_EQ(limit->errors_per_second, 5U);
}

TEST(RateLimitKeys, AllAreTaken) {
    const auto limit =
        server_with(
            "[server.rate_limit]\nresponses_per_second = 1\nnxdomains_per_second = 2\n"
            "nodata_per_second = 3\nreferrals_per_second = 4\nerrors_per_second = 0\n"
            "window = \"10m\"\nslip = 0\nmax_amplification = 0\nipv4_prefix = 32\n"
            "ipv6_prefix = 64\ntable_size = 4096\nexempt = [\"192.0.2.0/24\", \"::1\"]\n")
            .rate_limit;
    ASSERT_TRUE(limit);
    const RateLimitConfig expected{.responses_per_second = 1,
                                   .nxdomains_per_second = 2,
                                   .nodata_per_second = 3,
                                   .referrals_per_second = 4,
                                   .errors_per_second = 0,
                                   .window = minutes(10),
                                   .slip = 0,
                                   .max_amplification = 0,
                                   .ipv4_prefix = 32,
                                   .ipv6_prefix = 64,
                                   .table_size = 4096,
                                   .exempt = {base::IpPrefix::parse("192.0.2.0/24").value(),
                                              base::IpPrefix::parse("::1").value()}};
    EXPECT_EQ(*limit, expected);
}

TEST(RateLimitErrors, EachIsToldWithItsPlace) {
    const std::string table = "[server.rate_limit]\n";
    EXPECT_THAT(problems_with(table + "responses = 5\n"),
                ElementsAre(problem("@2:1: error", "unknown key \"responses\"")));
    EXPECT_THAT(problems_with(table + "errors_per_second = -1\n"),
                ElementsAre(problem("@2:21: error", "must be 0..1000000, got -1")));
    EXPECT_THAT(problems_with(table + "window = \"11m\"\n"),
                ElementsAre(problem("@2:10: error", "window must be at most \"10m\"")));
    EXPECT_THAT(problems_with(table + "slip = 101\n"),
                ElementsAre(problem("@2:8: error", "slip must be 0..100")));
    EXPECT_THAT(problems_with(table + "ipv4_prefix = 33\nipv6_prefix = 65\n"),
                ElementsAre(problem("@2:15: error", "must be 8..32"),
                            problem("@3:15: error", "must be 16..64")));
    EXPECT_THAT(problems_with(table + "exempt = [\"192.0.2.1/24\", \"x\"]\n"),
                ElementsAre(problem("@2:11: error", "got \"192.0.2.1/24\""),
                            problem("@2:27: error", "got \"x\"")));
    EXPECT_THAT(problems_with("[server]\nrate_limit = true\n"), ::testing::SizeIs(1));
}

TEST(TcpKeys, AreTaken) {
    const auto tcp = server_with(
                         "[server.tcp]\nconnections = 100\nconnections_per_prefix = 10\n"
                         "queries_per_connection = 1000\nidle = \"30s\"\n")
                         .tcp;
    EXPECT_EQ(tcp, (TcpConfig{100, 10, 1000, seconds(30)}));
    EXPECT_EQ(server_with("[server.tcp]\nconnections = 100\n").tcp.connections_per_prefix, 25U)
        << "a quarter, unless it is said";
}

TEST(TcpErrors, EachIsToldWithItsPlace) {
    EXPECT_THAT(problems_with("[server.tcp]\nconnections = 0\nidle = \"61m\"\nbacklog = 1\n"),
                ElementsAre(problem("@2:15: error", "connections must be 1..1000000"),
                            problem("@3:8: error", "idle must be at most \"60m\""),
                            problem("@4:1: error", "unknown key \"backlog\"")));
}

}  // namespace
}  // namespace steerd::config
