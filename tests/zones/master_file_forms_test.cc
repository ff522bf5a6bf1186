// All the ways to write the same records: RFC 1035 §5.1, RFC 2308 §4, RFC 3597 §5.
#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

using dns::RrType;
using Rdata = std::vector<std::string>;

std::uint32_t ttl_at(const Zone& zone, std::string_view owner, RrType type) {
    dns::RrsetView rrset;
    EXPECT_TRUE(zone.glue(name(owner), type, rrset)) << owner;
    return rrset.ttl.seconds();
}

TEST(Form, TtlAndClassInEitherOrder) {
    const auto zone = zone_of(
        "a 60 IN A 192.0.2.1\nb IN 61 A 192.0.2.1\nc 62 A 192.0.2.1\n"
        "d in A 192.0.2.1\ne CLASS1 63 a 192.0.2.1\nf 1h30M A 192.0.2.1\n"
        "g 1w1d1h1m1s A 192.0.2.1\nh 0 TYPE1 192.0.2.1\n");
    EXPECT_EQ(ttl_at(*zone, "a.example.com.", RrType::A), 60U);
    EXPECT_EQ(ttl_at(*zone, "b.example.com.", RrType::A), 61U);
    EXPECT_EQ(ttl_at(*zone, "c.example.com.", RrType::A), 62U);
    EXPECT_EQ(ttl_at(*zone, "d.example.com.", RrType::A), 3600U);
    EXPECT_EQ(ttl_at(*zone, "e.example.com.", RrType::A), 63U);
    EXPECT_EQ(ttl_at(*zone, "f.example.com.", RrType::A), 5400U);
    EXPECT_EQ(ttl_at(*zone, "g.example.com.", RrType::A), 694861U);
    EXPECT_EQ(ttl_at(*zone, "h.example.com.", RrType::A), 0U);
}

TEST(Form, OmittedOwnerIsTheLastOne) {
    const auto zone = zone_of("a A 192.0.2.1\n\n ; a comment between\n\tTXT x\n\n   MX 1 m\n");
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::TXT), (Rdata{"0178"}));
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::MX).size(), 1U);
}

TEST(Form, ParenthesesQuotesEscapesAndComments) {
    const auto zone = zone_of(
        "a ( TXT ; (\n \"x ; y ( \\\" \\\\\" ) ; done\n"
        "b TXT \"\" \\065\\;b(\n c)d \"e\"\n"
        "( c ) A (192.0.2.1)\n"
        "d\\046d A 192.0.2.2\n");
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::TXT), (Rdata{"0b78203b207920282022205c"}));
    EXPECT_EQ(rdata_at(*zone, "b.example.com.", RrType::TXT), (Rdata{"0003413b62"
                                                                     "0163"
                                                                     "0164"
                                                                     "0165"}));
    EXPECT_EQ(rdata_at(*zone, "c.example.com.", RrType::A), (Rdata{"c0000201"}));
    EXPECT_EQ(rdata_at(*zone, "d\\.d.example.com.", RrType::A), (Rdata{"c0000202"}));
}

TEST(Form, CrlfAndByteOrderMarkAndNoFinalNewline) {
    std::string text = "\xEF\xBB\xBF" + kHead + "a TXT (x\n y)\n\n  A 192.0.2.1 ; c\nb A 192.0.2.2";
    std::string crlf;
    for (const char c : text) {
        crlf += c == '\n' ? "\r\n" : std::string(1, c);
    }
    base::Problems problems;
    const auto zone = load_text(crlf, problems);
    ASSERT_NE(zone, nullptr) << problems.text();
    EXPECT_TRUE(problems.all().empty()) << problems.text();
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::TXT), (Rdata{"01780179"}));
    EXPECT_EQ(rdata_at(*zone, "b.example.com.", RrType::A), (Rdata{"c0000202"}));
}

TEST(Form, OriginChangesWhatRelativeNamesMean) {
    const auto zone = zone_of(
        "$ORIGIN sub\na CNAME b\n$origin deeper\n@ TXT x\n"
        "$ORIGIN example.com.\nc CNAME @\n");
    EXPECT_EQ(rdata_at(*zone, "a.sub.example.com.", RrType::CNAME),
              (Rdata{hex(name("b.sub.example.com.").view().octets())}));
    EXPECT_EQ(rdata_at(*zone, "deeper.sub.example.com.", RrType::TXT), (Rdata{"0178"}));
    EXPECT_EQ(rdata_at(*zone, "c.example.com.", RrType::CNAME),
              (Rdata{hex(name("example.com.").view().octets())}));
}

