// Hostile octets: valid packets with octets changed, cut or doubled. ASan and UBSan watch; whatever
// is not dropped must be answered by a message that ldns and we can read.
#include <algorithm>

#include "packets.h"

namespace steerd::dns {
namespace {

std::vector<Bytes> seeds() {
    QueryOptions everything;
    everything.edns.emplace().subnet = base::IpPrefix::parse("2001:db8:7::/48");
    everything.edns->nsid = true;
    const OwnedRrset mx = OwnedRrset("mx.example.com", RrType::MX)
                              .add(u16(1) + wire(name("a.example.com")))
                              .add(u16(2) + wire(name("b.a.example.com")));
    const OwnedRrset soa =
        OwnedRrset("example.com", RrType::SOA)
            .add(wire(name("ns.example.com")) + wire(name("h.example.com")) + Bytes(20, 0));
    const Bytes query = compose_query(name("www.example.com"), RrType::MX, everything);
    const Bytes identity{'i', 'd'};
    const Bytes response = respond(query, 1232, [&](ResponseWriter& w) {
        w.set_identity(identity);
        EXPECT_TRUE(w.add(Section::Answer, mx.view()));
        EXPECT_TRUE(w.add(Section::Authority, soa.view()));
    });
    return {query, response, query_with(option(10, Bytes(24, 1)) + option(11, {}) + option(3, {})),
            header(0, 1, 0, 1, 2) + question() + record({0xC0, 0x0C}, 6, 1, Bytes(22, 0)) +
                opt({}) + record(wire(name("key")), 250, 255, Bytes(9, 0))};
}

Bytes mutate(Bytes packet, base::Rng& rng) {
    for (std::uint64_t n = 1 + rng.below(4); n > 0 && !packet.empty(); --n) {
        const std::size_t at = rng.below(packet.size());
        static constexpr std::array<std::uint8_t, 8> kSpecial{0,    1,    0x3F, 0x40,
                                                              0x80, 0xC0, 0xFF, 41};
        switch (rng.below(5)) {
            case 0:
                packet[at] = static_cast<std::uint8_t>(rng.next());
                break;
            case 1:
                packet[at] = kSpecial[rng.below(kSpecial.size())];
                break;
            case 2:
                packet.resize(at);
                break;
            case 3:
                packet.insert(packet.begin() + static_cast<int>(at),
                              static_cast<std::uint8_t>(rng.next()));
                break;
            default:
                packet[at] = static_cast<std::uint8_t>(packet[at] ^ (1U << rng.below(8)));
        }
    }
    return packet;
}

TEST(MutatedPackets, AreAllDroppedRefusedOrAnswered) {
    const std::vector<Bytes> valid = seeds();
    base::Rng rng(5);
    std::array<int, 3> verdicts{};
    int readable = 0;
    for (int i = 0; i < 200000; ++i) {
        const Bytes mutated = mutate(valid[rng.below(valid.size())], rng);
        const auto packet = std::make_unique<std::uint8_t[]>(mutated.size());  // exact, for ASan
        std::copy(mutated.begin(), mutated.end(), packet.get());
        const std::span<const std::uint8_t> octets(packet.get(), mutated.size());
        readable += parse_message(octets).ok() ? 1 : 0;

        const ParsedQuery parsed = parse_query(octets);
        ++verdicts[static_cast<std::size_t>(parsed.verdict)];
        if (parsed.verdict == QueryVerdict::Drop) {
            continue;
        }
        std::array<std::uint8_t, 512> out;
        ResponseWriter writer(out, out.size(), parsed.query);
        writer.set_rcode(parsed.rcode);
        const bool added =
            writer.add_cname(Section::Answer, parsed.query.qname, Ttl(1), parsed.query.qname);
        ASSERT_TRUE(added);
        const auto response = std::span<const std::uint8_t>(out).first(writer.finish());
        const auto read = parse_message(response);
        ASSERT_TRUE(read.ok()) << read.error();
        ASSERT_EQ(read->rcode, parsed.rcode);
        ASSERT_EQ(read->edns.has_value(), parsed.query.edns.has_value());
        if (i % 16 == 0) {
            ASSERT_TRUE(ldns_parse(response));
        }
    }
    for (const int count : verdicts) {
        EXPECT_GT(count, 10000) << "the mutations no longer reach every verdict";
    }
    EXPECT_GT(readable, 10000);
}

TEST(MutatedPackets, RandomOctetsAreReadWithoutHarm) {
    base::Rng rng(6);
    for (int i = 0; i < 50000; ++i) {
        const std::size_t size = rng.below(80);
        const auto packet = std::make_unique<std::uint8_t[]>(size);
        for (std::size_t k = 0; k < size; ++k) {
            packet[k] = static_cast<std::uint8_t>(rng.below(3) == 0 ? rng.next() : rng.below(4));
        }
        const ParsedQuery parsed = parse_query({packet.get(), size});
        ASSERT_EQ(parsed.verdict == QueryVerdict::Drop, size < 12 || (packet[2] & 0x80) != 0);
        (void)parse_message({packet.get(), size}).ok();
    }
}

}  // namespace
}  // namespace steerd::dns
