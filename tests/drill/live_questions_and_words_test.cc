// What stubs of a live drill ask and understand, and what they make of the server's log.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "dns/wire.h"
#include "drill/live_dns.h"
#include "drill/live_server.h"

namespace steerd::drill {
namespace {

std::vector<std::uint8_t> octets_of(const char* text) { return {text, text + std::strlen(text)}; }

/// The question with answers behind it, as a server would send it.
std::vector<std::uint8_t> reply_to(std::uint16_t flags, unsigned addresses, bool soa) {
    std::array<std::uint8_t, 512> out{};
    const auto name = dns::Name::parse("www.example.com.");
    dns::WireWriter to(out.data(), out.size());
    for (const unsigned word : {0x1234U, 0x8400U | flags, 1U, addresses, soa ? 1U : 0U, 0U}) {
        to.u16(static_cast<std::uint16_t>(word));
    }
    to.bytes(name->view().octets());
    to.u16(1);
    to.u16(1);
    const auto head = [&](std::uint16_t type, std::uint16_t ttl, std::uint16_t size) {
        for (const std::uint16_t word :
             {std::uint16_t{0xC00C}, type, std::uint16_t{1}, std::uint16_t{0}, ttl, size}) {
            to.u16(word);
        }
    };
    for (unsigned i = 0; i < addresses; ++i) {
        head(1, 30, 4);
        to.bytes(std::array<std::uint8_t, 4>{127, 64, 1, static_cast<std::uint8_t>(16 + i)});
    }
    if (soa) {
        head(6, 300, 22);
        to.bytes(std::array<std::uint8_t, 2>{0, 0});
        for (const unsigned word : {0U, 1U, 0U, 1U, 0U, 1U, 0U, 1U, 0U, 60U}) {
            to.u16(static_cast<std::uint16_t>(word));
        }
    }
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(to.size())};
}

TEST(LiveDns, AsksWithTheSubnetOfThePlace) {
    std::array<std::uint8_t, 512> out{};
    const auto size = compose_question(out, 7, *dns::Name::parse("w.example."),
                                       *base::IpPrefix::parse("10.1.2.0/24"));
    ASSERT_GT(size, 11U);
    // RFC 7871 6: option 8, seven octets, IPv4, source /24, scope 0, three octets of address.
    const std::vector<std::uint8_t> tail{0, 8, 0, 7, 0, 1, 24, 0, 10, 1, 2};
    EXPECT_EQ(std::vector<std::uint8_t>(out.begin() + static_cast<std::ptrdiff_t>(size - 11),
                                        out.begin() + static_cast<std::ptrdiff_t>(size)),
              tail);
    EXPECT_EQ(out[2], 0) << "no recursion is asked of an authority";
}

TEST(LiveDns, ReadsAddressesAndTtl) {
    const auto reply = parse_reply(reply_to(0, 2, false));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->id, 0x1234);
    EXPECT_FALSE(reply->failed);
    ASSERT_EQ(reply->addresses.size(), 2U);
    EXPECT_EQ(reply->addresses[1].text(), "127.64.1.17");
    EXPECT_EQ(reply->ttl_s, 30U);
}

TEST(LiveDns, NothingToGoToLastsAsTheSoaSays) {
    const auto reply = parse_reply(reply_to(0, 0, true));
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->addresses.empty());
    EXPECT_EQ(reply->ttl_s, 60U);
}

TEST(LiveDns, ServfailIsAFailure) {
    const auto reply = parse_reply(reply_to(2, 0, false));
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->failed);
}

TEST(LiveDns, AnyOctetsAreReadWithoutHarm) {
    const auto good = reply_to(0, 2, true);
    base::Rng rng(3);
    for (int i = 0; i < 20000; ++i) {
        auto bad = good;
        bad.resize(rng.below(bad.size() + 1));
        for (int changes = 0; changes < 3 && !bad.empty(); ++changes) {
            bad[rng.below(bad.size())] = static_cast<std::uint8_t>(rng.next());
        }
        const auto reply = parse_reply(bad);
        EXPECT_TRUE(!reply || reply->addresses.size() <= bad.size() / 4);
    }
    EXPECT_FALSE(parse_reply(octets_of("GET / HTTP/1.0")));
}

TEST(LiveWords, ATransitionIsTakenApart) {
    const auto word = parse_transition(
        "<5>transition tokyo 127.64.1.16: up -> down (connection refused: -> odd)");
    ASSERT_TRUE(word);
    EXPECT_EQ(word->endpoint, "tokyo");
    EXPECT_EQ(word->address, "127.64.1.16");
    EXPECT_EQ(word->from, "up");
    EXPECT_EQ(word->to, "down");
    EXPECT_EQ(parse_transition("transition b 127.0.0.1: unknown -> up")->to, "up");
    EXPECT_FALSE(parse_transition("order tokyo: none -> drain (drill) by drill"));
    EXPECT_FALSE(parse_transition("transition"));
    EXPECT_FALSE(parse_transition("transition a: b"));
}

}  // namespace
}  // namespace steerd::drill
