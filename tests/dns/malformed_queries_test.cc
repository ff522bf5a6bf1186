// What is wrong with a query decides between silence, FORMERR, NOTIMP and BADVERS; each way to be
// wrong has its test here.
#include "packets.h"

namespace steerd::dns {
namespace {

void expect_reply(const Bytes& packet, Rcode rcode, bool with_question, bool with_edns) {
    const ParsedQuery parsed = parse_query(packet);
    EXPECT_EQ(parsed.verdict, QueryVerdict::Reply);
    EXPECT_EQ(parsed.rcode, rcode);
    EXPECT_EQ(!parsed.query.question.empty(), with_question);
    EXPECT_EQ(parsed.query.edns.has_value(), with_edns);
    EXPECT_EQ(parsed.query.id, 0x1234);
}

void expect_option_formerr(const Bytes& options) {
    expect_reply(query_with(options), Rcode::FormErr, true, true);
    const ParsedQuery parsed = parse_query(query_with(options));
    EXPECT_FALSE(parsed.query.edns->subnet) << "nothing of a bad OPT is echoed";
}

Bytes subnet(unsigned family, unsigned source, unsigned scope, const Bytes& address) {
    return option(8,
                  u16(family) +
                      Bytes{static_cast<std::uint8_t>(source), static_cast<std::uint8_t>(scope)} +
                      address);
}

TEST(MalformedQuery, ShorterThanAHeaderIsDropped) {
    const Bytes packet = header(0, 1, 0, 0, 0);
    for (std::size_t size = 0; size < kHeaderSize; ++size) {
        EXPECT_EQ(parse_query(std::span(packet).first(size)).verdict, QueryVerdict::Drop) << size;
    }
}

TEST(MalformedQuery, AnAnswerIsDropped) {
    EXPECT_EQ(parse_query(header(0x8000, 1, 0, 0, 0) + question()).verdict, QueryVerdict::Drop);
    EXPECT_EQ(parse_query(header(0xA800, 0, 0, 0, 0)).verdict, QueryVerdict::Drop);
}

TEST(MalformedQuery, OtherOpcodesAreNotImplemented) {
    for (unsigned opcode = 1; opcode < 16; ++opcode) {
        expect_reply(header(opcode << 11, 1, 0, 0, 0) + question(), Rcode::NotImp, true, false);
        expect_reply(header(opcode << 11, 1, 0, 0, 1) + question() + opt({}), Rcode::NotImp, true,
                     true);
        expect_reply(header(opcode << 11, 1, 0, 0, 0), Rcode::NotImp, false, false);
        expect_reply(header(opcode << 11, 0, 9, 9, 9) + Bytes{0xFF}, Rcode::NotImp, false, false);
        EXPECT_EQ(static_cast<unsigned>(parse_query(header(opcode << 11, 0, 0, 0, 0)).query.opcode),
                  opcode);
    }
}

TEST(MalformedQuery, NoQuestionIsFormErr) {
    expect_reply(header(0, 0, 0, 0, 0), Rcode::FormErr, false, false);
    expect_reply(header(0, 0, 0, 0, 1) + opt({}), Rcode::FormErr, false, true);
}

TEST(MalformedQuery, TwoQuestionsAreFormErr) {
    expect_reply(header(0, 2, 0, 0, 0) + question() + question(), Rcode::FormErr, false, false);
    expect_reply(header(0, 2, 0, 0, 1) + question() + question() + opt({}), Rcode::FormErr, false,
                 true);
    expect_reply(header(0, 65535, 0, 0, 0) + question(), Rcode::FormErr, false, false);
}

TEST(MalformedQuery, CompressedQnameIsFormErr) {
    expect_reply(header(0, 1, 0, 0, 0) + Bytes{0xC0, 0x0C} + u16(1) + u16(1), Rcode::FormErr, false,
                 false);
    expect_reply(header(0, 1, 0, 0, 0) + Bytes{1, 'a', 0xC0, 0x04} + u16(1) + u16(1),
                 Rcode::FormErr, false, false);
}

TEST(MalformedQuery, OtherLabelTypesAreFormErr) {
    for (const std::uint8_t length : Bytes{0x40, 0x41, 0x80, 0xBF}) {
        expect_reply(header(0, 1, 0, 0, 0) + Bytes{length} + Bytes(255, 0), Rcode::FormErr, false,
                     false);
    }
}

TEST(MalformedQuery, QnameOver255OctetsIsFormErr) {
    Bytes longest;
    for (int i = 0; i < 127; ++i) {
        longest = longest + Bytes{1, 'a'};
    }
    const Bytes tail = Bytes{0} + u16(1) + u16(1);
    EXPECT_EQ(parse_query(header(0, 1, 0, 0, 0) + longest + tail).verdict, QueryVerdict::Query);
    expect_reply(header(0, 1, 0, 0, 0) + Bytes{2, 'a', 'a'} + longest + tail, Rcode::FormErr, false,
                 false);
    expect_reply(header(0, 1, 0, 0, 0) + Bytes{1, 'a'} + longest + tail, Rcode::FormErr, false,
                 false);
}

TEST(MalformedQuery, EveryTruncationIsFormErr) {
    const Bytes packet = query_with(option(3, {}) + subnet(1, 24, 0, {192, 0, 2}));
    ASSERT_EQ(parse_query(packet).verdict, QueryVerdict::Query);
    const std::size_t question_end = kHeaderSize + question().size();
    for (std::size_t size = kHeaderSize; size < packet.size(); ++size) {
        const auto copy = std::make_unique<std::uint8_t[]>(size);  // so that ASan guards the end
        std::copy_n(packet.begin(), size, copy.get());
        const ParsedQuery parsed = parse_query({copy.get(), size});
        EXPECT_EQ(parsed.verdict, QueryVerdict::Reply) << size;
        EXPECT_EQ(parsed.rcode, Rcode::FormErr) << size;
        EXPECT_EQ(parsed.query.question.empty(), size < question_end) << size;
        EXPECT_FALSE(parsed.query.edns) << size;
    }
}

TEST(MalformedQuery, OctetsBehindTheMessageAreFormErr) {
    expect_reply(header(0, 1, 0, 0, 0) + question() + Bytes{0}, Rcode::FormErr, true, false);
    expect_reply(query_with({}) + Bytes{0}, Rcode::FormErr, true, true);
}

TEST(MalformedQuery, CountsWithoutRecordsAreFormErr) {
    expect_reply(header(0, 1, 1, 0, 0) + question(), Rcode::FormErr, true, false);
    expect_reply(header(0, 1, 0, 1, 0) + question(), Rcode::FormErr, true, false);
    expect_reply(header(0, 1, 0, 0, 1) + question(), Rcode::FormErr, true, false);
    expect_reply(header(0, 1, 0xFFFF, 0xFFFF, 0xFFFF) + question(), Rcode::FormErr, true, false);
}

TEST(MalformedQuery, RecordsInOtherSectionsAreSteppedOver) {
    const Bytes soa = record({0xC0, 0x0C}, 6, 1, Bytes(22, 0));
    const ParsedQuery parsed =
        parse_query(header(0, 1, 1, 2, 2) + question() +
                    record(wire(name("a.b")), 1, 1, {192, 0, 2, 1}) + soa + soa + soa + opt({}));
    EXPECT_EQ(parsed.verdict, QueryVerdict::Query);
    EXPECT_TRUE(parsed.query.edns);
}

TEST(MalformedQuery, OwnerPointingForwardIsFormErr) {
    expect_reply(header(0, 1, 0, 1, 0) + question() + record({0xC0, 0xFF}, 6, 1, {}),
                 Rcode::FormErr, true, false);
}

TEST(MalformedQuery, TwoOptsAreFormErr) {
    expect_reply(header(0, 1, 0, 0, 2) + question() + opt({}) + opt({}), Rcode::FormErr, true,
                 true);
}

TEST(MalformedQuery, OptOfAnotherOwnerIsFormErr) {
    expect_reply(header(0, 1, 0, 0, 1) + question() + record(wire(name("a")), 41, 1232, {}),
                 Rcode::FormErr, true, false);
    const std::uint8_t root_at = static_cast<std::uint8_t>(kHeaderSize + question().size() - 5);
    expect_reply(header(0, 1, 0, 0, 1) + question() + record({0xC0, root_at}, 41, 1232, {}),
                 Rcode::FormErr, true, false);
}

TEST(MalformedQuery, OptOutsideAdditionalIsFormErr) {
    expect_reply(header(0, 1, 1, 0, 0) + question() + opt({}), Rcode::FormErr, true, false);
    expect_reply(header(0, 1, 0, 1, 0) + question() + opt({}), Rcode::FormErr, true, false);
}

TEST(MalformedQuery, OtherEdnsVersionIsBadVers) {
    for (const unsigned version : {1U, 100U, 255U}) {
        expect_reply(header(0, 1, 0, 0, 1) + question() + opt({}, 1232, version), Rcode::BadVers,
                     true, true);
        // options of that version may look like anything
        expect_reply(header(0, 1, 0, 0, 1) + question() + opt({1, 2, 3}, 1232, version),
                     Rcode::BadVers, true, true);
    }
}

TEST(MalformedQuery, OptionBehindItsRecordIsFormErr) {
    expect_option_formerr(Bytes{0});
    expect_option_formerr(u16(3));
    expect_option_formerr(u16(3) + Bytes{0});
    expect_option_formerr(u16(65001) + u16(1));
    expect_option_formerr(option(65001, {1, 2}) + u16(65001) + u16(0xFFFF));
}

TEST(MalformedQuery, NsidWithDataIsNotMalformed) {
    const Bytes packet = query_with(option(3, {1}));
    const ParsedQuery parsed = parse_query(packet);
    EXPECT_EQ(parsed.verdict, QueryVerdict::Query);
    EXPECT_TRUE(parsed.query.edns && parsed.query.edns->nsid);
}

TEST(MalformedQuery, CookieOfBadLengthIsFormErr) {
    for (std::size_t length = 0; length < 50; ++length) {
        const Bytes packet = query_with(option(10, Bytes(length, 7)));
        if (length == 8 || (length >= 16 && length <= 40)) {
            EXPECT_EQ(parse_query(packet).verdict, QueryVerdict::Query) << length;
            EXPECT_EQ(parse_query(packet).query.edns->cookie.size(), length);
        } else {
            expect_option_formerr(option(10, Bytes(length, 7)));
        }
    }
}

TEST(MalformedQuery, SubnetOfUnknownFamilyIsFormErr) {
    expect_option_formerr(subnet(0, 24, 0, {192, 0, 2}));
    expect_option_formerr(subnet(0, 0, 1, {}));
    expect_option_formerr(subnet(0, 0, 0, {0}));
    expect_option_formerr(subnet(3, 24, 0, {192, 0, 2}));
    expect_option_formerr(subnet(0x0101, 24, 0, {192, 0, 2}));
}

TEST(MalformedQuery, SubnetLongerThanItsFamilyIsFormErr) {
    expect_option_formerr(subnet(1, 33, 0, {192, 0, 2, 1, 0}));
    expect_option_formerr(subnet(2, 129, 0, Bytes(17, 0)));
    expect_option_formerr(subnet(1, 255, 0, Bytes(32, 0)));
}

TEST(MalformedQuery, SubnetAddressOfWrongSizeIsFormErr) {
    expect_option_formerr(subnet(1, 24, 0, {192, 0}));
    expect_option_formerr(subnet(1, 24, 0, {192, 0, 2, 0}));
    expect_option_formerr(subnet(1, 25, 0, {192, 0, 2}));
    expect_option_formerr(subnet(1, 0, 0, {0}));
    expect_option_formerr(subnet(2, 56, 0, Bytes(16, 0)));
}

TEST(MalformedQuery, SubnetWithBitsBehindThePrefixIsFormErr) {
    expect_option_formerr(subnet(1, 23, 0, {192, 0, 3}));
    expect_option_formerr(subnet(1, 1, 0, {0xC0}));
    expect_option_formerr(subnet(2, 33, 0, {0x20, 1, 0xD, 0xB8, 1}));
}

TEST(MalformedQuery, SubnetWithScopeIsFormErr) {
    expect_option_formerr(subnet(1, 24, 24, {192, 0, 2}));
    expect_option_formerr(subnet(1, 24, 1, {192, 0, 2}));
}

TEST(MalformedQuery, SubnetOptionCutShortIsFormErr) {
    expect_option_formerr(option(8, {}));
    expect_option_formerr(option(8, {0, 1}));
    expect_option_formerr(option(8, {0, 1, 0}));
}

TEST(MalformedQuery, TwoSubnetsAreFormErr) {
    expect_option_formerr(subnet(1, 24, 0, {192, 0, 2}) + subnet(1, 24, 0, {192, 0, 2}));
}

}  // namespace
}  // namespace steerd::dns
