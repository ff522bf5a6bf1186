// Each error of [probes], with its place, and the defaults of the timing.
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

auto probe(const std::string& lines) { return problems_with("[probes.p]\n" + lines); }

health::ProbeSpec spec_of(const std::string& lines) {
    const auto loaded = load_text(std::string(kBase) + "[probes.p]\n" + lines, "/etc/c.toml");
    EXPECT_NE(loaded.model, nullptr) << loaded.problems.text();
    return loaded.model == nullptr ? health::ProbeSpec{} : *loaded.model->probes.at(1).spec;
}

TEST(ProbeErrors, Type) {
    EXPECT_THAT(probe("port = 80\n"), ElementsAre(problem("@1:1: error", "type is missing")));
    EXPECT_THAT(
        probe("type = \"htp\"\npath = \"/\"\n"),
        ElementsAre(problem("@2:8: error",
                            "type must be \"http\", \"https\", \"tcp\", \"dns\" or "
                            "\"exec\", got \"htp\"; did you mean \"http\"? (probe \"p\")")));
}

TEST(ProbeErrors, UnknownKey) {
    EXPECT_THAT(probe("type = \"http\"\nintervall = \"5s\"\n"),
                ElementsAre(problem("@3:1: error", "did you mean \"interval\"? (probe \"p\")")));
}

TEST(ProbeErrors, KeyOfAnotherType) {
    EXPECT_THAT(
        probe("type = \"tcp\"\nport = 1\npath = \"/\"\n"),
        ElementsAre(problem("@4:1: error", "path belongs to types \"http\" and \"https\"")));
    EXPECT_THAT(probe("type = \"http\"\nquery = \"a A\"\ncommand = [\"x\"]\n"),
                ElementsAre(problem("@3:1: error", "query belongs to type \"dns\""),
                            problem("@4:1: error", "command belongs to type \"exec\"")));
}

TEST(ProbeErrors, Port) {
    EXPECT_THAT(probe("type = \"tcp\"\n"),
                ElementsAre(problem("@1:1: error", "a tcp probe needs a port")));
    for (const char* bad : {"0", "65536", "-1", "9223372036854775807"}) {
        EXPECT_THAT(probe(std::string("type = \"tcp\"\nport = ") + bad + "\n"),
                    ElementsAre(problem("@3:8: error", "port must be 1..65535, got")));
    }
}

TEST(ProbeErrors, HttpKeys) {
    EXPECT_THAT(probe("type = \"http\"\npath = \"health\"\n"),
                ElementsAre(problem("@3:8: error", "path must begin with \"/\"")));
    EXPECT_THAT(probe("type = \"http\"\npath = \"/a b\"\n"),
                ElementsAre(problem("@3:8: error", "hold no space")));
    EXPECT_THAT(probe("type = \"http\"\nhost = \"a\\r\\nX: y\"\n"),
                ElementsAre(problem("@3:8: error", "control character")));
    EXPECT_THAT(probe("type = \"http\"\nexpect_body = \"\"\n"),
                ElementsAre(problem("@3:15: error", "a string that is not empty")));
    EXPECT_THAT(probe("type = \"https\"\nverify = 1\n"),
                ElementsAre(problem("@3:10: error", "verify must be true or false")));
}

TEST(ProbeErrors, ExpectStatus) {
    for (const char* bad : {"[\"299-200\"]", "[\"2xx\"]", "[\"99\"]", "[600]", "[true]", "[\"\"]",
                            "[\"200-\"]", "[\"-200\"]"}) {
        EXPECT_THAT(probe(std::string("type = \"http\"\nexpect_status = ") + bad + "\n"),
                    ElementsAre(problem("@3:18: error", "a status 100..599 or a range")));
    }
    EXPECT_THAT(probe("type = \"http\"\nexpect_status = []\n"),
                ElementsAre(problem("@3:17: error", "nothing could pass")));
    EXPECT_EQ(
        spec_of("type = \"http\"\nexpect_status = [200, \"301\", \"400-404\"]\n").expect_status,
        (std::vector<std::pair<int, int>>{{200, 200}, {301, 301}, {400, 404}}));
    EXPECT_EQ(spec_of("type = \"http\"\nexpect_status = 204\n").expect_status,
              (std::vector<std::pair<int, int>>{{204, 204}}));
    EXPECT_EQ(spec_of("type = \"http\"\n").expect_status,
              (std::vector<std::pair<int, int>>{{200, 399}}));
}

TEST(ProbeErrors, DnsQuery) {
    EXPECT_THAT(probe("type = \"dns\"\n"), ElementsAre(problem("@1:1: error", "needs a query")));
    EXPECT_THAT(probe("type = \"dns\"\nquery = \"example.com\"\n"),
                ElementsAre(problem("@3:9: error", "a name and a type")));
    EXPECT_THAT(probe("type = \"dns\"\nquery = \"example.com A B\"\n"),
                ElementsAre(problem("@3:9: error", "a name and a type")));
    EXPECT_THAT(probe("type = \"dns\"\nquery = \"a..b A\"\n"),
                ElementsAre(problem("@3:9: error", "bad name \"a..b\"")));
    for (const char* bad : {"NOPE", "ANY", "AXFR", "OPT", "TYPE0"}) {
        EXPECT_THAT(probe(std::string("type = \"dns\"\nquery = \"a ") + bad + "\"\n"),
                    ElementsAre(problem("@3:9: error", "bad type \"" + std::string(bad) + "\"")));
    }
    const auto spec = spec_of("type = \"dns\"\nquery = \"example.com AAAA\"\n");
    EXPECT_EQ(spec.query_name, "example.com.");
    EXPECT_EQ(spec.query_type, 28);
    EXPECT_EQ(spec.port, 53);
}

