// Each kind of finding, and the order in which cuts, DNAMEs, names and wildcards are asked
// (RFC 1034 §4.3.2).
#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

using dns::RrType;

static_assert(noexcept(std::declval<const Zone&>().lookup(dns::NameView(), RrType::A)));

TEST(Lookup, GivesTheRrsetAtTheName) {
    const auto zone = zone_of("www A 192.0.2.1\nwww A 192.0.2.2\n");
    const auto finding = zone->lookup(name("www.example.com."), RrType::A);
    EXPECT_EQ(describe(finding), "Records A @www.example.com. ce=www.example.com.");
    EXPECT_EQ(rdata_of(finding.rrset), (std::vector<std::string>{"c0000201", "c0000202"}));
    EXPECT_EQ(finding.rrset.ttl.seconds(), 3600U);
    EXPECT_EQ(finding.zone, zone.get());
}

TEST(Lookup, IgnoresCaseAndKeepsTheCaseOfTheFile) {
    const auto zone = zone_of("WwW A 192.0.2.1\n");
    EXPECT_EQ(ask(*zone, "wWw.EXAMPLE.com.", RrType::A),
              "Records A @WwW.example.com. ce=WwW.example.com.");
}

TEST(Lookup, TellsNoDataFromNxDomain) {
    const auto zone = zone_of("www A 192.0.2.1\n");
    EXPECT_EQ(ask(*zone, "www.example.com.", RrType::AAAA), "NoData ce=www.example.com.");
    EXPECT_EQ(ask(*zone, "www.example.com.", RrType(65535)), "NoData ce=www.example.com.");
    EXPECT_EQ(ask(*zone, "nope.example.com.", RrType::A), "NxDomain ce=example.com.");
    EXPECT_EQ(ask(*zone, "a.b.www.example.com.", RrType::A), "NxDomain ce=www.example.com.");
}

TEST(Lookup, FindsSoaNumbers) {
    const auto zone = zone_of("");
    EXPECT_EQ(zone->soa().ttl.seconds(), 7200U);
    EXPECT_EQ(zone->negative_ttl().seconds(), 300U);
    EXPECT_EQ(zone->serial(), 7U);
    EXPECT_EQ(zone->record_count(), 2U);
    EXPECT_EQ(zone->name_count(), 1U);
    EXPECT_EQ(zone->apex(), name("example.com.").view());
    EXPECT_EQ(zone->file(), "test.zone");
    EXPECT_GT(zone->memory_octets(), 0U);
}

TEST(Lookup, NegativeTtlIsTheSoaTtlWhereThatIsLower) {
    base::Problems problems;
    const auto zone = load_text("@ 60 SOA ns h 1 2 3 4 300\n@ 60 NS ns.example.net.\n", problems);
    ASSERT_NE(zone, nullptr) << problems.text();
    EXPECT_EQ(zone->negative_ttl().seconds(), 60U);
}

TEST(Lookup, EmptyNonTerminalsExist) {
    const auto zone = zone_of("a.b.c A 192.0.2.1\n");
    EXPECT_EQ(ask(*zone, "c.example.com.", RrType::A), "NoData ce=c.example.com.");
    EXPECT_EQ(ask(*zone, "b.c.example.com.", RrType::ANY), "NoData ce=b.c.example.com.");
    EXPECT_EQ(ask(*zone, "x.b.c.example.com.", RrType::A), "NxDomain ce=b.c.example.com.");
}

TEST(Lookup, CnameAnswersEveryTypeButItsOwnAndAny) {
    const auto zone = zone_of("c CNAME t.example.net.\n");
    EXPECT_EQ(ask(*zone, "c.example.com.", RrType::A),
              "Cname CNAME @c.example.com. ce=c.example.com.");
    EXPECT_EQ(ask(*zone, "c.example.com.", RrType::CNAME),
              "Records CNAME @c.example.com. ce=c.example.com.");
    EXPECT_EQ(ask(*zone, "c.example.com.", RrType::ANY),
              "Records CNAME @c.example.com. ce=c.example.com.");
}

TEST(Lookup, DnameRedirectsBelowItselfOnly) {
    const auto zone = zone_of("d DNAME example.net.\nd TXT x\n");
    EXPECT_EQ(ask(*zone, "a.d.example.com.", RrType::A),
              "Dname DNAME @d.example.com. ce=d.example.com.");
    EXPECT_EQ(ask(*zone, "d.example.com.", RrType::TXT),
              "Records TXT @d.example.com. ce=d.example.com.");
    EXPECT_EQ(ask(*zone, "d.example.com.", RrType::A), "NoData ce=d.example.com.");
    EXPECT_EQ(ask(*zone, "d.example.com.", RrType::DNAME),
              "Records DNAME @d.example.com. ce=d.example.com.");
}

