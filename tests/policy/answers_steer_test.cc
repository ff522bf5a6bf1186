// Steered names through answer(): product.md §4, RFC 7871.
#include <gtest/gtest.h>

#include "asking.h"

namespace steerd::policy::testing {
namespace {

TEST(SteeredAnswers, AddressesOfTheFamilyAskedFor) {
    Asking s;
    EXPECT_EQ(s.text("www.example.com A"), "NOERROR aa | www.example.com. 60 IN A 192.0.2.1");
    EXPECT_EQ(s.text("www.example.com AAAA"),
              "NOERROR aa | www.example.com. 60 IN AAAA 2001:db8::1");
    EXPECT_EQ(s.last.kind, AnswerKind::Steered);
    EXPECT_EQ(s.last.steered, 0U);
    EXPECT_EQ(s.last.ttl_s, 60U);
    EXPECT_EQ(s.names_of(s.last.decision), "a");
    EXPECT_EQ(s.text("www.example.com TXT"), "NOERROR aa |  | " + kSoa);
    s.set("a", Health::Down);
    s.refresh();
    EXPECT_EQ(s.text("www.example.com A"), "NOERROR aa | www.example.com. 60 IN A 192.0.2.2");
}

TEST(SteeredAnswers, ApexAndWildcard) {
    Asking s;
    EXPECT_EQ(s.text("example.com A"), "NOERROR aa | example.com. 60 IN A 192.0.2.1");
    EXPECT_EQ(s.text("example.com SOA").substr(0, 10), "NOERROR aa");
    EXPECT_EQ(s.text("x.apps.example.com A"), "NOERROR aa | x.apps.example.com. 30 IN A 192.0.2.1");
    EXPECT_EQ(s.text("x.apps.example.com TXT"), "NOERROR aa |  | " + kSoa);
    EXPECT_EQ(s.text("apps.example.com A"), "NOERROR aa |  | " + kSoa);
}

TEST(SteeredAnswers, HealthySiteWithASorryPageNeverGivesTheCname) {
    Asking s;
    for (const char* const type : {"HTTPS", "MX", "AAAA", "A", "TXT", "CNAME", "ANY"}) {
        const dns::Message m = s.ask("sorry.example.com " + std::string(type));
        for (const dns::Record& record : m.section(dns::Section::Answer)) {
            EXPECT_NE(record.type, dns::RrType::CNAME) << type;
        }
        EXPECT_EQ(m.rcode, dns::Rcode::NoError) << type;
    }
    EXPECT_EQ(s.text("sorry.example.com HTTPS"), "NOERROR aa |  | " + kSoa);
    s.set("a", Health::Down);
    s.refresh();
    for (const char* const type : {"HTTPS", "MX", "AAAA", "A", "TXT", "CNAME", "ANY"}) {
        EXPECT_EQ(s.text("sorry.example.com " + std::string(type)),
                  "NOERROR aa | sorry.example.com. 60 IN CNAME alias.example.net.")
            << type;
    }
}

TEST(SteeredAnswers, ACnameIntoTheZoneIsFollowed) {
    Asking s;
    const std::string cname = "NOERROR aa | into.example.com. 60 IN CNAME mail.example.com.";
    EXPECT_EQ(s.text("into.example.com A"), cname + "; mail.example.com. 3600 IN A 192.0.2.250");
    EXPECT_EQ(s.text("into.example.com MX"), cname + " | " + kSoa);
    EXPECT_EQ(s.text("into.example.com CNAME"), cname);
    EXPECT_EQ(s.text("through.example.com AAAA"),
              "NOERROR aa | through.example.com. 60 IN CNAME www.example.com.; "
              "www.example.com. 60 IN AAAA 2001:db8::1");
    EXPECT_EQ(s.text("through.example.com MX"),
              "NOERROR aa | through.example.com. 60 IN CNAME www.example.com.; "
              "www.example.com. 3600 IN MX 10 mail.example.com. |  | "
              "mail.example.com. 3600 IN A 192.0.2.250");
}

TEST(SteeredAnswers, NodataServfailAndTheirTtl) {
    Asking s;
    EXPECT_EQ(s.text("lone.example.com AAAA"), "NOERROR aa |  | " + kSoa);
    s.set("e", Health::Down);
    s.refresh();
    EXPECT_EQ(
        s.text("nodata.example.com A"),
        "NOERROR aa |  | example.com. 7 IN SOA ns1.example.net. admin.example.net. 1 3600 600 "
        "86400 300");
    EXPECT_TRUE(s.last.decision.fail_open);
    EXPECT_EQ(s.text("servfail.example.com A"), "SERVFAIL");
    EXPECT_EQ(s.text("servfail.example.com TXT"), "NOERROR aa |  | " + kSoa);
    s.set("a b", Health::Down);
    s.refresh();
    EXPECT_EQ(s.text("www.example.com A"), "NOERROR aa | www.example.com. 30 IN A 192.0.2.1");
}

unsigned scope_of(const dns::Message& m) {
    return m.edns && m.edns->subnet ? m.edns->subnet_scope : 999U;
}

TEST(ClientSubnet, DecidesAndComesBackWithTheScope) {
    Asking s;
    const dns::Message japan = s.ask("geo.example.com A", {.subnet = "203.0.113.0/25"});
    EXPECT_EQ(Asking::text_of(japan), "NOERROR aa | geo.example.com. 60 IN A 192.0.2.1");
    EXPECT_EQ(scope_of(japan), 25U);
    EXPECT_EQ(japan.edns->subnet, net("203.0.113.0/25"));
    const dns::Message other = s.ask("geo.example.com A", {.subnet = "203.0.113.128/25"});
    EXPECT_EQ(Asking::text_of(other), "NOERROR aa | geo.example.com. 60 IN A 192.0.2.3");
    const dns::Message rest = s.ask("geo.example.com A", {.subnet = "8.8.8.0/24"});
    EXPECT_EQ(Asking::text_of(rest), "NOERROR aa | geo.example.com. 60 IN A 192.0.2.2");
    EXPECT_GT(scope_of(rest), 0U) << "a default depends on the client as well";
}

TEST(ClientSubnet, WithoutItTheSourceDecides) {
    Asking s;
    const dns::Message plain = s.ask("geo.example.com A", {.source = "203.0.113.9"});
    EXPECT_EQ(Asking::text_of(plain), "NOERROR aa | geo.example.com. 60 IN A 192.0.2.1");
    EXPECT_FALSE(plain.edns);
    const dns::Message no_ecs =
        s.ask("geo.example.com A", {.source = "203.0.113.200", .edns = true});
    EXPECT_EQ(Asking::text_of(no_ecs), "NOERROR aa | geo.example.com. 60 IN A 192.0.2.3");
    EXPECT_FALSE(no_ecs.edns->subnet);
}

TEST(ClientSubnet, SourceZeroMeansTheResolverAndScopeZero) {
    Asking s;
    const dns::Message m =
        s.ask("geo.example.com A", {.subnet = "0.0.0.0/0", .source = "203.0.113.9"});
    EXPECT_EQ(Asking::text_of(m), "NOERROR aa | geo.example.com. 60 IN A 192.0.2.1");
    EXPECT_EQ(scope_of(m), 0U);
}

TEST(ClientSubnet, ScopeIsZeroWhereNothingAboutTheClientMattered) {
    Asking s;
    for (const char* const question :
         {"mail.example.com A", "www.example.com A", "geo.example.com TXT", "nothing.example.com A",
          "sub.example.com A", "example.com SOA", "lone.example.com AAAA", "sub.example.com DS",
          "example.net A"}) {
        EXPECT_EQ(scope_of(s.ask(question, {.subnet = "203.0.113.0/24"})), 0U) << question;
    }
}

TEST(ClientSubnet, AHashOfThePrefixMakesItA24OrA56) {
    Asking s;
    EXPECT_EQ(scope_of(s.ask("hashed.example.com A", {.subnet = "203.0.113.0/24"})), 24U);
    EXPECT_EQ(scope_of(s.ask("hashed.example.com A", {.subnet = "2001:db8:1::/56"})), 56U);
}

TEST(ClientSubnet, MappedAnd6to4AreTheAddressInside) {
    Asking s;
    const dns::Message mapped = s.ask("geo.example.com A", {.subnet = "::ffff:203.0.113.0/121"});
    EXPECT_EQ(Asking::text_of(mapped), "NOERROR aa | geo.example.com. 60 IN A 192.0.2.1");
    EXPECT_EQ(scope_of(mapped), 96U + 25U);
    const dns::Message sixtofour = s.ask("geo.example.com A", {.subnet = "2002:cb00:7180::/41"});
    EXPECT_EQ(Asking::text_of(sixtofour), "NOERROR aa | geo.example.com. 60 IN A 192.0.2.3");
    EXPECT_EQ(scope_of(sixtofour), 16U + 25U);
    EXPECT_EQ(s.text("geo.example.com A", {.source = "::ffff:203.0.113.9"}),
              "NOERROR aa | geo.example.com. 60 IN A 192.0.2.1");
}

TEST(ClientSubnet, MalformedIsFormerr) {
    Asking s;
    const auto name = dns::Name::parse("geo.example.com");
    dns::QueryOptions options;
    options.edns.emplace().subnet = net("203.0.113.0/24");
    auto packet = dns::compose_query(*name, dns::RrType::A, options);
    packet.back() = 1;
    packet[packet.size() - 5] = 23;  // source prefix length: now a bit behind it is set
    EXPECT_EQ(s.send(packet).rcode, dns::Rcode::FormErr);
    EXPECT_EQ(s.last.kind, AnswerKind::Malformed);
}

TEST(Edns, NsidOnlyWhenAskedFor) {
    Asking s;
    const dns::Message with = s.ask("mail.example.com A", {.nsid = true});
    ASSERT_TRUE(with.edns && with.edns->nsid);
    EXPECT_EQ(std::string(with.edns->nsid->begin(), with.edns->nsid->end()), "tyo-1");
    EXPECT_FALSE(s.ask("mail.example.com A", {.edns = true}).edns->nsid);
    EXPECT_EQ(with.edns->udp_size, 1232);
}

TEST(Edns, UnknownVersionIsBadvers) {
    Asking s;
    const auto name = dns::Name::parse("mail.example.com");
    dns::QueryOptions options;
    options.edns.emplace().version = 1;
    const Outcome outcome = s.send(dns::compose_query(*name, dns::RrType::A, options));
    const auto m = dns::parse_message(std::span(s.out).first(outcome.size));
    ASSERT_TRUE(m.ok());
    EXPECT_EQ(m->rcode, dns::Rcode::BadVers);
    EXPECT_EQ(m->edns->version, 0);
    EXPECT_TRUE(m->records.empty());
    EXPECT_EQ(m->questions.size(), 1U);
}

TEST(Limits, UdpEdnsAndTcp) {
    std::string lines = kZoneLines;
    for (int i = 0; i < 40; ++i) {
        lines += "big TXT \"" + std::string(40, static_cast<char>('a' + i % 26)) +
                 std::to_string(i) + "\"\n";
    }
    Asking s(build(kAnswerConfig, lines));
    for (const bool edns : {false, true}) {
        const dns::Message m = s.ask("big.example.com TXT", {.edns = edns, .udp_size = 4096});
        EXPECT_TRUE(m.truncated);
        EXPECT_TRUE(m.section(dns::Section::Answer).empty()) << "never half an RRset";
        EXPECT_TRUE(s.last.truncated);
        EXPECT_LE(s.last.size, edns ? kMaxUdpAnswer : dns::kMinUdpSize);
    }
    const dns::Message tcp = s.ask("big.example.com TXT", {.transport = Transport::Tcp});
    EXPECT_FALSE(tcp.truncated);
    EXPECT_EQ(tcp.section(dns::Section::Answer).size(), 40U);
    const dns::Message ring = s.ask("ring.example.com AAAA", {.edns = true, .udp_size = 100});
    EXPECT_FALSE(ring.truncated) << "a size below 512 is 512, and 9 addresses fit";
    EXPECT_EQ(ring.section(dns::Section::Answer).size(), 9U);
}

TEST(Limits, TheAnswerThatJustFitsIsNotTruncated) {
    // 12 header, 17 + 4 question, 11 OPT: the TXT RRset may take 1232 - 44 octets.
    for (const bool fits : {true, false}) {
        const std::size_t octets = 1232 - 12 - 21 - 11 - 12 - (fits ? 0 : -1);
        std::string record = "big TXT";
        for (std::size_t left = octets; left > 0;) {
            const std::size_t part = std::min<std::size_t>(left, 201);
            record += " \"" + std::string(part - 1, 'x') + "\"";
            left -= part;
        }
        Asking s(build(kAnswerConfig, kZoneLines + record + "\n"));
        const dns::Message m = s.ask("big.example.com TXT", {.edns = true, .udp_size = 4096});
        EXPECT_EQ(m.truncated, !fits) << s.last.size;
        EXPECT_EQ(s.last.size == 1232, fits);
    }
}

TEST(Trace, TellsWhatTheAnswerWasMadeOf) {
    Asking s;
    Trace trace;
    (void)s.ask("geo.example.com A", {.subnet = "203.0.113.0/25"}, &trace);
    EXPECT_EQ(trace.client, net("203.0.113.0/25"));
    EXPECT_TRUE(trace.from_ecs);
    ASSERT_TRUE(trace.place.country);
    EXPECT_EQ(trace.place.country->view(), "JP");
    EXPECT_EQ(trace.finding, "steered");
    EXPECT_EQ(trace.zone, "example.com.");
    EXPECT_EQ(trace.route, "places");
    EXPECT_EQ(trace.endpoints, std::vector<std::string>{"a"});
    EXPECT_EQ(trace.ttl_s, 60U);
    EXPECT_EQ(trace.scope, 25U);
    EXPECT_FALSE(trace.fail_open);
    ASSERT_EQ(trace.steps.size(), 1U);
    EXPECT_EQ(trace.steps[0].members[0].reason, "matches country:JP");
    Trace plain;
    (void)s.ask("nothing.example.com A", {}, &plain);
    EXPECT_EQ(plain.finding, "nxdomain");
    EXPECT_TRUE(plain.steps.empty());
}

}  // namespace
}  // namespace steerd::policy::testing
