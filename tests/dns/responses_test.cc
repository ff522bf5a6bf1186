// Responses: header and OPT follow the query, sections hold what was added.
#include "packets.h"

namespace steerd::dns {
namespace {

Bytes query_for(std::string_view text, const QueryOptions& options = {}) {
    return compose_query(name(text), RrType::A, options);
}

QueryOptions with_edns() {
    QueryOptions options;
    options.edns.emplace();
    return options;
}

constexpr auto kNothing = [](ResponseWriter&) {};

TEST(Response, HeaderFollowsTheQuery) {
    QueryOptions options;
    options.id = 0xBEEF;
    options.recursion_desired = true;
    options.checking_disabled = true;
    const Bytes octets = respond(query_for("www.example.com", options), 512, [](ResponseWriter& w) {
        w.set_rcode(Rcode::NxDomain);
        w.set_authoritative(true);
    });
    const Message m = message(octets);
    EXPECT_EQ(m.id, 0xBEEF);
    EXPECT_EQ(m.rcode, Rcode::NxDomain);
    EXPECT_TRUE(m.response);
    EXPECT_TRUE(m.authoritative);
    EXPECT_TRUE(m.recursion_desired);
    EXPECT_FALSE(m.recursion_available);
    EXPECT_FALSE(m.authentic_data);
    EXPECT_FALSE(m.checking_disabled);
    EXPECT_FALSE(m.truncated);
    EXPECT_FALSE(m.edns) << "no OPT in the query, none in the answer";
    const Message refused =
        message(respond(query_for("a"), 512, [](auto& w) { w.set_rcode(Rcode::Refused); }));
    EXPECT_FALSE(refused.authoritative);
    EXPECT_FALSE(refused.recursion_desired);
}

TEST(Response, QuestionIsEchoedOctetForOctet) {
    const Bytes packet = query_for("wWw.eXample.cOm");
    const Bytes octets = respond(packet, 512, kNothing);
    EXPECT_TRUE(std::equal(packet.begin() + 12, packet.end(), octets.begin() + 12, octets.end()));
}

TEST(Response, RefusalsCarryWhatCouldBeRead) {
    const Message bad = message(respond(header(0, 1, 0, 0, 0) + Bytes{0xC0, 0x0C}, 512, kNothing));
    EXPECT_EQ(bad.rcode, Rcode::FormErr);
    EXPECT_TRUE(bad.questions.empty());

    const Message notify =
        message(respond(header(4 << 11, 1, 0, 0, 0) + question(), 512, kNothing));
    EXPECT_EQ(notify.opcode, Opcode::Notify);
    EXPECT_EQ(notify.rcode, Rcode::NotImp);
    EXPECT_EQ(notify.questions.size(), 1U);

    const Bytes version_1 = header(0, 1, 0, 0, 1) + question() + opt({}, 1232, 1);
    const Bytes octets = respond(version_1, 512, kNothing);
    const Message bad_version = message(octets);
    EXPECT_EQ(bad_version.rcode, Rcode::BadVers);
    EXPECT_EQ(bad_version.edns->version, 0);
    EXPECT_EQ(bad_version.questions.size(), 1U);
    EXPECT_EQ(ldns_pkt_edns_extended_rcode(ldns_parse(octets).get()), 1);
}

TEST(Response, OptAnnouncesOurSizeAndCopiesDo) {
    QueryOptions options = with_edns();
    options.edns->dnssec_ok = true;
    Message m = message(respond(query_for("a", options), 512, kNothing));
    EXPECT_EQ(m.edns->udp_size, 1232);
    EXPECT_TRUE(m.edns->dnssec_ok);
    options.edns->dnssec_ok = false;
    m = message(respond(query_for("a", options), 512, [](auto& w) { w.set_announced_size(4096); }));
    EXPECT_EQ(m.edns->udp_size, 4096);
    EXPECT_FALSE(m.edns->dnssec_ok);
    EXPECT_FALSE(m.edns->subnet);
    EXPECT_FALSE(m.edns->nsid);
}

TEST(Response, SubnetIsEchoedWithOurScope) {
    for (const char* text : {"203.0.113.0/24", "0.0.0.0/0", "10.128.0.0/9", "2001:db8:1::/56",
                             "::/0", "192.0.2.77/32", "2001:db8::7/128"}) {
        QueryOptions options = with_edns();
        options.edns->subnet = base::IpPrefix::parse(text);
        const Bytes packet = query_for("a", options);
        const Bytes octets = respond(packet, 512, [](auto& w) { w.set_ecs_scope(17); });
        const Message m = message(octets);
        EXPECT_EQ(m.edns->subnet, options.edns->subnet) << text;
        EXPECT_EQ(m.edns->subnet_scope, 17);
        // The option is the query's but for the scope.
        Bytes expected(
            packet.end() - static_cast<int>(8 + (options.edns->subnet->length() + 7) / 8),
            packet.end());
        expected[7] = 17;
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                               octets.end() - static_cast<int>(expected.size())))
            << text;
    }
    EXPECT_EQ(
        message(respond(query_for("a", with_edns()), 512, [](auto& w) { w.set_ecs_scope(17); }))
            .edns->subnet,
        std::nullopt);
}

