// A query signed by TSIG: no key is known here, so it is refused as RFC 8945 §5.2.1 says, and a
// record that is no whole TSIG in its place is FORMERR.
#include "packets.h"

namespace steerd::dns {
namespace {

constexpr unsigned kTsig = 250;
constexpr unsigned kAny = 255;
const Bytes kTimeAndFudge{0, 0, 0x6B, 0, 0xCA, 0x1E, 1, 0x2C};

Bytes algorithm() { return wire(name("hmac-sha256")); }

Bytes rdata(const Bytes& mac = Bytes(32, 9), const Bytes& other = {}) {
    return algorithm() + kTimeAndFudge + u16(static_cast<unsigned>(mac.size())) + mac +
           u16(0x4321) + u16(0) + u16(static_cast<unsigned>(other.size())) + other;
}

Bytes tsig(const Bytes& key = wire(name("key.test"))) { return record(key, kTsig, kAny, rdata()); }

/// What parse_query() makes of it.
Rcode rcode_of(const Bytes& packet) {
    const auto parsed = parse_query(packet);
    EXPECT_EQ(parsed.verdict, QueryVerdict::Reply);
    return parsed.rcode;
}

Bytes refusal(const Bytes& packet, std::size_t limit = 512) {
    const auto parsed = parse_query(packet);
    std::array<std::uint8_t, 1232> out{};
    ResponseWriter writer(out, limit, parsed.query);
    writer.set_rcode(parsed.rcode);
    const auto size = writer.finish();
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

TEST(SignedQuery, IsRefusedWithBadKeyAndWithoutAMac) {
    const Bytes packet = header(0, 1, 0, 0, 1) + question() + tsig();
    EXPECT_EQ(rcode_of(packet), Rcode::NotAuth);
    const Bytes expected =
        header(0x8009, 1, 0, 0, 1) + question() +
        record(wire(name("key.test")), kTsig, kAny,
               algorithm() + kTimeAndFudge + u16(0) + u16(0x4321) + u16(17) + u16(0));
    EXPECT_EQ(refusal(packet), expected);
}

TEST(SignedQuery, TheTsigStandsBehindTheOpt) {
    const Bytes packet = header(0, 1, 0, 0, 2) + question() + opt({}) + tsig();
    EXPECT_EQ(rcode_of(packet), Rcode::NotAuth);
    const Bytes got = refusal(packet);
    const Bytes begin = header(0x8009, 1, 0, 0, 2) + question() + opt({});
    ASSERT_GT(got.size(), begin.size());
    EXPECT_EQ(Bytes(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(begin.size())), begin);
}

TEST(SignedQuery, ACompressedKeyIsSpeltOut) {
    const Bytes to_question{0xC0, 12};
    const Bytes packet = header(0, 1, 0, 0, 1) + question() + tsig(Bytes{1, 'k'} + to_question);
    const Bytes spelt = wire(name("k.www.example.com"));
    const Bytes got = refusal(packet);
    const auto at = static_cast<std::ptrdiff_t>(12 + question().size());
    EXPECT_EQ(Bytes(got.begin() + at, got.begin() + at + static_cast<std::ptrdiff_t>(spelt.size())),
              spelt);
}

TEST(SignedQuery, ATsigThatDoesNotFitIsLeftOut) {
    const std::string label(63, 'x');
    const Bytes key = wire(name(label + "." + label + "." + label + "." + label.substr(2)));
    const Bytes asked = key + u16(1) + u16(1);
    const Bytes packet = header(0, 1, 0, 0, 1) + asked + tsig(key);
    EXPECT_EQ(refusal(packet), header(0x8009, 1, 0, 0, 0) + asked);
    EXPECT_GT(refusal(packet, 1232).size(), 500U);
}

TEST(SignedQuery, OutOfItsPlaceOrNotWholeIsFormErr) {
    const Bytes key = wire(name("key.test"));
    EXPECT_EQ(rcode_of(header(0, 1, 0, 0, 2) + question() + tsig() + opt({})), Rcode::FormErr);
    EXPECT_EQ(rcode_of(header(0, 1, 0, 0, 2) + question() + tsig() + tsig()), Rcode::FormErr);
    EXPECT_EQ(rcode_of(header(0, 1, 1, 0, 0) + question() + tsig()), Rcode::FormErr);
    EXPECT_EQ(rcode_of(header(0, 1, 0, 1, 0) + question() + tsig()), Rcode::FormErr);
    EXPECT_EQ(rcode_of(header(0, 1, 0, 0, 1) + question() + record(key, kTsig, 1, rdata())),
              Rcode::FormErr);
    const Bytes whole = rdata(Bytes(4, 1), Bytes(6, 2));
    EXPECT_EQ(rcode_of(header(0, 1, 0, 0, 1) + question() + record(key, kTsig, kAny, whole)),
              Rcode::NotAuth);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(rcode_of(header(0, 1, 0, 0, 1) + question() + record(key, kTsig, kAny, cut)),
                  Rcode::FormErr)
            << size;
    }
    EXPECT_EQ(
        rcode_of(header(0, 1, 0, 0, 1) + question() + record(key, kTsig, kAny, whole + Bytes{0})),
        Rcode::FormErr);
}

}  // namespace
}  // namespace steerd::dns
