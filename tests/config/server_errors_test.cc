// Each error of [server] and [admin], with its place.
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kListen = "listen = [\"127.0.0.1:5300\"]";
constexpr std::string_view kState = "state_dir = \"state\"";

auto server(const std::string& line) {
    return problems_edited(kState, "state_dir = \"state\"\n" + line);
}

TEST(ServerErrors, UnknownKeyHasADidYouMean) {
    EXPECT_THAT(
        server("workerz = 3"),
        ElementsAre(problem("c.toml:4:1: error",
                            "unknown key \"workerz\"; did you mean \"workers\"? (server)")));
}

TEST(ServerErrors, UnknownSection) {
    EXPECT_THAT(
        problems_with("[zone.\"x\"]\nfile = \"f\"\n"),
        ElementsAre(problem("@1:2: error", "unknown key \"zone\"; did you mean \"zones\"?")));
}

TEST(ServerErrors, MissingListen) {
    EXPECT_THAT(problems_edited(kListen, ""),
                ElementsAre(problem("c.toml:1:1: error", "listen is missing; add listen = [")));
}

TEST(ServerErrors, EmptyListen) {
    EXPECT_THAT(problems_edited(kListen, "listen = []"),
                ElementsAre(problem("c.toml:2:10: error", "listen is empty")));
}

TEST(ServerErrors, BadListen) {
    EXPECT_THAT(problems_edited(kListen, "listen = [\"localhost:53\"]"),
                ElementsAre(problem("c.toml:2:11: error", "got \"localhost:53\"")));
    EXPECT_THAT(problems_edited(kListen, "listen = [\"::1:53\"]"),
                ElementsAre(problem("c.toml:2:11: error", "listen must be an IP address with")));
    EXPECT_THAT(problems_edited(kListen, "listen = [53]"),
                ElementsAre(problem("c.toml:2:11: error", "strings only, got the integer 53")));
    EXPECT_THAT(problems_edited(kListen, "listen = \"127.0.0.1:53\""),
                ElementsAre(problem("c.toml:2:10: error", "listen must be an array, got")));
}

TEST(ServerErrors, DuplicateListen) {
    EXPECT_THAT(problems_edited(kListen, "listen = [\"[::1]:53\", \"[0:0::1]:53\"]"),
                ElementsAre(problem("c.toml:2:23: error", "twice")));
}

TEST(ServerErrors, PortZeroMayRepeat) {
    EXPECT_THAT(problems_edited(kListen, "listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]"),
                ElementsAre());
}

TEST(ServerErrors, Workers) {
    EXPECT_THAT(server("workers = -1"),
                ElementsAre(problem("c.toml:4:11: error", "workers must be 0..1024, got -1")));
    EXPECT_THAT(server("workers = \"4\""),
                ElementsAre(problem("c.toml:4:11: error", "got the string \"4\"")));
}

TEST(ServerErrors, Identity) {
    EXPECT_THAT(server("identity = \"" + std::string(256, 'x') + "\""),
                ElementsAre(problem("c.toml:4:12: error", "at most 255 octets")));
    EXPECT_THAT(server("identity = \"a\\u0000b\""),
                ElementsAre(problem("c.toml:4:12: error", "control character: \"a\\x00b\"")));
}

TEST(ServerErrors, Version) {
    EXPECT_THAT(server("version = \"" + std::string(256, 'x') + "\""),
                ElementsAre(problem("c.toml:4:11: error", "at most 255 octets")));
    EXPECT_THAT(server("version = 3"),
                ElementsAre(problem("c.toml:4:11: error", "got the integer 3")));
}

TEST(ServerErrors, CookieSecretsIsAFile) {
    EXPECT_THAT(server("cookie_secrets = [\"00\"]"),
                ElementsAre(problem("c.toml:4:18: error", "must be a")));
}

TEST(ServerErrors, Location) {
    for (const char* bad : {"[1]", "[1, 2, 3]", "[\"a\", 2]"}) {
        EXPECT_THAT(server(std::string("location = ") + bad),
                    ElementsAre(problem("c.toml:4:12: error", "[latitude, longitude] in degrees")));
    }
    for (const char* bad : {"[90.5, 0]", "[0, -181]", "[nan, 0]", "[0, inf]"}) {
        EXPECT_THAT(server(std::string("location = ") + bad),
                    ElementsAre(problem("c.toml:4:12: error", "latitude -90..90")));
    }
}

TEST(ServerErrors, UnknownRegion) {
    EXPECT_THAT(server("region = \"tokio\""),
                ElementsAre(problem("c.toml:4:10: error",
                                    "no region \"tokio\"; did you mean \"tokyo\"? (server)")));
}

TEST(ServerErrors, Resolver) {
    EXPECT_THAT(server("resolver = \"ns.example.net\""),
                ElementsAre(problem("c.toml:4:12: error", "resolver must be an IP address")));
    EXPECT_THAT(server("resolver = \"127.0.0.53:0\""),
                ElementsAre(problem("c.toml:4:12: error", "port 1..65535")));
    const auto loaded =
        load_text(std::string(kBase).replace(0, 9, "[server]\nresolver = \"::1\"\n"), "c.toml");
    ASSERT_NE(loaded.model, nullptr);
    EXPECT_EQ(loaded.model->server.resolver->text(), "[::1]:53");
}

