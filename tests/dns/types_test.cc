// Numbers and their words.
#include "dns/types.h"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <cstdlib>
#include <string>

namespace steerd::dns {
namespace {

TEST(Types, EveryNumberIsReadBackFromItsText) {
    for (unsigned n = 0; n < 65536; ++n) {
        const auto type = static_cast<RrType>(n);
        ASSERT_EQ(parse_type(to_text(type)), type) << n;
    }
}

TEST(Types, WordsAgreeWithLdns) {
    for (unsigned n = 1; n < 110; ++n) {
        const std::string ours = to_text(static_cast<RrType>(n));
        if (!ours.starts_with("TYPE")) {
            EXPECT_EQ(ldns_get_rr_type_by_name(ours.c_str()), n) << ours;
        }
    }
}

TEST(Types, AreReadInAnyCaseAndNothingElseIs) {
    EXPECT_EQ(parse_type("aaaa"), RrType::AAAA);
    EXPECT_EQ(parse_type("Type65534"), static_cast<RrType>(65534));
    for (const char* bad : {"", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "TYPE 1", "AA", "TYPEX"}) {
        EXPECT_FALSE(parse_type(bad)) << bad;
    }
}

TEST(Types, CodesAndClassesHaveWords) {
    EXPECT_EQ(to_text(Rcode::NxDomain), "NXDOMAIN");
    EXPECT_EQ(to_text(Rcode::BadVers), "BADVERS");
    EXPECT_EQ(to_text(static_cast<Rcode>(17)), "RCODE17");
    EXPECT_EQ(to_text(RrClass::IN), "IN");
    EXPECT_EQ(to_text(static_cast<RrClass>(17)), "CLASS17");
}

TEST(Types, TtlOver31BitsCountsAsZero) {
    EXPECT_EQ(Ttl(0x7FFFFFFF).seconds(), 0x7FFFFFFFU);
    EXPECT_EQ(Ttl(0x80000000).seconds(), 0U);
}

}  // namespace
}  // namespace steerd::dns
