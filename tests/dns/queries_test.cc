// Queries that are in order: everything the rest of the server asks of one is read as it was sent.
#include "packets.h"

namespace steerd::dns {
namespace {

ParsedQuery expect_query(const Bytes& packet) {
    ParsedQuery parsed = parse_query(packet);
    EXPECT_EQ(parsed.verdict, QueryVerdict::Query) << "rcode " << to_text(parsed.rcode);
    return parsed;
}

TEST(Query, PlainQuestionIsReadAsItCame) {
    const Bytes packet = header(0x0110, 1, 0, 0, 0) + wire(name("wWw.ExAmple")) + u16(28) + u16(3);
    const ParsedQuery parsed = expect_query(packet);
    EXPECT_EQ(parsed.query.id, 0x1234);
    EXPECT_EQ(parsed.query.qname.to_text(), "wWw.ExAmple.");
    EXPECT_EQ(parsed.query.qtype, RrType::AAAA);
    EXPECT_EQ(parsed.query.qclass, RrClass::CH);
    EXPECT_TRUE(parsed.query.recursion_desired);
    EXPECT_TRUE(parsed.query.checking_disabled);
    EXPECT_FALSE(parsed.query.edns);
    EXPECT_EQ(parsed.query.question.data(), packet.data() + kHeaderSize);
    EXPECT_EQ(parsed.query.question.size(), packet.size() - kHeaderSize);
}

TEST(Query, OtherHeaderBitsDoNotMatter) {
    const ParsedQuery parsed = expect_query(header(0x06EF, 1, 0, 0, 0) + question());
    EXPECT_FALSE(parsed.query.recursion_desired);
    EXPECT_FALSE(parsed.query.checking_disabled);
}

TEST(Query, UdpSizeBelow512CountsAs512) {
    for (const unsigned size : {0U, 1U, 511U, 512U, 513U, 1232U, 65535U}) {
        const Bytes packet = header(0, 1, 0, 0, 1) + question() + opt({}, size);
        EXPECT_EQ(expect_query(packet).query.edns->udp_size, std::max(size, 512U));
    }
}

TEST(Query, OptMayStandAnywhereInAdditional) {
    const Bytes other = record(wire(name("a")), 1, 1, {192, 0, 2, 1});
    expect_query(header(0, 1, 0, 0, 3) + question() + other + opt({}) + other);
    EXPECT_TRUE(expect_query(header(0, 1, 0, 0, 2) + question() + opt({}) + other).query.edns);
}

TEST(Query, UnknownOptionsArePassedOver) {
    const ParsedQuery parsed = expect_query(
        query_with(option(65001, Bytes(100, 9)) + option(3, {}) + option(12, Bytes(20, 0))));
    EXPECT_TRUE(parsed.query.edns->nsid);
    EXPECT_FALSE(parsed.query.edns->tcp_keepalive);
    EXPECT_TRUE(expect_query(query_with(option(11, {}))).query.edns->tcp_keepalive);
}

TEST(Query, FirstCookieCounts) {
    const Bytes packet = query_with(option(10, Bytes(8, 1)) + option(10, Bytes(16, 2)));
    const ParsedQuery parsed = expect_query(packet);
    EXPECT_EQ(Bytes(parsed.query.edns->cookie.begin(), parsed.query.edns->cookie.end()),
              Bytes(8, 1));
}

TEST(Query, SubnetIsReadAtEveryLength) {
    const auto v4 = *base::IpAddress::parse("203.0.113.255");
    const auto v6 = *base::IpAddress::parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    for (const base::IpAddress& address : {v4, v6}) {
        for (unsigned length = 0; length <= base::bits_of(address.family()); ++length) {
            QueryOptions options;
            options.edns.emplace().subnet = base::IpPrefix(address, length);
            const Bytes packet = compose_query(name("www.example.com"), RrType::A, options);
            const ParsedQuery parsed = expect_query(packet);
            ASSERT_TRUE(parsed.query.edns->subnet);
            EXPECT_EQ(parsed.query.edns->subnet->prefix, base::IpPrefix(address, length));
            EXPECT_EQ(parsed.query.edns->subnet->address_octets.size(), (length + 7) / 8);
        }
    }
}

TEST(Query, WhatComposeWritesIsReadBack) {
    base::Rng rng(3);
    for (int i = 0; i < 2000; ++i) {
        QueryOptions options;
        options.id = static_cast<std::uint16_t>(rng.next());
        options.recursion_desired = rng.below(2) == 0;
        options.checking_disabled = rng.below(2) == 0;
        options.rrclass = rng.below(2) == 0 ? RrClass::IN : RrClass::CH;
        if (rng.below(3) > 0) {
            QueryEdns& edns = options.edns.emplace();
            edns.udp_size = static_cast<std::uint16_t>(512 + rng.below(65024));
            edns.dnssec_ok = rng.below(2) == 0;
            edns.nsid = rng.below(2) == 0;
        }
        const auto type = static_cast<RrType>(rng.next());
        const Name qname = name("a" + std::to_string(rng.below(1000)) + ".example");
        const Bytes packet = compose_query(qname, type, options);

        const ParsedQuery parsed = expect_query(packet);
        EXPECT_EQ(parsed.query.id, options.id);
        EXPECT_EQ(parsed.query.qname, qname.view());
        EXPECT_EQ(parsed.query.qtype, type);
        EXPECT_EQ(parsed.query.qclass, options.rrclass);
        EXPECT_EQ(parsed.query.recursion_desired, options.recursion_desired);
        EXPECT_EQ(parsed.query.checking_disabled, options.checking_disabled);
        ASSERT_EQ(parsed.query.edns.has_value(), options.edns.has_value());
        if (options.edns) {
            EXPECT_EQ(parsed.query.edns->udp_size, options.edns->udp_size);
            EXPECT_EQ(parsed.query.edns->dnssec_ok, options.edns->dnssec_ok);
            EXPECT_EQ(parsed.query.edns->nsid, options.edns->nsid);
        }

        const LdnsPacket ldns = ldns_parse(packet);
        ASSERT_TRUE(ldns);
        EXPECT_EQ(ldns_pkt_id(ldns.get()), options.id);
        EXPECT_EQ(ldns_pkt_cd(ldns.get()), options.checking_disabled);
        EXPECT_EQ(ldns_pkt_edns_do(ldns.get()), options.edns && options.edns->dnssec_ok);
        EXPECT_EQ(ldns_pkt_edns(ldns.get()), options.edns.has_value());
    }
}

}  // namespace
}  // namespace steerd::dns