TEST(Form, WithoutTtlDirectiveTheSoaMinimumCounts) {
    base::Problems problems;
    const auto zone = load_text(
        "@ SOA ns h 1 2 3 4 77\n@ NS ns\na A 192.0.2.1\nb 9 A 192.0.2.1\n$TTL 5\nc A 192.0.2.1\n",
        problems);
    ASSERT_NE(zone, nullptr);
    EXPECT_EQ(
        problems.text(),
        "test.zone:1:3: warning: no TTL and no $TTL; the SOA minimum (77) is used here and below");
    EXPECT_EQ(zone->soa().ttl.seconds(), 77U);
    EXPECT_EQ(ttl_at(*zone, "a.example.com.", RrType::A), 77U);
    EXPECT_EQ(ttl_at(*zone, "b.example.com.", RrType::A), 9U);
    EXPECT_EQ(ttl_at(*zone, "c.example.com.", RrType::A), 5U);
}

TEST(Form, DifferingTtlsOfOneRrsetBecomeTheLowest) {
    base::Problems problems;
    const auto zone =
        load_text(kHead + "a 60 A 192.0.2.1\na 30 A 192.0.2.2\na 90 A 192.0.2.3\n", problems);
    ASSERT_NE(zone, nullptr);
    EXPECT_EQ(ttl_at(*zone, "a.example.com.", RrType::A), 30U);
    EXPECT_EQ(problems.text(),
              "test.zone:5:6: warning: TTL 30 differs from 60 of the same RRset (test.zone:4); the "
              "lower one is used\n"
              "test.zone:6:6: warning: TTL 90 differs from 30 of the same RRset (test.zone:4); the "
              "lower one is used");
}

TEST(Form, DuplicatesAreOneRecordWhateverTheirCase) {
    base::Problems problems;
    const auto zone = load_text(kHead +
                                    "a MX 1 mail\nA mx 1 MAIL\na TXT x\na TXT X\n"
                                    "@ 7200 IN SOA ns.example.net. hostmaster.example.com. 7 3600 "
                                    "600 86400 300\n",
                                problems);
    ASSERT_NE(zone, nullptr) << problems.text();
    EXPECT_EQ(problems.text(),
              "test.zone:5:3: warning: the same MX record again; ignored\n"
              "test.zone:8:11: warning: the same SOA record again; ignored");
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::TXT), (Rdata{"0178", "0158"}));
    EXPECT_EQ(zone->record_count(), 5U);
}

TEST(Form, DuplicatesAreFoundInLargeRrsets) {
    std::string text = kHead;
    for (int i = 0; i < 500; ++i) {
        text += "a NS ns" + std::to_string(i % 250) + (i < 250 ? ".x.\n" : ".X.\n");
    }
    base::Problems problems;
    const auto zone = load_text(text, problems);
    ASSERT_NE(zone, nullptr);
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::NS).size(), 250U);
    EXPECT_EQ(problems.all().size(), 101U);
}

TEST(Form, RecordsOfOneRrsetMayBeSpreadOverTheFile) {
    std::string text;
    std::vector<Rdata> expected(3);
    for (int i = 0; i < 600; ++i) {
        const int owner = i % 3;
        text += std::string(1, static_cast<char>('a' + owner)) + " A 10.0." +
                std::to_string(i / 256) + "." + std::to_string(i % 256) + "\n";
        const std::uint8_t address[] = {10, 0, static_cast<std::uint8_t>(i / 256),
                                        static_cast<std::uint8_t>(i % 256)};
        expected[static_cast<std::size_t>(owner)].push_back(hex(address));
        text += i % 100 == 0 ? "b TYPE" + std::to_string(1000 + i) + " \\# 1 ff\n" : "";
    }
    const auto zone = zone_of(text);
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::A), expected[0]);
    EXPECT_EQ(rdata_at(*zone, "b.example.com.", RrType::A), expected[1]);
    EXPECT_EQ(rdata_at(*zone, "c.example.com.", RrType::A), expected[2]);
    EXPECT_EQ(rdata_at(*zone, "b.example.com.", RrType(1500)), (Rdata{"ff"}));
}

