// Every mistake in a master file is told with its file, line and column, all of them in one run.
#include "zone_testing.h"
#include "zones/tokenizer.h"

namespace steerd::zones::testing {
namespace {

using ::testing::TestWithParam;
using ::testing::Values;

struct Case {
    std::string_view line;      // the fourth of the file, behind kHead
    std::string_view expected;  // "column: error: message"
};

class Mistake : public TestWithParam<Case> {};

TEST_P(Mistake, IsNamedWithItsPlace) {
    base::Problems problems;
    const auto zone = load_text(kHead + std::string(GetParam().line) + "\n", problems);
    EXPECT_EQ(zone, nullptr);
    EXPECT_EQ(problems.text(), "test.zone:4:" + std::string(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Words, Mistake,
    Values(Case{"a A 192.0.2.1)", "14: error: ')' without '('"},
           Case{"a TXT ( x", "7: error: '(' is never closed"},
           Case{"a TXT \"x", "7: error: quote is not closed on its line"},
           Case{"a TXT x\\", "8: error: '\\' with nothing to escape"},
           Case{"a\x01 A 192.0.2.1", "2: error: control character 1; write it as \\DDD"},
           Case{"a TXT \"\x7f\"", "8: error: control character 127; write it as \\DDD"},
           Case{"a", "1: error: expected a type behind this"},
           Case{"a 300 IN", "7: error: expected a type behind this"},
           Case{"a \"A\" 192.0.2.1", "3: error: expected a type, found a quote"},
           Case{"a BOGUS 1", "3: error: unknown type 'BOGUS' (TYPEnnn names any by its number)"},
           Case{"a IN IN A 192.0.2.1",
                "6: error: unknown type 'IN' (TYPEnnn names any by its number)"},
           Case{"a CH TXT x", "3: error: class CH; only IN is served"},
           Case{"a CLASS4 TXT x", "3: error: class CLASS4; only IN is served"},
           Case{"a 2147483648 A 192.0.2.1",
                "3: error: '2147483648' is not a TTL (0..2147483647, or like 1h30m)"},
           Case{"a 1h30 A 192.0.2.1",
                "3: error: '1h30' is not a TTL (0..2147483647, or like 1h30m)"},
           Case{"a 1y A 192.0.2.1", "3: error: '1y' is not a TTL (0..2147483647, or like 1h30m)"},
           Case{"a OPT x", "3: error: OPT is not a type of data"},
           Case{"a ANY x", "3: error: ANY is not a type of data"},
           Case{"a TYPE0 \\# 0", "3: error: TYPE0 is not a type of data"},
           Case{"a AXFR x", "3: error: AXFR is not a type of data"},
           Case{"a TSIG x", "3: error: TSIG is not a type of data"}));

INSTANTIATE_TEST_SUITE_P(
    Owners, Mistake,
    Values(Case{"a..b A 192.0.2.1", "1: error: bad name 'a..b': empty label"},
           Case{"\"a\" A 192.0.2.1", "1: error: expected a name, found a quote"},
           Case{"a.example.org. A 192.0.2.1",
                "1: error: a.example.org. is outside the zone example.com."},
           Case{"a SOA ns h 1 2 3 4 5", "3: error: SOA below the apex example.com."},
           Case{"*.a NS ns", "5: error: NS at a wildcard has no defined meaning (RFC 4592)"},
           Case{"*.a DNAME x.",
                "5: error: DNAME at a wildcard has no defined meaning (RFC 4592)"}));

INSTANTIATE_TEST_SUITE_P(
    Rdata, Mistake,
    Values(Case{"a A", "3: error: expected an IPv4 address behind this"},
           Case{"a A 192.0.2", "5: error: '192.0.2' is not an IPv4 address"},
           Case{"a A 192.0.2.256", "5: error: '192.0.2.256' is not an IPv4 address"},
           Case{"a A 192.0.2.01", "5: error: '192.0.2.01' is not an IPv4 address"},
           Case{"a A 192.0.2.1.1", "5: error: '192.0.2.1.1' is not an IPv4 address"},
           Case{"a A 192.0.2.1 x", "15: error: unexpected 'x' behind the record"},
           Case{"a A \"192.0.2.1\"", "5: error: '192.0.2.1' is not an IPv4 address"},
           Case{"a AAAA 2001:db8::g", "8: error: '2001:db8::g' is not an IPv6 address"},
           Case{"a AAAA 192.0.2.1", "8: error: '192.0.2.1' is not an IPv6 address"},
           Case{"a CNAME \"x\"", "9: error: expected a name, found a quote"},
           Case{"a CNAME x..y", "9: error: bad name 'x..y': empty label"},
           Case{"a MX 65536 m", "6: error: '65536' is not a preference of 0..65535"},
           Case{"a MX 10", "6: error: expected a name behind this"},
           Case{"a SRV 1 2 -3 t", "11: error: '-3' is not a port of 0..65535"},
           Case{"@ SOA n h 4294967296 1 1 1 1",
                "11: error: '4294967296' is not a serial of 0..4294967295"},
           Case{"@ SOA n h 1 1 1 1 x", "19: error: 'x' is not a minimum (seconds, or like 1h30m)"},
           Case{"a TXT", "3: error: expected text behind this"},
           Case{"a TXT \\300", "7: error: '\\300' has a bad escape (use \\DDD with 000..255)"},
           Case{"a TXT a\"b c\"",
                "7: error: 'a\"b c\"' has a quote inside; put the whole text in quotes"},
           Case{"a TYPE300 x", "11: error: rdata of TYPE300 must be written as \\# (RFC 3597)"},
           Case{"a TYPE652280 \\# 0",
                "3: error: unknown type 'TYPE652280' (TYPEnnn names any by its number)"},
           Case{"a TYPE12x b",
                "3: error: unknown type 'TYPE12x' (TYPEnnn names any by its number)"},
           Case{"a TYPE300 \\# 2 ab", "16: error: expected more hexadecimal digits behind this"},
           Case{"a TYPE300 \\# 1 abcd", "16: error: 'abcd' goes beyond the length of 1 octets"},
           Case{"a TYPE300 \\# 1 abc", "16: error: 'abc' goes beyond the length of 1 octets"},
           Case{"a TYPE300 \\# 1 xy", "16: error: 'xy' is not hexadecimal"},
           Case{"a TYPE300 \\# z", "14: error: 'z' is not the length of rdata (0..65535)"},
           Case{"a A \\# 3 010203", "5: error: bad A rdata: the octets do not fit the type"},
           Case{"a DS \\# 1 01", "6: error: bad DS rdata: the octets do not fit the type"},
           Case{"a HTTPS \\# 5 0001000004",
                "9: error: bad HTTPS rdata: the octets do not fit the type"},
           Case{"a HTTPS 0 \\@.b",
                "11: error: a name that begins with \\@; write the record as \\# (RFC 3597)"},
           Case{"a RP b \\064",
                "8: error: a name that begins with \\@; write the record as \\# (RFC 3597)"},
           Case{"a HTTPS 1 . alpn=h2 alpn=h3",
                "9: error: bad HTTPS rdata: a parameter is given twice"},
           Case{"a HTTPS 1 . alpn=f\\\\,oo",
                "13: error: alpn with an escape; write the record as \\# (RFC 3597)"},
           Case{"a CAA 0 issue", "7: error: bad CAA rdata: Syntax error, value expected"}));

INSTANTIATE_TEST_SUITE_P(
    Directives, Mistake,
    Values(
        Case{"$BOGUS x", "1: error: unknown directive '$BOGUS'"},
        Case{"$ORIGIN", "1: error: expected more behind this"},
        Case{"$ORIGIN a b", "11: error: unexpected 'b'"},
        Case{"$ORIGIN a..b", "9: error: bad name 'a..b': empty label"},
        Case{"$TTL x", "6: error: 'x' is not a TTL (0..2147483647, or like 1h30m)"},
        Case{"$INCLUDE f", "10: error: $INCLUDE is not possible here"},
        Case{"$GENERATE 1-2 a", "15: error: expected more behind this"},
        Case{"$GENERATE 2-1 a$ A 192.0.2.$",
             "11: error: not a range: start-stop or start-stop/step"},
        Case{"$GENERATE 1-2/0 a$ A 192.0.2.$",
             "11: error: not a range: start-stop or start-stop/step"},
        Case{"$GENERATE 1-2 a${x} A 192.0.2.$", "15: error: bad ${offset,width,base} in 'a${x}'"},
        Case{"$GENERATE 1-2 a${0,256} A 192.0.2.$",
             "15: error: bad ${offset,width,base} in 'a${0,256}'"},
        Case{"$GENERATE 1-2 a A 192.0.2.${-2}", "19: error: counter 1 and offset leave 0..2^32-1"},
        Case{"$GENERATE 255-300 a$ A 192.0.2.$", "24: error: '192.0.2.256' is not an IPv4 address"},
        Case{"$GENERATE 0-1048576 a$ A 192.0.2.1",
             "11: error: over 1048576 generated records in one zone"}));

INSTANTIATE_TEST_SUITE_P(
    Neighbours, Mistake,
    Values(Case{"@ SOA ns h 8 1 1 1 1",
                "3: error: a second SOA at example.com. (the first: test.zone:2)"},
           Case{"@ CNAME x", "3: error: CNAME at the apex, beside SOA and NS"}));

TEST(Mistakes, ConflictsNameTheOtherRecord) {
    base::Problems problems;
    EXPECT_EQ(load_text(kHead + "a A 192.0.2.1\na CNAME b\n"
                                "c CNAME d\nc CNAME e\n"
                                "f CNAME g\n  TXT x\n"
                                "h DNAME i\nh DNAME j\n"
                                "k NS l\nk DNAME m\n"
                                "n CNAME o\nn DNAME p\n",
                        problems),
              nullptr);
    EXPECT_EQ(problems.text(),
              "test.zone:5:3: error: CNAME beside A at a.example.com. (see test.zone:4)\n"
              "test.zone:7:3: error: a second CNAME at c.example.com. (the first: test.zone:6)\n"
              "test.zone:9:3: error: TXT beside CNAME at f.example.com. (see test.zone:8)\n"
              "test.zone:11:3: error: a second DNAME at h.example.com. (the first: test.zone:10)\n"
              "test.zone:13:3: error: DNAME beside NS at k.example.com. (see test.zone:12)\n"
              "test.zone:15:3: error: DNAME beside CNAME at n.example.com. (see test.zone:14)");
}

TEST(Mistakes, RrsigAndNsecMayStandBesideACname) {
    base::Problems problems;
    EXPECT_NE(load_text(kHead + "a NSEC b CNAME\na CNAME b\n"
                                "a RRSIG CNAME 8 2 300 20300101000000 20200101000000 1 x. AAAA\n",
                        problems),
              nullptr)
        << problems.text();
}

TEST(Mistakes, AreToldAllInOneRun) {
    base::Problems problems;
    EXPECT_EQ(load_text("$TTL 1h\n@ SOA ns h 1 2 3 4\n@ NS\nbad A 1\nok A 192.0.2.1\n"
                        "x TXT \"open\ny AAAA z\n",
                        problems),
              nullptr);
    EXPECT_EQ(problems.text(),
              "test.zone:2:18: error: expected a minimum behind this\n"
              "test.zone:3:3: error: expected a name behind this\n"
              "test.zone:4:7: error: '1' is not an IPv4 address\n"
              "test.zone:6:7: error: quote is not closed on its line\n"
              "test.zone:7:8: error: 'z' is not an IPv6 address");
}

TEST(Mistakes, AZoneNeedsSoaAndNs) {
    base::Problems problems;
    EXPECT_EQ(load_text("$TTL 1\na NS x\n", problems), nullptr);
    EXPECT_EQ(load_text("", problems), nullptr);
    EXPECT_EQ(problems.text(),
              "test.zone: error: no SOA at the apex example.com.\n"
              "test.zone: error: no NS at the apex example.com.\n"
              "test.zone: error: no SOA at the apex example.com.\n"
              "test.zone: error: no NS at the apex example.com.");
}

TEST(Mistakes, OneSlipInParenthesesIsOneMessage) {
    base::Problems problems;
    EXPECT_EQ(load_text(kHead + "a TXT ( x\n \"y\n z )\nb A 192.0.2.300\n", problems), nullptr);
    EXPECT_EQ(problems.text(),
              "test.zone:5:2: error: quote is not closed on its line\n"
              "test.zone:7:5: error: '192.0.2.300' is not an IPv4 address");
}

TEST(Mistakes, InAnOwnerAreNotRepeatedForItsOtherRecords) {
    base::Problems problems;
    EXPECT_EQ(load_text(kHead + "$ORIGIN org.\na A 192.0.2.1\n  TXT x\n  A 1.2.3\n", problems),
              nullptr);
    EXPECT_EQ(problems.text(),
              "test.zone:5:1: error: a.org. is outside the zone example.com.\n"
              "test.zone:7:5: error: '1.2.3' is not an IPv4 address");
}

TEST(Mistakes, NoOwnerYet) {
    base::Problems problems;
    EXPECT_EQ(load_text("  300 A 192.0.2.1\n" + kHead, problems), nullptr);
    EXPECT_EQ(problems.text(),
              "test.zone:1:3: error: no owner: the first record begins with a blank");
}

TEST(Mistakes, NoTtlAnywhere) {
    base::Problems problems;
    EXPECT_EQ(load_text("a A 192.0.2.1\n@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\n", problems), nullptr);
    EXPECT_EQ(problems.text(), "test.zone:1:3: error: no TTL: give one, or $TTL, or the SOA first");
}

TEST(Mistakes, StopAtAHundred) {
    base::Problems problems;
    std::string text = kHead;
    for (int i = 0; i < 1000; ++i) {
        text += "a A x\n";
    }
    EXPECT_EQ(load_text(text, problems), nullptr);
    EXPECT_EQ(problems.error_count(), 101U);
    EXPECT_EQ(problems.all().back().text(),
              "test.zone:103:5: error: 100 errors in this zone; the rest was not read");
}

TEST(Warnings, AreBoundedToo) {
    base::Problems problems;
    std::string text = kHead;
    for (int i = 0; i < 1000; ++i) {
        text += "a A 192.0.2.1\n";
    }
    EXPECT_NE(load_text(text, problems), nullptr);
    EXPECT_EQ(problems.all().size(), 101U);
    EXPECT_EQ(problems.all().front().text(),
              "test.zone:5:3: warning: the same A record again; ignored");
    EXPECT_EQ(problems.all().back().text(),
              "test.zone: warning: 899 more warnings in this zone are not shown");
}

TEST(Mistakes, TooMuchTextForOneRecord) {
    for (const std::string filler : {"aaaaaaaaaaaaaaaa", "\\a\\a\\a\\a\\a\\a\\a\\a",
                                     " \"\" \"\" \"\"", " x x x x x x x x", "\"xxxxxxxxxxxx\""}) {
        std::string text = kHead + "a TXT (";
        for (std::size_t i = 0; i < 2 * kMaxEntryText / filler.size(); ++i) {
            text += filler;
        }
        base::Problems problems;
        EXPECT_EQ(load_text(text + ")\nb A x\n", problems), nullptr);
        ASSERT_EQ(problems.error_count(), 2U) << filler << problems.text().substr(0, 500);
        EXPECT_NE(problems.all()[0].message.find("too much text"), std::string::npos);
        EXPECT_EQ(problems.all()[1].at.line, 5U);
    }
}

TEST(Mistakes, AnRrsetThatFitsNoMessage) {
    std::string text = kHead;
    for (int i = 0; i < 300; ++i) {
        text += "a TXT " + std::to_string(i) + std::string(240, 'x') + "\n";
    }
    base::Problems problems;
    EXPECT_EQ(load_text(text, problems), nullptr);
    EXPECT_EQ(problems.all().front().message, "an RRset over 65535 octets fits no message");
}

TEST(Mistakes, TooManyTypesAtOneName) {
    std::string text = kHead;
    for (int i = 0; i < 256; ++i) {
        text += "a TYPE" + std::to_string(1000 + i) + " \\# 0\n";
    }
    base::Problems problems;
    EXPECT_EQ(load_text(text, problems), nullptr);
    EXPECT_EQ(problems.text(), "test.zone:259:3: error: more than 255 types at one name");
}

}  // namespace
}  // namespace steerd::zones::testing
