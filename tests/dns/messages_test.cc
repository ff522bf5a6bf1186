// Messages taken apart: hostile pointers and counts end in an error, rdata prints as ldns prints
// it.
#include "dns/message.h"
#include "dns/text.h"
#include "packets.h"

namespace steerd::dns {
namespace {

std::string error_of(const Bytes& octets) {
    const auto parsed = parse_message(octets);
    return parsed.ok() ? "" : parsed.error();
}

constexpr unsigned kResponse = 0x8000;

TEST(Message, BrokenPointersAreErrors) {
    const auto asking = [](const Bytes& owner) {
        return header(kResponse, 1, 0, 0, 0) + owner + u16(1) + u16(1);
    };
    EXPECT_EQ(error_of(asking({0xC0, 0x0C})), "the question is broken") << "to itself";
    EXPECT_EQ(error_of(asking({1, 'a', 0xC0, 0x0C})), "the question is broken") << "a loop";
    EXPECT_EQ(error_of(asking({0xC0, 0x0E, 0xC0, 0x0C})), "the question is broken") << "forward";
    EXPECT_EQ(error_of(asking({0xFF, 0xFF})), "the question is broken") << "outside";
    EXPECT_EQ(error_of(asking({0x80, 0x01})), "the question is broken") << "label type";
    EXPECT_EQ(error_of(header(kResponse, 1, 0, 0, 0) + Bytes{0xC0}), "the question is broken");
}

TEST(Message, NamesThatGrowOver255OctetsByPointersAreErrors) {
    Bytes body;
    std::size_t previous = 0;
    for (int i = 0; i < 5; ++i) {  // each name: one label of 63 and the name before
        const std::size_t at = kHeaderSize + body.size();
        body = body + Bytes{63} + Bytes(63, 'a');
        body = body + (i == 0 ? Bytes{0} : u16(0xC000U | static_cast<unsigned>(previous)));
        body = body + u16(1) + u16(1);
        previous = at;
    }
    EXPECT_EQ(error_of(header(kResponse, 5, 0, 0, 0) + body), "the question is broken");
    const Bytes three(body.begin(), body.begin() + 64 + 1 + 4 + 2 * (64 + 2 + 4));
    EXPECT_EQ(error_of(header(kResponse, 3, 0, 0, 0) + three), "");
}

TEST(Message, ChainsOfBarePointersAreBounded) {
    Bytes body = Bytes{0} + u16(1) + u16(1);
    std::size_t target = kHeaderSize;
    Bytes chain;
    const std::size_t chain_at = kHeaderSize + body.size() + 11;
    for (std::size_t i = 0; i < 1000; ++i) {
        chain = chain + u16(0xC000U | static_cast<unsigned>(target));
        target = chain_at + 2 * i;
    }
    const Bytes holder = record({0}, 65280, 1, chain);
    const auto pointing_to = [&](std::size_t link) {
        return header(kResponse, 1, 2, 0, 0) + body + holder +
               record(u16(0xC000U | static_cast<unsigned>(chain_at + 2 * link)), 1, 1, {});
    };
    EXPECT_EQ(error_of(pointing_to(100)), "");
    EXPECT_EQ(error_of(pointing_to(999)), "a record ends early");
}

TEST(Message, EveryTruncationIsAnError) {
    const Bytes octets = header(kResponse, 1, 1, 0, 1) + question() +
                         record({0xC0, 0x0C}, 15, 1, u16(1) + Bytes{1, 'm', 0xC0, 0x10}) +
                         opt(option(3, {'x'}));
    ASSERT_EQ(error_of(octets), "");
    EXPECT_EQ(message(octets).records.at(0).text(), "www.example.com. 0 IN MX 1 m.example.com.");
    for (std::size_t size = 0; size < octets.size(); ++size) {
        const auto copy = std::make_unique<std::uint8_t[]>(size);
        std::copy_n(octets.begin(), size, copy.get());
        EXPECT_FALSE(parse_message({copy.get(), size}).ok()) << size;
    }
    EXPECT_EQ(error_of(octets + Bytes{0}), "octets behind the message");
}

TEST(Message, RdataThatEndsWithinItsNameIsAnError) {
    const Bytes start = header(kResponse, 1, 1, 0, 0) + question();
    EXPECT_EQ(error_of(start + record({0xC0, 0x0C}, 5, 1, {1, 'a'})),
              "the data of a record is broken");
    EXPECT_EQ(error_of(start + record({0xC0, 0x0C}, 6, 1, {0})), "the data of a record is broken");
    EXPECT_EQ(error_of(start + record({0xC0, 0x0C}, 33, 1, {0, 0})),
              "the data of a record is broken");
}

TEST(Message, BadOptsAreErrors) {
    const auto with = [](unsigned an, unsigned ar, const Bytes& records) {
        return header(kResponse, 1, an, 0, ar) + question() + records;
    };
    EXPECT_EQ(error_of(with(0, 2, opt({}) + opt({}))), "two OPT records");
    EXPECT_EQ(error_of(with(1, 0, opt({}))), "an OPT record where none may be");
    EXPECT_EQ(error_of(with(0, 1, record({1, 'a', 0}, 41, 512, {}))),
              "an OPT record where none may be");
    EXPECT_EQ(error_of(with(0, 1, opt({0, 3, 0, 1}))), "an EDNS option ends behind its record");
    // A subnet that is not well-formed is not shown, the message still is.
    EXPECT_EQ(message(with(0, 1, opt(option(8, {0, 1, 99, 0})))).edns->subnet, std::nullopt);
}

TEST(Message, TtlOver31BitsCountsAsZeroAndOptBitsAreKept) {
    Bytes a = record({0xC0, 0x0C}, 1, 1, {192, 0, 2, 1});
    a[6] = 0x80;
    const Message m = message(header(kResponse | 3, 1, 1, 0, 1) + question() + a +
                              (Bytes{0} + u16(41) + u16(1400) + Bytes{2, 0, 0x80, 0} + u16(0)));
    EXPECT_EQ(m.records.at(0).ttl, Ttl(0));
    EXPECT_EQ(static_cast<unsigned>(m.rcode), 35U);
    EXPECT_TRUE(m.edns->dnssec_ok);
    EXPECT_EQ(m.edns->udp_size, 1400);
}

TEST(RdataText, AgreesWithLdns) {
    for (const char* line :
         {"x. 5 IN A 192.0.2.1", "x. 5 IN AAAA 2001:db8::1", "x. 5 IN AAAA ::ffff:192.0.2.1",
          "x. 5 IN NS ns.example.", "x. 5 IN CNAME \\.a\\032b.example.", "x. 5 IN PTR .",
          "x. 5 IN DNAME d.example.", "x. 5 IN MX 65535 mx.example.",
          "x. 5 IN TXT \"a b\" \"\" \"q\\\"\\\\ \\000\\255;\"",
          "x. 5 IN SOA ns.example. host.example. 1 2 3 4 4294967295",
          "x. 5 IN SRV 1 2 443 target.example.", "x. 5 IN CAA 128 issue \"ca.example; a=b\"",
          "x. 5 IN CAA 0 issue \"\""}) {
        ldns_rr* rr = nullptr;
        ASSERT_EQ(ldns_rr_new_frm_str(&rr, line, 0, nullptr, nullptr), LDNS_STATUS_OK) << line;
        ldns_buffer* const buffer = ldns_buffer_new(512);
        ldns_rr_rdata2buffer_wire(buffer, rr);
        const std::span<const std::uint8_t> rdata(ldns_buffer_begin(buffer),
                                                  ldns_buffer_position(buffer));
        const auto type = static_cast<RrType>(ldns_rr_get_type(rr));
        EXPECT_EQ("x. 5 IN " + to_text(type) + " " + rdata_to_text(type, rdata), ldns_text(rr));
        ldns_buffer_free(buffer);
        ldns_rr_free(rr);
    }
}

TEST(RdataText, UnknownTypesAndOddRdataAreShownInHex) {
    EXPECT_EQ(rdata_to_text(static_cast<RrType>(65280), Bytes{0xDE, 0xAD}), "\\# 2 dead");
    EXPECT_EQ(rdata_to_text(RrType::A, Bytes{}), "\\# 0");
    EXPECT_EQ(rdata_to_text(RrType::A, Bytes{1, 2, 3}), "\\# 3 010203");
    EXPECT_EQ(rdata_to_text(RrType::A, Bytes{1, 2, 3, 4, 5}), "\\# 5 0102030405");
    EXPECT_EQ(rdata_to_text(RrType::NS, Bytes{1, 'a'}), "\\# 2 0161");
    EXPECT_EQ(rdata_to_text(RrType::TXT, Bytes{2, 'a'}), "\\# 2 0261");
    EXPECT_EQ(rdata_to_text(RrType::TXT, Bytes{}), "\\# 0");
    EXPECT_EQ(rdata_to_text(RrType::CAA, Bytes{0, 1, '-', 'v'}), "\\# 4 00012d76");
    EXPECT_EQ(rdata_to_text(RrType::CAA, Bytes{0, 0, 'v'}), "\\# 3 000076");
    EXPECT_EQ(rdata_to_text(RrType::CAA, Bytes{0, 9, 'v'}), "\\# 3 000976");
}

}  // namespace
}  // namespace steerd::dns
