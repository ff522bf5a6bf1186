// Each error and warning of [endpoints], with its place.
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using ::testing::ElementsAre;

auto endpoint(const std::string& lines) {
    return problems_with("[endpoints.e]\nprobes = [\"web\"]\n" + lines);
}

TEST(EndpointErrors, NeitherAddressesNorCname) {
    EXPECT_THAT(endpoint(""), ElementsAre(problem("@1:1: error", "neither addresses nor cname")));
}

TEST(EndpointErrors, BothAddressesAndCname) {
    EXPECT_THAT(endpoint("addresses = [\"192.0.2.9\"]\ncname = \"x.example\"\n"),
                ElementsAre(problem("@4:9: error", "both addresses and cname given")));
}

TEST(EndpointErrors, EmptyAddresses) {
    EXPECT_THAT(endpoint("addresses = []\n"),
                ElementsAre(problem("@3:13: error", "addresses is empty")));
}

TEST(EndpointErrors, BadAddress) {
    for (const char* bad :
         {"192.0.2.256", "192.0.2.1:80", "192.0.2.0/24", "fe80::1%eth0", "tokyo"}) {
        EXPECT_THAT(endpoint(std::string("addresses = [\"") + bad + "\"]\n"),
                    ElementsAre(problem("@3:14: error",
                                        std::string("\"") + bad + "\" is not an IP address")));
    }
}

TEST(EndpointErrors, AddressThatNoClientCanReach) {
    EXPECT_THAT(
        endpoint("addresses = [\"0.0.0.0\", \"224.0.0.1\", \"255.255.255.255\", \"::\", "
                 "\"ff02::1\"]\n"),
        ElementsAre(problem("@3:14: error", "unspecified"), problem("@3:25: error", "multicast"),
                    problem("@3:38: error", "broadcast"), problem("@3:57: error", "unspecified"),
                    problem("@3:63: error", "multicast")));
}

TEST(EndpointErrors, AddressOfTheWrongFamily) {
    EXPECT_THAT(endpoint("addresses = [\"::ffff:192.0.2.1\"]\n"),
                ElementsAre(problem("@3:14: error", "of the wrong family")));
}

TEST(EndpointErrors, SameAddressTwice) {
    EXPECT_THAT(endpoint("addresses = [\"2001:db8::1\", \"2001:DB8:0::1\"]\n"),
                ElementsAre(problem("@3:29: error", "address 2001:db8::1 is given twice")));
}

TEST(EndpointErrors, BadCname) {
    EXPECT_THAT(endpoint("cname = \"a..b\"\n"),
                ElementsAre(problem("@3:9: error", "\"a..b\" is no domain name")));
    EXPECT_THAT(endpoint("cname = \".\"\n"),
                ElementsAre(problem("@3:9: error", "must not be the root")));
}

TEST(EndpointErrors, UnknownRegion) {
    EXPECT_THAT(
        endpoint("addresses = [\"192.0.2.9\"]\nregion = \"virgina\"\n"),
        ElementsAre(problem("@4:10: error", "no region \"virgina\"; did you mean \"virginia\"?")));
}

TEST(EndpointErrors, UnknownProbe) {
    EXPECT_THAT(problems_with("[endpoints.e]\naddresses = [\"192.0.2.9\"]\nprobes = [\"wep\"]\n"),
                ElementsAre(problem("@3:11: error", "no probe \"wep\"; did you mean \"web\"?")));
}

TEST(EndpointErrors, SameProbeTwice) {
    EXPECT_THAT(problems_with("[endpoints.e]\naddresses = [\"192.0.2.9\"]\n"
                              "probes = [\"web\", \"web\"]\n"),
                ElementsAre(problem("@3:18: error", "probe \"web\" is given twice")));
}

TEST(EndpointErrors, Require) {
    EXPECT_THAT(endpoint("addresses = [\"192.0.2.9\"]\nrequire = 0\n"),
                ElementsAre(problem("@4:11: error", "require must be 1..1, got 0")));
    EXPECT_THAT(endpoint("addresses = [\"192.0.2.9\"]\nrequire = 2\n"),
                ElementsAre(problem("@4:11: error", "require must be 1..1, got 2")));
    EXPECT_THAT(problems_with("[endpoints.e]\naddresses = [\"192.0.2.9\"]\nrequire = 1\n"),
                ElementsAre(problem("@1:1: warning", "no probes: never found down"),
                            problem("@3:1: error", "require needs probes")));
}

TEST(EndpointErrors, Capacity) {
    for (const char* bad : {"0", "-1", "-0.5"}) {
        EXPECT_THAT(endpoint(std::string("addresses = [\"192.0.2.9\"]\ncapacity = ") + bad + "\n"),
                    ElementsAre(problem("@4:12: error", "capacity must be more than 0")));
    }
    for (const char* bad : {"inf", "nan", "\"5000\""}) {
        EXPECT_THAT(endpoint(std::string("addresses = [\"192.0.2.9\"]\ncapacity = ") + bad + "\n"),
                    ElementsAre(problem("@4:12: error", "capacity must be a number")));
    }
}

TEST(EndpointErrors, UnknownKey) {
    EXPECT_THAT(endpoint("address = [\"192.0.2.9\"]\ncname = \"x.example\"\n"),
                ElementsAre(problem("@3:1: error",
                                    "unknown key \"address\"; did you mean \"addresses\"?")));
}

TEST(EndpointWarnings, WithoutProbesItIsNeverFoundDown) {
    EXPECT_THAT(problems_with("[endpoints.e]\naddresses = [\"192.0.2.9\"]\n"),
                ElementsAre(problem("@1:1: warning", "never found down (endpoint \"e\")")));
    EXPECT_THAT(problems_with("[endpoints.e]\ncname = \"x.example\"\nprobes = []\n"),
                ElementsAre(problem("@1:1: warning", "never found down")));
}

}  // namespace
}  // namespace steerd::config