TEST(ProbeErrors, ExecCommand) {
    EXPECT_THAT(probe("type = \"exec\"\n"), ElementsAre(problem("@1:1: error", "needs a command")));
    EXPECT_THAT(probe("type = \"exec\"\ncommand = []\n"),
                ElementsAre(problem("@3:11: error", "command is empty")));
    EXPECT_THAT(probe("type = \"exec\"\ncommand = [\"x\", 3]\n"),
                ElementsAre(problem("@3:17: error", "strings only")));
    EXPECT_THAT(
        spec_of("type = \"exec\"\ncommand = [\"bin/x\", \"%ADDRESS%\", \"+%Y%m\"]\n").command,
        ElementsAre("/etc/bin/x", "%ADDRESS%", "+%Y%m"));
    EXPECT_THAT(spec_of("type = \"exec\"\ncommand = [\"true\"]\n").command, ElementsAre("true"));
}

TEST(ProbeErrors, ExecPlaceholderThatNothingReplacesIsAWarning) {
    EXPECT_THAT(probe("type = \"exec\"\ncommand = [\"x\", \"--to=%ADRESS%\"]\n"),
                ElementsAre(problem("@3:17: warning", "\"%ADRESS%\" is not replaced")));
}

TEST(ProbeErrors, TimeoutAboveInterval) {
    EXPECT_THAT(
        probe("type = \"http\"\ninterval = \"1s\"\ntimeout = \"1500ms\"\n"),
        ElementsAre(problem("@4:11: error", "timeout (1.5s) must not exceed interval (1s)")));
    // Against the default interval, too.
    EXPECT_THAT(probe("type = \"http\"\ntimeout = \"6s\"\n"),
                ElementsAre(problem("@3:11: error", "must not exceed interval (5s)")));
}

TEST(ProbeErrors, FastIntervalAboveInterval) {
    EXPECT_THAT(
        probe("type = \"http\"\ninterval = \"1s\"\nfast_interval = \"2s\"\n"),
        ElementsAre(problem("@4:17: error", "fast_interval (2s) must not exceed interval")));
}

TEST(ProbeErrors, DurationsThatAreNone) {
    EXPECT_THAT(probe("type = \"http\"\ninterval = 5\n"),
                ElementsAre(problem("@3:12: error", "a duration in quotes like")));
    EXPECT_THAT(probe("type = \"http\"\ninterval = \"5\"\n"),
                ElementsAre(problem("@3:12: error", "interval must be a duration like")));
    EXPECT_THAT(probe("type = \"http\"\ninterval = \"-5s\"\n"),
                ElementsAre(problem("@3:12: error", "interval must be a duration like")));
    for (const char* key : {"interval", "timeout", "fast_interval", "slow_after"}) {
        const auto lines = probe("type = \"http\"\n" + std::string(key) + " = \"0s\"\n");
        const auto column = std::to_string(std::string(key).size() + 4);
        EXPECT_THAT(lines, ElementsAre(problem("@3:" + column + ": error", "at least 1ms")));
    }
}

TEST(ProbeErrors, FallAndRise) {
    EXPECT_THAT(probe("type = \"http\"\nfall = 0\nrise = 0\n"),
                ElementsAre(problem("@3:8: error", "fall must be 1..1000, got 0"),
                            problem("@4:8: error", "rise must be 1..1000, got 0")));
    EXPECT_THAT(probe("type = \"http\"\nfall = 2.0\n"),
                ElementsAre(problem("@3:8: error", "an integer 1..1000, got the number 2")));
}

TEST(ProbeErrors, SlowAfterThatNeverCounts) {
    EXPECT_THAT(probe("type = \"http\"\nslow_after = \"2s\"\n"),
                ElementsAre(problem("@3:14: warning", "not below timeout")));
}

TEST(ProbeDefaults, AreThoseOfTheContract) {
    const auto spec = spec_of("type = \"https\"\n");
    EXPECT_EQ(spec.port, 443);
    EXPECT_EQ(spec.path, "/");
    EXPECT_TRUE(spec.verify);
    EXPECT_EQ(spec.interval, seconds(5));
    EXPECT_EQ(spec.timeout, seconds(2));
    EXPECT_EQ(spec.fast_interval, seconds(1));
    EXPECT_EQ(spec.fall, 3U);
    EXPECT_EQ(spec.rise, 2U);
    EXPECT_FALSE(spec.slow_after);
}

TEST(ProbeDefaults, NeverExceedTheInterval) {
    const auto spec = spec_of("type = \"http\"\ninterval = \"500ms\"\n");
    EXPECT_EQ(spec.timeout, milliseconds(500));
    EXPECT_EQ(spec.fast_interval, milliseconds(500));
}

}  // namespace
}  // namespace steerd::config
