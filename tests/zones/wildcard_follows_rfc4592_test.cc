// Wildcards: the source of synthesis is "*" at the closest encloser and nothing else, and what
// exists, even without records, blocks it. The zone of RFC 4592 §2.2.1 and the cases around it.
#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

using dns::RrType;

class Rfc4592 : public ::testing::Test {
  protected:
    const std::shared_ptr<const Zone> zone_ = zone_of(
        "*.example.com. TXT \"this is a wildcard\"\n"
        "* MX 10 host1\n"
        "sub.* TXT \"this is not a wildcard\"\n"
        "host1 A 192.0.2.1\n"
        "_ssh._tcp.host1 SRV 0 0 22 host1\n"
        "_ssh._tcp.host2 SRV 0 0 22 host2\n"
        "subdel NS ns.example.net.\n");
};

TEST_F(Rfc4592, SynthesisesForWhatIsNotThere) {
    EXPECT_EQ(ask(*zone_, "host3.example.com.", RrType::MX),
              "Records MX @*.example.com. ce=example.com. wildcard");
    EXPECT_EQ(ask(*zone_, "foo.bar.example.com.", RrType::TXT),
              "Records TXT @*.example.com. ce=example.com. wildcard");
}

TEST_F(Rfc4592, WrongTypeIsNoDataFromTheWildcard) {
    EXPECT_EQ(ask(*zone_, "host3.example.com.", RrType::A), "NoData ce=example.com. wildcard");
}

TEST_F(Rfc4592, ExistingNamesBlock) {
    EXPECT_EQ(ask(*zone_, "host1.example.com.", RrType::MX), "NoData ce=host1.example.com.");
    EXPECT_EQ(ask(*zone_, "sub.*.example.com.", RrType::MX), "NoData ce=sub.*.example.com.");
    EXPECT_EQ(ask(*zone_, "_telnet._tcp.host1.example.com.", RrType::SRV),
              "NxDomain ce=_tcp.host1.example.com.");
}

TEST_F(Rfc4592, EmptyNonTerminalsBlock) {
    EXPECT_EQ(ask(*zone_, "host2.example.com.", RrType::MX), "NoData ce=host2.example.com.");
    EXPECT_EQ(ask(*zone_, "x.host2.example.com.", RrType::MX), "NxDomain ce=host2.example.com.");
}

TEST_F(Rfc4592, NeverOverridesADelegation) {
    EXPECT_EQ(ask(*zone_, "host.subdel.example.com.", RrType::A),
              "Delegation NS @subdel.example.com. ce=subdel.example.com.");
}

TEST_F(Rfc4592, AWildcardIsAnEncloserItself) {
    EXPECT_EQ(ask(*zone_, "ghost.*.example.com.", RrType::MX), "NxDomain ce=*.example.com.");
}

TEST_F(Rfc4592, AskedLiterallyItIsAName) {
    EXPECT_EQ(ask(*zone_, "*.example.com.", RrType::MX),
              "Records MX @*.example.com. ce=*.example.com.");
}

TEST(Wildcard, WorksBelowAnEmptyNonTerminal) {
    const auto zone = zone_of("*.a.b A 192.0.2.1\n");
    EXPECT_EQ(ask(*zone, "q.a.b.example.com.", RrType::A),
              "Records A @*.a.b.example.com. ce=a.b.example.com. wildcard");
    EXPECT_EQ(ask(*zone, "b.example.com.", RrType::A), "NoData ce=b.example.com.");
    EXPECT_EQ(ask(*zone, "q.b.example.com.", RrType::A), "NxDomain ce=b.example.com.");
}

TEST(Wildcard, MayBeAnAlias) {
    const auto zone = zone_of("* CNAME t.example.net.\n");
    EXPECT_EQ(ask(*zone, "q.example.com.", RrType::A),
              "Cname CNAME @*.example.com. ce=example.com. wildcard");
    EXPECT_EQ(ask(*zone, "q.example.com.", RrType::CNAME),
              "Records CNAME @*.example.com. ce=example.com. wildcard");
}

TEST(Wildcard, ThatIsAnEmptyNonTerminalGivesNoData) {
    const auto zone = zone_of("x.* A 192.0.2.1\n");
    EXPECT_EQ(ask(*zone, "q.example.com.", RrType::A), "NoData ce=example.com. wildcard");
}

TEST(Wildcard, TheNearestOneCounts) {
    const auto zone = zone_of("* A 192.0.2.1\n*.a A 192.0.2.2\n");
    EXPECT_EQ(ask(*zone, "q.a.example.com.", RrType::A),
              "Records A @*.a.example.com. ce=a.example.com. wildcard");
    EXPECT_EQ(ask(*zone, "a.example.com.", RrType::A), "NoData ce=a.example.com.");
}

}  // namespace
}  // namespace steerd::zones::testing