TEST(Lookup, DnameAtTheApexRedirectsTheWholeZone) {
    const auto zone = zone_of("@ DNAME example.net.\n");
    EXPECT_EQ(ask(*zone, "x.example.com.", RrType::A), "Dname DNAME @example.com. ce=example.com.");
    EXPECT_EQ(ask(*zone, "example.com.", RrType::SOA), "Records SOA @example.com. ce=example.com.");
}

TEST(Lookup, CutsDelegateThemselvesAndAllBelow) {
    const auto zone = zone_of("s NS ns.s\nns.s A 192.0.2.1\ndeep.s NS ns.s\n");
    const std::string cut = "Delegation NS @s.example.com. ce=s.example.com.";
    EXPECT_EQ(ask(*zone, "s.example.com.", RrType::A), cut);
    EXPECT_EQ(ask(*zone, "s.example.com.", RrType::NS), cut);
    EXPECT_EQ(ask(*zone, "s.example.com.", RrType::ANY), cut);
    EXPECT_EQ(ask(*zone, "ns.s.example.com.", RrType::A), cut);
    EXPECT_EQ(ask(*zone, "x.y.s.example.com.", RrType::A), cut);
    EXPECT_EQ(ask(*zone, "deep.s.example.com.", RrType::DS), cut);
}

TEST(Lookup, ParentAnswersDsAtTheCut) {
    const auto zone = zone_of("s NS ns.example.net.\ns DS 1 13 2 " + std::string(64, 'a') +
                              "\nu NS ns.example.net.\n");
    EXPECT_EQ(ask(*zone, "s.example.com.", RrType::DS),
              "Records DS @s.example.com. ce=s.example.com.");
    EXPECT_EQ(ask(*zone, "u.example.com.", RrType::DS), "NoData ce=u.example.com.");
}

TEST(Lookup, TheHighestCutOrDnameDecides) {
    const auto zone = zone_of("a.d A 192.0.2.1\nd DNAME x.\ns.d NS n.\nc NS n.\nd.c DNAME x.\n");
    EXPECT_EQ(ask(*zone, "y.s.d.example.com.", RrType::A),
              "Dname DNAME @d.example.com. ce=d.example.com.");
    EXPECT_EQ(ask(*zone, "a.d.example.com.", RrType::A),
              "Dname DNAME @d.example.com. ce=d.example.com.");
    EXPECT_EQ(ask(*zone, "y.d.c.example.com.", RrType::A),
              "Delegation NS @c.example.com. ce=c.example.com.");
}

TEST(Lookup, GlueIsFoundAlsoBelowACut) {
    const auto zone = zone_of("s NS ns.s\nns.s A 192.0.2.1\nhost AAAA 2001:db8::1\n");
    dns::RrsetView out;
    EXPECT_TRUE(zone->glue(name("NS.s.example.com."), RrType::A, out));
    EXPECT_EQ(out.owner.to_text(), "ns.s.example.com.");
    EXPECT_FALSE(zone->glue(name("ns.s.example.com."), RrType::AAAA, out));
    EXPECT_TRUE(zone->glue(name("host.example.com."), RrType::AAAA, out));
    EXPECT_FALSE(zone->glue(name("nope.example.com."), RrType::A, out));
    EXPECT_FALSE(zone->glue(name("elsewhere.org."), RrType::A, out));
}

TEST(Lookup, SteeredNamesAnswerAddressesAndKeepOtherTypes) {
    const std::vector<SteeredOwner> steered{steer("www.example.com.", 4), steer("example.com.", 5),
                                            steer("deep.new.example.com.", 6)};
    const auto zone = zone_of("www MX 10 m\n", steered);
    EXPECT_EQ(ask(*zone, "www.example.com.", RrType::A), "Steered ce=www.example.com. steer=4");
    EXPECT_EQ(ask(*zone, "www.example.com.", RrType::AAAA), "Steered ce=www.example.com. steer=4");
    EXPECT_EQ(ask(*zone, "www.example.com.", RrType::MX),
              "Records MX @www.example.com. ce=www.example.com. steer=4");
    EXPECT_EQ(ask(*zone, "www.example.com.", RrType::TXT), "NoData ce=www.example.com. steer=4");
    EXPECT_EQ(ask(*zone, "example.com.", RrType::A), "Steered ce=example.com. steer=5");
    EXPECT_EQ(ask(*zone, "example.com.", RrType::NS),
              "Records NS @example.com. ce=example.com. steer=5");
    EXPECT_EQ(ask(*zone, "deep.new.example.com.", RrType::ANY),
              "Steered ce=deep.new.example.com. steer=6");
    EXPECT_EQ(ask(*zone, "new.example.com.", RrType::A), "NoData ce=new.example.com.");
}

