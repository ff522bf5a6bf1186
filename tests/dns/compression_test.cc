// Compression: ldns and our own reader find the same records in the octets as were put in, and the
// octets are as few as they should be.
#include <algorithm>

#include "packets.h"

namespace steerd::dns {
namespace {

std::string record_text(NameView owner, RrType type, Ttl ttl, std::span<const std::uint8_t> rdata) {
    Record record;
    record.owner = Name(owner);
    record.type = type;
    record.rrclass = RrClass::IN;
    record.ttl = ttl;
    record.rdata.assign(rdata.begin(), rdata.end());
    return record.text();
}

std::vector<std::string> ldns_lines(std::span<const std::uint8_t> octets) {
    std::vector<std::string> lines;
    const LdnsPacket packet = ldns_parse(octets);
    EXPECT_TRUE(packet);
    if (!packet) {
        return lines;
    }
    for (const ldns_rr_list* list :
         {ldns_pkt_answer(packet.get()), ldns_pkt_authority(packet.get()),
          ldns_pkt_additional(packet.get())}) {
        for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
            const ldns_rr* rr = ldns_rr_list_rr(list, i);
            lines.push_back(ldns_text(rr));
        }
    }
    return lines;
}

std::vector<std::string> our_lines(std::span<const std::uint8_t> octets) {
    std::vector<std::string> lines;
    for (const Record& record : message(octets).records) {
        lines.push_back(record.text());
    }
    return lines;
}

/// Few labels, so that names often share suffixes.
Name related_name(base::Rng& rng) {
    static constexpr std::array<std::string_view, 8> kLabels{"a",   "B",    "ns1", "ns2",
                                                             "www", "mail", "x",   "NS1"};
    static constexpr std::array<std::string_view, 4> kEnds{"example.com", "EXAMPLE.com",
                                                           "example.net", "org"};
    std::string text;
    for (std::uint64_t n = rng.below(4); n > 0; --n) {
        text += std::string(kLabels[rng.below(kLabels.size())]) + ".";
    }
    return name(text + std::string(kEnds[rng.below(kEnds.size())]));
}

Bytes random_rdata(base::Rng& rng, RrType type) {
    switch (type) {
        case RrType::A:
            return u16(static_cast<unsigned>(rng.below(65536))) + u16(1);
        case RrType::MX:
            return u16(static_cast<unsigned>(rng.below(65536))) + wire(related_name(rng));
        case RrType::SOA:
            return wire(related_name(rng)) + wire(related_name(rng)) + Bytes(20, 3);
        case RrType::SRV:
            return u16(1) + u16(2) + u16(3) + wire(related_name(rng));
        default:
            return wire(related_name(rng));
    }
}

std::string lowered(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return static_cast<char>(lower(static_cast<std::uint8_t>(c))); });
    return text;
}

TEST(Compression, RandomMessagesAreReadAsTheyWereWritten) {
    static constexpr std::array kTypes{RrType::A,  RrType::NS,  RrType::CNAME, RrType::PTR,
                                       RrType::MX, RrType::SOA, RrType::DNAME, RrType::SRV};
    base::Rng rng(4);
    for (int round = 0; round < 3000; ++round) {
        const Bytes packet = compose_query(related_name(rng), RrType::A);
        std::vector<std::string> expected;
        const Bytes octets = respond(packet, 65535, [&](ResponseWriter& w) {
            for (unsigned section = 0; section < 3; ++section) {
                for (std::uint64_t sets = rng.below(5); sets > 0; --sets) {
                    OwnedRrset rrset("x", kTypes[rng.below(kTypes.size())]);
                    rrset.owner = related_name(rng);
                    for (std::uint64_t n = 1 + rng.below(3); n > 0; --n) {
                        const Bytes rdata = random_rdata(rng, rrset.type);
                        rrset.add(rdata);
                        expected.push_back(
                            lowered(record_text(rrset.owner, rrset.type, rrset.ttl, rdata)));
                    }
                    ASSERT_TRUE(w.add(static_cast<Section>(section), rrset.view()));
                }
            }
        });
        std::vector<std::string> ours;
        for (const Record& record : message(octets).records) {
            ours.push_back(lowered(record.text()));
        }
        ASSERT_EQ(ours, expected);
        std::vector<std::string> theirs = ldns_lines(octets);
        std::transform(theirs.begin(), theirs.end(), theirs.begin(), lowered);
        ASSERT_EQ(theirs, expected);
    }
}

TEST(Compression, QnameAsOwnerIsOnePointer) {
    const Bytes packet = compose_query(name("WWW.example.com"), RrType::A);
    const OwnedRrset a = OwnedRrset("www.example.com", RrType::A).add({192, 0, 2, 1});
    const Bytes octets =
        respond(packet, 512, [&](auto& w) { EXPECT_TRUE(w.add(Section::Answer, a.view())); });
    ASSERT_EQ(octets.size(), packet.size() + 2 + 10 + 4);
    EXPECT_EQ(octets[packet.size()], 0xC0);
    EXPECT_EQ(octets[packet.size() + 1], 0x0C);
}

