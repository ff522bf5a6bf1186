// What may not stand where a route answers (product.md §3), with the place in the configuration and
// the line of the zone file it collides with.
#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

std::string problems_of(std::string_view lines, const std::vector<SteeredOwner>& steered) {
    base::Problems problems;
    const auto zone = load_text(kHead + std::string(lines), problems, steered);
    EXPECT_EQ(zone == nullptr, problems.has_errors());
    return problems.text();
}

TEST(SteerCheck, StaticAddressesBesideARoute) {
    EXPECT_EQ(
        problems_of("www A 192.0.2.1\nwww TXT x\nwww AAAA ::1\n", {steer("www.example.com.", 1)}),
        "steerd.toml:11:1: error: a static A record stands beside the steered name "
        "www.example.com. (test.zone:4)\n"
        "steerd.toml:11:1: error: a static AAAA record stands beside the steered name "
        "www.example.com. (test.zone:6)");
    EXPECT_EQ(problems_of("www CNAME x\n", {steer("www.example.com.", 1)}),
              "steerd.toml:11:1: error: a static CNAME record stands beside the steered name "
              "www.example.com. (test.zone:4)");
    EXPECT_EQ(problems_of("www TXT x\nwww MX 1 m\n", {steer("www.example.com.", 1)}), "");
}

TEST(SteerCheck, ACnameMemberSuffersNothingBesideIt) {
    EXPECT_EQ(problems_of("www TXT x\n", {steer("www.example.com.", 1, true)}),
              "steerd.toml:11:1: error: a TXT record stands at the steered name www.example.com. "
              "(test.zone:4), whose route has a CNAME member");
    EXPECT_EQ(problems_of("", {steer("example.com.", 2, true)}),
              "steerd.toml:12:1: error: the apex example.com. cannot be steered by a route with a "
              "CNAME member");
    EXPECT_EQ(problems_of("x.www TXT x\n", {steer("www.example.com.", 1, true)}), "");
}

TEST(SteerCheck, CutsAndDnames) {
    EXPECT_EQ(
        problems_of(
            "s NS ns.example.net.\nd DNAME example.net.\n",
            {steer("s.example.com.", 1), steer("x.y.s.example.com.", 2),
             steer("a.d.example.com.", 3), steer("d.example.com.", 4), steer("example.com.", 5)}),
        "steerd.toml:11:1: error: steered name s.example.com. stands at or below the zone cut "
        "s.example.com. (test.zone:4)\n"
        "steerd.toml:12:1: error: steered name x.y.s.example.com. stands at or below the zone "
        "cut s.example.com. (test.zone:4)\n"
        "steerd.toml:13:1: error: steered name a.d.example.com. stands at or below the DNAME "
        "d.example.com. (test.zone:5)\n"
        "steerd.toml:14:1: error: steered name d.example.com. stands at or below the DNAME "
        "d.example.com. (test.zone:5)");
}

TEST(SteerCheck, TargetsOfNs) {
    EXPECT_EQ(problems_of("@ NS www\ns NS www\n", {steer("www.example.com.", 1)}),
              "steerd.toml:11:1: error: steered name www.example.com. is the target of an NS "
              "(test.zone:3)");
    EXPECT_EQ(problems_of("s NS q.apps\n", {steer("*.apps.example.com.", 1)}),
              "steerd.toml:11:1: error: steered name *.apps.example.com. is the target of an NS "
              "(test.zone:4)");
    EXPECT_EQ(problems_of("s NS q.apps\nq.apps A 192.0.2.1\n", {steer("*.apps.example.com.", 1)}),
              "");
}

TEST(SteerCheck, AddressHintsAreAWarning) {
    EXPECT_EQ(problems_of("www HTTPS 1 . alpn=h2 ipv6hint=::1\n", {steer("www.example.com.", 1)}),
              "steerd.toml:11:1: warning: address hints in the HTTPS record at www.example.com. "
              "(test.zone:4) lead clients past the route");
    EXPECT_EQ(problems_of("www HTTPS 1 . alpn=h2\n", {steer("www.example.com.", 1)}), "");
}

TEST(SteerCheck, NamesOutsideAndTwice) {
    EXPECT_EQ(problems_of("", {steer("www.example.org.", 1), steer("a.example.com.", 2),
                               steer("A.example.com.", 3)}),
              "steerd.toml:11:1: error: steered name www.example.org. is outside the zone "
              "example.com.\n"
              "steerd.toml:13:1: error: steered name A.example.com. is given twice");
}

TEST(SteerCheck, IsToldTogetherWithTheMistakesOfTheFile) {
    EXPECT_EQ(problems_of("x A 1\nwww A 192.0.2.1\n", {steer("www.example.com.", 1)}),
              "test.zone:4:5: error: '1' is not an IPv4 address\n"
              "steerd.toml:11:1: error: a static A record stands beside the steered name "
              "www.example.com. (test.zone:5)");
}

}  // namespace
}  // namespace steerd::zones::testing