TEST(Lookup, SteeredWildcardAnswersForWhatIsNotThere) {
    const std::vector<SteeredOwner> steered{steer("*.apps.example.com.", 3)};
    const auto zone = zone_of("real.apps TXT x\n", steered);
    EXPECT_EQ(ask(*zone, "a.b.apps.example.com.", RrType::AAAA),
              "Steered ce=apps.example.com. wildcard steer=3");
    EXPECT_EQ(ask(*zone, "q.apps.example.com.", RrType::TXT),
              "NoData ce=apps.example.com. wildcard steer=3");
    EXPECT_EQ(ask(*zone, "real.apps.example.com.", RrType::A), "NoData ce=real.apps.example.com.");
    EXPECT_EQ(ask(*zone, "*.apps.example.com.", RrType::A),
              "Steered ce=*.apps.example.com. steer=3");
}

TEST(Lookup, NodeTellsWhatElseStandsThere) {
    const auto zone = zone_of("w A 192.0.2.1\nw TXT x\n");
    const auto finding = zone->lookup(name("w.example.com."), RrType::MX);
    ASSERT_TRUE(finding.node);
    EXPECT_TRUE(finding.node.has(RrType::TXT));
    EXPECT_FALSE(finding.node.has(RrType::MX));
    EXPECT_FALSE(finding.node.empty());
    dns::RrsetView out;
    EXPECT_TRUE(finding.node.find(RrType::A, out));
    EXPECT_EQ(out.count, 1);
    EXPECT_FALSE(zone->lookup(name("no.example.com."), RrType::A).node);
}

TEST(Lookup, NamesOfStrangeOctetsAreNamesLikeAnyOther) {
    const auto zone = zone_of("nul\\000x A 192.0.2.1\na\\032b A 192.0.2.2\na\\.b A 192.0.2.3\n");
    EXPECT_EQ(zone->lookup(name("NUL\\000x.example.com."), RrType::A).kind, FindingKind::Records);
    EXPECT_EQ(zone->lookup(name("a\\032b.example.com."), RrType::A).kind, FindingKind::Records);
    EXPECT_EQ(zone->lookup(name("a\\.b.example.com."), RrType::A).kind, FindingKind::Records);
    EXPECT_EQ(zone->lookup(name("a.b.example.com."), RrType::A).kind, FindingKind::NxDomain);
}

TEST(Lookup, NamesAsDeepAsNamesCanBe) {
    std::string deep;
    for (int i = 0; i < 120; ++i) {
        deep += "a.";
    }
    const auto zone = zone_of(deep.substr(0, deep.size() - 1) + " A 192.0.2.1\n");
    EXPECT_EQ(zone->lookup(name(deep + "example.com."), RrType::A).kind, FindingKind::Records);
    EXPECT_EQ(zone->lookup(name("b." + deep + "example.com."), RrType::A).kind,
              FindingKind::NxDomain);
    EXPECT_EQ(zone->name_count(), 121U);
}

TEST(Lookup, RootZoneHoldsEverything) {
    base::Problems problems;
    const auto zone = load_zone_text(dns::Name(),
                                     "$TTL 1d\n. SOA a. b. 1 2 3 4 5\n. NS a.root.\n"
                                     "com. NS a.gtld.\na.gtld. A 192.0.2.1\n",
                                     "root.zone", {}, problems);
    ASSERT_NE(zone, nullptr) << problems.text();
    EXPECT_EQ(ask(*zone, ".", RrType::NS), "Records NS @. ce=.");
    EXPECT_EQ(ask(*zone, "example.com.", RrType::A), "Delegation NS @com. ce=com.");
    EXPECT_EQ(ask(*zone, "nope.", RrType::A), "NxDomain ce=.");
}

TEST(Lookup, CanonicalOrderIsThatOfRfc4034) {
    const auto zone = zone_of(
        "z A 192.0.2.1\na.z A 192.0.2.1\nB A 192.0.2.1\n\\001.z A 192.0.2.1\n"
        "*.z A 192.0.2.1\nZABC.a A 192.0.2.1\n");
    std::string order;
    for (const auto& node : zone->canonical_nodes()) {
        order += node.owner().to_text() + " ";
    }
    EXPECT_EQ(order,
              "example.com. a.example.com. ZABC.a.example.com. B.example.com. z.example.com. "
              "\\001.z.example.com. *.z.example.com. a.z.example.com. ");
}

}  // namespace
}  // namespace steerd::zones::testing