TEST(Compression, NamesOfRfc1035TypesAreShared) {
    const Bytes packet = compose_query(name("www.example.com"), RrType::NS);
    const OwnedRrset ns = OwnedRrset("Example.com", RrType::NS)
                              .add(wire(name("ns1.example.com")))
                              .add(wire(name("ns1.sub.example.com")))
                              .add(wire(name("a.NS1.example.com")));
    const Bytes octets =
        respond(packet, 512, [&](auto& w) { EXPECT_TRUE(w.add(Section::Answer, ns.view())); });
    // each: owner as a pointer, fixed fields, then ns1 + pointer, ns1.sub + pointer, a + pointer
    EXPECT_EQ(octets.size(), packet.size() + 3 * 12 + (4 + 2) + (8 + 2) + (2 + 2));
    EXPECT_EQ(message(octets).records[1].rdata_text(), "ns1.sub.example.com.");
}

TEST(Compression, NamesOfOtherTypesAreNeverCompressed) {
    const Bytes packet = compose_query(name("www.example.com"), RrType::SRV);
    for (const RrType type : {RrType::SRV, RrType::DNAME, RrType::RRSIG, RrType::NSEC, RrType::RP,
                              RrType::AFSDB, RrType::KX, RrType::SVCB, RrType::HTTPS}) {
        const RdataNames names = names_in_rdata(type);
        EXPECT_FALSE(names.compressible) << to_text(type);
        Bytes rdata(names.skip, 0);
        for (unsigned i = 0; i < names.names; ++i) {
            rdata = rdata + wire(name("www.example.com"));
        }
        const OwnedRrset rrset = OwnedRrset("www.example.com", type).add(rdata);
        const Bytes octets = respond(
            packet, 512, [&](auto& w) { EXPECT_TRUE(w.add(Section::Answer, rrset.view())); });
        EXPECT_EQ(octets.size(), packet.size() + 12 + rdata.size()) << to_text(type);
        EXPECT_EQ(message(octets).records.at(0).rdata, rdata) << to_text(type);
    }
}

TEST(Compression, NothingPointsIntoAnRrsetThatWasTakenBack) {
    const Bytes packet = compose_query(name("q.example"), RrType::NS);
    OwnedRrset big = OwnedRrset("big.example", RrType::NS).add(wire(name("ns.unseen.test")));
    for (int i = 0; i < 60; ++i) {
        big.add(wire(name("ns" + std::to_string(i) + ".unseen.test")));
    }
    const OwnedRrset small = OwnedRrset("ns.unseen.test", RrType::A).add({192, 0, 2, 1});
    const Bytes octets = respond(packet, 512, [&](ResponseWriter& w) {
        EXPECT_FALSE(w.add(Section::Additional, big.view()));
        EXPECT_TRUE(w.add(Section::Additional, small.view()));
    });
    EXPECT_EQ(ldns_lines(octets), std::vector<std::string>{"ns.unseen.test. 300 IN A 192.0.2.1"});
}

TEST(Compression, ManyNamesFillTheTableAndStayRight) {
    const Bytes packet = compose_query(name("example.com"), RrType::NS);
    OwnedRrset ns("example.com", RrType::NS);
    std::vector<std::string> expected;
    for (int i = 0; i < 200; ++i) {
        const std::string target = "h" + std::to_string(i) + ".d" + std::to_string(i % 7) + ".net.";
        ns.add(wire(name(target)));
        expected.push_back("example.com. 300 IN NS " + target);
    }
    const Bytes octets =
        respond(packet, 65535, [&](auto& w) { EXPECT_TRUE(w.add(Section::Answer, ns.view())); });
    EXPECT_EQ(ldns_lines(octets), expected);
    EXPECT_EQ(our_lines(octets), expected);
}

TEST(Compression, RdataThatIsNotWhatItsTypeSaysIsCopied) {
    const Bytes packet = compose_query(name("www.example.com"), RrType::MX);
    for (const Bytes& rdata : {Bytes{}, Bytes{0}, Bytes{0, 1}, Bytes{0, 1, 5, 'a'}}) {
        const OwnedRrset mx = OwnedRrset("www.example.com", RrType::MX).add(rdata);
        const Bytes octets =
            respond(packet, 512, [&](auto& w) { EXPECT_TRUE(w.add(Section::Answer, mx.view())); });
        EXPECT_EQ(Bytes(octets.end() - static_cast<int>(rdata.size()), octets.end()), rdata);
        EXPECT_EQ(octets.size(), packet.size() + 12 + rdata.size());
    }
}

}  // namespace
}  // namespace steerd::dns
