// The worst failover time of a name: product.md §5, last paragraph.
#include "config/worst_case.h"

#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::optional<WorstCase> worst_with(const std::string& probes, const std::string& steer,
                                    const std::string& used = "\"p\"") {
    const auto text = std::string(kBase) + "x = { route = \"r\"" + steer + " }\n" + probes +
                      "[endpoints.d]\naddresses = [\"192.0.2.8\"]\nprobes = [" + used +
                      "]\n[routes.r]\npolicy = \"failover\"\nmembers = [\"d\"]\n";
    const auto loaded = load_text(text, "c.toml");
    EXPECT_NE(loaded.model, nullptr) << loaded.problems.text();
    if (loaded.model == nullptr) {
        return std::nullopt;
    }
    const auto& steered = loaded.model->zones.at(0).steer.at(1);
    const auto worst = worst_case(*loaded.model, steered);
    EXPECT_EQ(worst.has_value(), worst_cases(*loaded.model).at(1).worst.has_value());
    return worst;
}

constexpr const char* kProbe = "[probes.p]\ntype = \"http\"\n";

TEST(WorstCase, DefaultsOfAProbe) {
    const auto worst = worst_with(kProbe, "");
    ASSERT_TRUE(worst);
    EXPECT_EQ(worst->detect, seconds(11));
    EXPECT_EQ(worst->publish, milliseconds(100));
    EXPECT_EQ(worst->ttl, seconds(60));
    EXPECT_EQ(worst->total(), milliseconds(71100));
}

TEST(WorstCase, TtlMinLetsTheCountdownShortenTheTtl) {
    const auto worst = worst_with(kProbe, ", ttl_min = \"5s\"");
    ASSERT_TRUE(worst);
    EXPECT_EQ(worst->ttl, seconds(56));
    EXPECT_EQ(worst->total(), milliseconds(67100));
}

TEST(WorstCase, TtlNeverFallsBelowTtlMin) {
    const auto worst = worst_with(kProbe, ", ttl = \"6s\", ttl_min = \"5s\"");
    ASSERT_TRUE(worst);
    EXPECT_EQ(worst->ttl, seconds(5));
}

TEST(WorstCase, FallOfOneIsDetectedAtOnce) {
    const auto worst = worst_with(std::string(kProbe) + "fall = 1\n", ", ttl_min = \"5s\"");
    ASSERT_TRUE(worst);
    EXPECT_EQ(worst->detect, seconds(7));
    EXPECT_EQ(worst->ttl, seconds(60));
}

TEST(WorstCase, FastIntervalAboveTimeoutCounts) {
    const auto worst =
        worst_with(std::string(kProbe) + "timeout = \"500ms\"\nfast_interval = \"3s\"\n", "");
    ASSERT_TRUE(worst);
    EXPECT_EQ(worst->detect, seconds(5) + 2 * seconds(3) + milliseconds(500));
}

TEST(WorstCase, IsThatOfTheSlowestProbe) {
    const auto worst =
        worst_with(std::string(kProbe) + "[probes.q]\ntype = \"http\"\ninterval = \"30s\"\n", "",
                   "\"p\", \"q\"");
    ASSERT_TRUE(worst);
    EXPECT_EQ(worst->detect, seconds(36));
}

TEST(WorstCase, WhereNothingIsProbedThereIsNone) { EXPECT_FALSE(worst_with("", "", "")); }

}  // namespace
}  // namespace steerd::config