TEST(Response, IdentityIsToldOnRequestOnly) {
    const Bytes identity{'t', 'y', 'o', '-', '1'};
    const auto fill = [&](ResponseWriter& w) { w.set_identity(identity); };
    QueryOptions options = with_edns();
    EXPECT_FALSE(message(respond(query_for("a", options), 512, fill)).edns->nsid);
    EXPECT_FALSE(message(respond(query_for("a"), 512, fill)).edns);
    options.edns->nsid = true;
    EXPECT_EQ(message(respond(query_for("a", options), 512, fill)).edns->nsid, identity);
    EXPECT_FALSE(message(respond(query_for("a", options), 512, kNothing)).edns->nsid);
}

TEST(Response, IdentityThatDoesNotFitIsLeftOut) {
    QueryOptions options = with_edns();
    options.edns->nsid = true;
    const Bytes identity(500, 'x');
    const Message m =
        message(respond(query_for("a", options), 512, [&](auto& w) { w.set_identity(identity); }));
    ASSERT_TRUE(m.edns);
    EXPECT_FALSE(m.edns->nsid);
    const Message wide =
        message(respond(query_for("a", options), 1232, [&](auto& w) { w.set_identity(identity); }));
    EXPECT_EQ(wide.edns->nsid, identity);
}

TEST(Response, SectionsHoldWhatWasAddedWithOwnerAndTtlAsGiven) {
    const OwnedRrset soa = OwnedRrset("example.com", RrType::SOA, 3600)
                               .add(wire(name("ns1.example.com")) + wire(name("host.example.com")) +
                                    u16(0) + u16(7) + Bytes(16, 1));
    const OwnedRrset wildcard =
        OwnedRrset("*.example.com", RrType::TXT, 60).add({1, 'a'}).add({2, 'b', 'c'});
    const std::array addresses{base::IpAddress::v4(0xC0000201), base::IpAddress::v4(0xC0000202)};
    const std::array wide{*base::IpAddress::parse("2001:db8::1")};
    const Bytes octets = respond(query_for("x.example.com"), 1232, [&](ResponseWriter& w) {
        EXPECT_TRUE(
            w.add_cname(Section::Answer, name("x.example.com"), Ttl(5), name("y.example.com")));
        EXPECT_TRUE(w.add(Section::Answer, name("y.example.com"), Ttl(9), wildcard.view()));
        EXPECT_TRUE(w.add_addresses(Section::Answer, name("z.example.com"), Ttl(7), addresses));
        EXPECT_TRUE(w.add_addresses(Section::Answer, name("z.example.com"), Ttl(7), {}));
        EXPECT_TRUE(w.add(Section::Authority, soa.view()));
        EXPECT_TRUE(w.add_addresses(Section::Additional, name("ns1.example.com"), Ttl(7), wide));
    });
    const Message m = message(octets);
    std::vector<std::string> lines;
    for (const Record& r : m.records) {
        lines.push_back(std::to_string(static_cast<int>(r.section)) + " " + r.text());
    }
    EXPECT_EQ(lines, (std::vector<std::string>{
                         "0 x.example.com. 5 IN CNAME y.example.com.",
                         "0 y.example.com. 9 IN TXT \"a\"",
                         "0 y.example.com. 9 IN TXT \"bc\"",
                         "0 z.example.com. 7 IN A 192.0.2.1",
                         "0 z.example.com. 7 IN A 192.0.2.2",
                         "1 example.com. 3600 IN SOA ns1.example.com. host.example.com. 7 "
                         "16843009 16843009 16843009 16843009",
                         "2 ns1.example.com. 7 IN AAAA 2001:db8::1",
                     }));
    EXPECT_EQ(m.section(Section::Answer).size(), 5U);
}

TEST(Response, RecordsHaveTheClassAskedForAndInForAny) {
    const OwnedRrset txt = OwnedRrset("id.server", RrType::TXT).add({1, 'a'});
    for (const auto& [asked, answered] :
         {std::pair(RrClass::CH, RrClass::CH), std::pair(RrClass::ANY, RrClass::IN)}) {
        QueryOptions options;
        options.rrclass = asked;
        const Message m = message(respond(query_for("id.server", options), 512, [&](auto& w) {
            EXPECT_TRUE(w.add(Section::Answer, txt.view()));
        }));
        EXPECT_EQ(m.records.at(0).rrclass, answered);
    }
}

TEST(Response, RootAsQnameAndOwner) {
    const OwnedRrset ns = OwnedRrset(".", RrType::NS).add(wire(name("a.root."))).add({0});
    const Bytes octets = respond(query_for("."), 512,
                                 [&](auto& w) { EXPECT_TRUE(w.add(Section::Answer, ns.view())); });
    const Message m = message(octets);
    ASSERT_EQ(m.records.size(), 2U);
    EXPECT_EQ(m.records[0].text(), ". 300 IN NS a.root.");
    EXPECT_EQ(m.records[1].text(), ". 300 IN NS .");
    EXPECT_TRUE(ldns_parse(octets));
}

}  // namespace
}  // namespace steerd::dns