TEST(ServerErrors, QueryLog) {
    EXPECT_THAT(server("query_log = [{}]"),
                ElementsAre(problem("c.toml:4:14: error", "one_in is missing")));
    EXPECT_THAT(server("query_log = [{ one_in = 0 }]"),
                ElementsAre(problem("c.toml:4:25: error", "one_in must be 1..1000000000, got 0")));
    EXPECT_THAT(server("query_log = [3]"),
                ElementsAre(problem("c.toml:4:14: error", "must be a list of tables")));
    EXPECT_THAT(server("query_log = [{ one_in = 1, name = \"a..b\" }]"),
                ElementsAre(problem("c.toml:4:35: error", "\"a..b\" is no domain name")));
    EXPECT_THAT(server("query_log = [{ one_in = 1, name = \"a.b\", zone = \"b\" }]"),
                ElementsAre(problem("c.toml:4:49: error", "name is there too"),
                            problem("c.toml:4:49: error", "no zone \"b.\"")));
    EXPECT_THAT(server("query_log = [{ one_in = 1 }, { one_in = 2 }]"),
                ElementsAre(problem("c.toml:4:30: error", "stands above")));
    EXPECT_THAT(server("query_log = [{ one_in = 1, nam = \"a\" }]"),
                ElementsAre(problem("c.toml:4:28: error", "did you mean \"name\"")));
    const auto loaded = load_text(
        std::string(kBase).replace(
            0, 9,
            "[server]\nquery_log = [{ one_in = 10, zone = \"EXAMPLE.com\" }, { one_in = 5 }]\n"),
        "c.toml");
    ASSERT_NE(loaded.model, nullptr);
    ASSERT_EQ(loaded.model->server.query_log.size(), 2U);
    EXPECT_EQ(loaded.model->server.query_log[0].zone, dns::Name::parse("example.com.").value());
    EXPECT_EQ(loaded.model->server.query_log[1].one_in, 5U);
}

TEST(ServerErrors, QueryLogOfAZoneThatIsNotServed) {
    EXPECT_THAT(server("query_log = [{ one_in = 9 }, { one_in = 1, zone = \"exmaple.com\" }]"),
                ElementsAre(problem("c.toml:4:51: error",
                                    "no zone \"exmaple.com.\"; did you mean \"example.com.\"?")));
}

TEST(ServerErrors, Dnstap) {
    EXPECT_THAT(server("dnstap = \"/tmp/x\""),
                ElementsAre(problem("c.toml:4:10: error", "\"unix:PATH\" or \"file:PATH\"")));
    EXPECT_THAT(server("dnstap = \"unix:\""),
                ElementsAre(problem("c.toml:4:10: error", "\"unix:PATH\" or \"file:PATH\"")));
    EXPECT_THAT(server("dnstap = \"unix:" + std::string(120, 'x') + "\""),
                ElementsAre(problem("c.toml:4:10: error", "at most 107 octets")));
}

TEST(ServerErrors, SectionThatIsNoTable) {
    EXPECT_THAT(problems_of("server = 3\n"),
                ElementsAre(problem("c.toml:1:1: warning", "no zones"),
                            problem("c.toml:1:10: error", "server must be a table, got")));
}

TEST(ServerErrors, NoStateDirIsAWarning) {
    EXPECT_THAT(problems_edited(kState, ""),
                ElementsAre(problem("c.toml:1:1: warning", "kept in memory only")));
}

TEST(AdminErrors, BadListen) {
    EXPECT_THAT(problems_with("[admin]\nlisten = [\"unix:\", \"nowhere\"]\n"),
                ElementsAre(problem("@2:11: error", "\"unix:\" needs a path"),
                            problem("@2:20: error", "must be \"unix:PATH\" or an IP address")));
    EXPECT_THAT(problems_with("[admin]\nlisten = [\"unix:" + std::string(108, 'p') + "\"]\n"),
                ElementsAre(problem("@2:11: error", "at most 107 octets")));
    EXPECT_THAT(problems_with("[admin]\nlisten = [\"unix:a\", \"unix:a\"]\n"),
                ElementsAre(problem("@2:21: error", "twice")));
}

TEST(AdminErrors, Hosts) {
    EXPECT_THAT(problems_with("[admin]\nhosts = [\"a.example:80\", \"b.example\"]\n"),
                ElementsAre(problem("@2:10: error", "host names without a port")));
}

TEST(AdminErrors, UnknownKey) {
    EXPECT_THAT(problems_with("[admin]\ntokenfile = \"x\"\n"),
                ElementsAre(problem("@2:1: error", "did you mean \"token_file\"? (admin)")));
}

TEST(AdminErrors, AddressThatIsNotLoopbackIsAWarning) {
    EXPECT_THAT(
        problems_with("[admin]\nlisten = [\"192.0.2.1:80\", \"127.9.9.9:80\", \"[::1]:80\", "
                      "\"[::]:80\"]\n"),
        ElementsAre(problem("@2:11: warning", "192.0.2.1:80 is not a loopback address"),
                    problem("@2:55: warning", "[::]:80 is not a loopback address")));
}

TEST(AdminErrors, PathsAreRelativeToTheFile) {
    const auto text = std::string(kBase) +
                      "[admin]\nlisten = [\"unix:run/s\", \"unix:/run/t\"]\ntoken_file = \"k\"\n";
    const auto loaded = load_text(text, "/etc/steerd/steerd.toml");
    ASSERT_NE(loaded.model, nullptr) << loaded.problems.text();
    const auto& admin = loaded.model->admin;
    EXPECT_THAT(admin.unix_sockets, ElementsAre("/etc/steerd/run/s", "/run/t"));
    EXPECT_EQ(admin.token_file, "/etc/steerd/k");
    EXPECT_EQ(loaded.model->server.state_dir, "/etc/steerd/state");
    EXPECT_EQ(loaded.model->zones.at(0).file, "/etc/steerd/example.com.zone");
}

}  // namespace
}  // namespace steerd::config