TEST(Form, UnknownTypesAndGenericRdata) {
    const auto zone = zone_of(
        "a TYPE65534 \\# 4 0a 0B 0c0d\na TYPE65533 \\# 0\n"
        "a A \\# 4 C0000201\na MX \\# 5 000a 01 6d 00\na SPF \"v=spf1\"\n"
        "a CAA 0 issue \"ca.example; a=\\\"b\\\"\"\n");
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType(65534)), (Rdata{"0a0b0c0d"}));
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType(65533)), (Rdata{""}));
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::A), (Rdata{"c0000201"}));
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::MX), (Rdata{"000a016d00"}));
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType(99)), (Rdata{"06763d73706631"}));
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::CAA),
              (Rdata{"000569737375"
                     "65"
                     "63612e6578616d706c653b20613d226222"}));
}

TEST(Form, ServiceBindings) {
    const auto zone = zone_of(
        "a HTTPS 1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1 port=443\n"
        "a SVCB 0 b\n_x.a SVCB ( 1 c key65000=\"a b\" )\n");
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::HTTPS), (Rdata{"000100"
                                                                       "0001000602683202"
                                                                       "6833"
                                                                       "0003000201bb"
                                                                       "00040004c0000201"}));
    EXPECT_EQ(rdata_at(*zone, "a.example.com.", RrType::SVCB),
              (Rdata{"0000" + hex(name("b.example.com.").view().octets())}));
    EXPECT_EQ(rdata_at(*zone, "_x.a.example.com.", RrType::SVCB),
              (Rdata{"0001" + hex(name("c.example.com.").view().octets()) + "fde80003612062"}));
}

TEST(Form, LongestStringsAndNames) {
    const std::string label(63, 'l');
    const auto zone = zone_of("t TXT " + std::string(255, 'x') + "\n" + label + "." + label + "." +
                              label + " A 192.0.2.1\n");
    EXPECT_EQ(rdata_at(*zone, "t.example.com.", RrType::TXT)[0].size(), 512U);
    base::Problems problems;
    EXPECT_EQ(load_text(kHead + "t TXT " + std::string(256, 'x') + "\n", problems), nullptr);
    EXPECT_EQ(problems.text(), "test.zone:4:7: error: text of 256 octets; one string holds 255");
}

TEST(Form, WhatStandsBelowADnameIsToldAndNotAnswered) {
    base::Problems problems;
    EXPECT_NE(load_text(kHead + "d DNAME x.\na.d A 192.0.2.1\n", problems), nullptr);
    EXPECT_EQ(problems.text(),
              "test.zone:5: warning: a.d.example.com. stands below a DNAME and is never answered");
}

TEST(Generate, FillsInTheCounter) {
    const auto zone = zone_of(
        "$GENERATE 1-3 h$ A 192.0.2.$\n"
        "$GENERATE 0-6/3 x${-0,3,d} 60 IN CNAME h${1}.t\n"
        "$GENERATE 10-10 m-${0,4,x}-${0,0,X}-${0,0,o} MX \"1$ mail\"\n"
        "$GENERATE 1-1 d\\$$$ TXT \"$ \\\"a $\\\" b\"\n"
        "$GENERATE 18-18 ${0,5,n}.ip PTR h$\n"
        "$GENERATE 171-171 ${0,0,N}.up PTR h$\n");
    EXPECT_EQ(rdata_at(*zone, "h1.example.com.", RrType::A), (Rdata{"c0000201"}));
    EXPECT_EQ(rdata_at(*zone, "h3.example.com.", RrType::A), (Rdata{"c0000203"}));
    EXPECT_TRUE(rdata_at(*zone, "h4.example.com.", RrType::A).empty());
    EXPECT_EQ(rdata_at(*zone, "x003.example.com.", RrType::CNAME),
              (Rdata{hex(name("h4.t.example.com.").view().octets())}));
    EXPECT_EQ(rdata_at(*zone, "x006.example.com.", RrType::CNAME).size(), 1U);
    EXPECT_EQ(rdata_at(*zone, "m-000a-A-12.example.com.", RrType::MX),
              (Rdata{"006e" + hex(name("mail.example.com.").view().octets())}));
    EXPECT_EQ(rdata_at(*zone, "d\\$\\$.example.com.", RrType::TXT).size(), 1U);
    EXPECT_EQ(rdata_at(*zone, "2.1.0.ip.example.com.", RrType::PTR).size(), 1U);
    EXPECT_EQ(rdata_at(*zone, "B.A.up.example.com.", RrType::PTR).size(), 1U);
}

}  // namespace
}  // namespace steerd::zones::testing
