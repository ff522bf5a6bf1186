// Truncation: whole RRsets or none, TC where it belongs, and the OPT always there.
#include <map>

#include "packets.h"

namespace steerd::dns {
namespace {

Bytes a_query(bool subnet) {
    QueryOptions options;
    options.edns.emplace().nsid = true;
    if (subnet) {
        options.edns->subnet = base::IpPrefix::parse("2001:db8:1:2::/64");
    }
    return compose_query(name("www.example.com"), RrType::A, options);
}

/// RRsets of different sizes and kinds, six in each section.
std::vector<OwnedRrset> many_rrsets(std::string_view prefix) {
    std::vector<OwnedRrset> rrsets;
    for (int i = 0; i < 6; ++i) {
        const std::string owner = std::string(prefix) + std::to_string(i) + ".example.com";
        rrsets.emplace_back(owner, i % 2 == 0 ? RrType::TXT : RrType::MX);
        for (int k = 0; k <= i; ++k) {
            const auto octet = static_cast<std::uint8_t>('0' + k);
            if (i % 2 == 0) {
                rrsets.back().add(Bytes{9, octet} + Bytes(8, 'x'));
            } else {
                rrsets.back().add(u16(10) + Bytes{2, 'm', octet} + wire(name(owner)));
            }
        }
    }
    return rrsets;
}

using Counts = std::map<std::string, std::size_t>;

Counts count_owners(const Message& m) {
    Counts counts;
    for (const Record& record : m.records) {
        ++counts[record.owner.to_text()];
    }
    return counts;
}

void check_limit(std::size_t limit, bool subnet) {
    const auto answers = many_rrsets("an");
    const auto authorities = many_rrsets("ns");
    const auto extras = many_rrsets("ar");
    const Bytes identity{'i', 'd'};
    Counts expected;
    bool truncated = false;
    const Bytes octets = respond(a_query(subnet), limit, [&](ResponseWriter& w) {
        w.set_identity(identity);
        const auto add = [&](Section section, const OwnedRrset& rrset) {
            const bool before = w.truncated();
            const bool added = w.add(section, rrset.view());
            EXPECT_FALSE(before && added) << "nothing may follow what did not fit";
            if (added) {
                expected[rrset.owner.to_text()] = rrset.count;
            } else if (section != Section::Additional) {
                EXPECT_TRUE(w.truncated());
            }
        };
        for (const OwnedRrset& rrset : answers) {
            add(Section::Answer, rrset);
        }
        for (const OwnedRrset& rrset : authorities) {
            add(Section::Authority, rrset);
        }
        truncated = w.truncated();
        for (const OwnedRrset& rrset : extras) {
            add(Section::Additional, rrset);
        }
        EXPECT_EQ(w.truncated(), truncated) << "leaving out additional records is no truncation";
    });
    ASSERT_LE(octets.size(), limit);
    const Message m = message(octets);
    EXPECT_EQ(m.truncated, truncated);
    EXPECT_EQ(count_owners(m), expected) << "limit " << limit;
    ASSERT_TRUE(m.edns);
    EXPECT_EQ(m.edns->nsid, identity);
    EXPECT_EQ(m.edns->subnet.has_value(), subnet);
    ASSERT_TRUE(ldns_parse(octets));
}

TEST(Truncation, NeverLeavesHalfAnRrsetAtAnyLimit) {
    for (std::size_t limit = 512; limit <= 1800; ++limit) {
        ASSERT_NO_FATAL_FAILURE(check_limit(limit, limit % 2 == 0));
    }
}

TEST(Truncation, EachLimitWithinOneOctetOfTheWholeMessage) {
    const OwnedRrset txt = OwnedRrset("www.example.com", RrType::TXT)
                               .add(Bytes{255} + Bytes(255, 'a'))
                               .add(Bytes{255} + Bytes(255, 'b'));
    const auto fill = [&](ResponseWriter& w) { (void)w.add(Section::Answer, txt.view()); };
    const std::size_t whole = respond(a_query(true), 4096, fill).size();
    ASSERT_GT(whole, 513U);
    const Message fits = message(respond(a_query(true), whole, fill));
    EXPECT_FALSE(fits.truncated);
    EXPECT_EQ(fits.records.size(), 2U);
    const Message short_by_one = message(respond(a_query(true), whole - 1, fill));
    EXPECT_TRUE(short_by_one.truncated);
    EXPECT_TRUE(short_by_one.records.empty());
    EXPECT_TRUE(short_by_one.edns->subnet);
}

TEST(Truncation, RequiredGlueThatDoesNotFitSetsTc) {
    OwnedRrset big("ns1.example.com", RrType::TXT);
    for (int i = 0; i < 3; ++i) {
        big.add(Bytes{200} + Bytes(200, 'x'));
    }
    const OwnedRrset small = OwnedRrset("ns2.example.com", RrType::A).add({192, 0, 2, 1});
    const Message optional = message(respond(a_query(false), 512, [&](ResponseWriter& w) {
        EXPECT_FALSE(w.add(Section::Additional, big.view()));
        EXPECT_TRUE(w.add(Section::Additional, small.view())) << "a later one may still fit";
    }));
    EXPECT_FALSE(optional.truncated);
    EXPECT_EQ(optional.records.size(), 1U);
    const Message required = message(respond(a_query(false), 512, [&](ResponseWriter& w) {
        EXPECT_FALSE(w.add(Section::Additional, big.view(), true));
        EXPECT_FALSE(w.add(Section::Additional, small.view()));
    }));
    EXPECT_TRUE(required.truncated);
    EXPECT_TRUE(required.records.empty());
}

TEST(Truncation, AddressesAndCnamesAreAllOrNone) {
    std::vector<base::IpAddress> addresses;
    for (std::uint32_t i = 0; i < 100; ++i) {
        addresses.push_back(base::IpAddress::v4(i));
    }
    const Message m = message(respond(a_query(false), 512, [&](ResponseWriter& w) {
        EXPECT_TRUE(
            w.add_cname(Section::Answer, name("www.example.com"), Ttl(1), name("x.example")));
        EXPECT_FALSE(w.add_addresses(Section::Answer, name("x.example"), Ttl(1), addresses));
        EXPECT_TRUE(w.truncated());
        EXPECT_FALSE(w.add_cname(Section::Answer, name("y.example"), Ttl(1), name("z.example")));
        EXPECT_FALSE(w.add_addresses(Section::Answer, name("x.example"), Ttl(1), {}));
    }));
    EXPECT_TRUE(m.truncated);
    EXPECT_EQ(m.records.size(), 1U);
}

TEST(Truncation, LongestQuestionWithSubnetFitsInto512) {
    std::string longest;
    for (int i = 0; i < 127; ++i) {
        longest += "a.";
    }
    QueryOptions options;
    options.edns.emplace().subnet = base::IpPrefix::parse("2001:db8::1/128");
    const Bytes packet = compose_query(name(longest), RrType::A, options);
    const OwnedRrset a = OwnedRrset(longest, RrType::A).add({192, 0, 2, 1});
    const Message m = message(respond(
        packet, 512, [&](ResponseWriter& w) { EXPECT_TRUE(w.add(Section::Answer, a.view())); }));
    EXPECT_EQ(m.records.size(), 1U);
    EXPECT_EQ(m.questions.at(0).name.size(), 255U);
    EXPECT_TRUE(m.edns->subnet);
}

TEST(Truncation, MessagesOf64KiBAreWhole) {
    OwnedRrset txt("www.example.com", RrType::TXT);
    for (int i = 0; i < 240; ++i) {
        txt.add(Bytes{250} + Bytes(250, 'x'));
    }
    const OwnedRrset mx = OwnedRrset("late.example.net", RrType::MX)
                              .add(u16(1) + wire(name("a.late.example.net")))
                              .add(u16(2) + wire(name("b.late.example.net")));
    const Bytes octets = respond(a_query(true), 65535, [&](ResponseWriter& w) {
        EXPECT_TRUE(w.add(Section::Answer, txt.view()));
        EXPECT_TRUE(w.add(Section::Answer, mx.view())) << "behind the reach of pointers";
        EXPECT_FALSE(w.add(Section::Answer, txt.view()));
    });
    const Message m = message(octets);
    EXPECT_EQ(m.records.size(), 242U);
    EXPECT_EQ(m.records.back().text(), "late.example.net. 300 IN MX 2 b.late.example.net.");
    EXPECT_TRUE(m.truncated);
}

}  // namespace
}  // namespace steerd::dns
