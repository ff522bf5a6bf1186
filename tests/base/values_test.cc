// The values of base/: addresses, prefixes, durations, problems, near words.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/problem.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/text.h"

namespace steerd::base {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
    for (const char* text : {"0.0.0.0", "192.0.2.10", "255.255.255.255", "::", "::1",
                             "2001:db8::10", "fe80::1:2:3:4", "::ffff:192.0.2.1"}) {
        const auto address = IpAddress::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(address->text(), text);
    }
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
    for (const char* text : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4x", "::1%lo", "[::1]",
                             "2001:db8:::1", "example.com", " 1.2.3.4"}) {
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    }
    EXPECT_FALSE(IpAddress::parse(std::string(300, '1')));
    EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
}

TEST(IpPrefix, BitsBehindTheLengthAreAnError) {
    EXPECT_TRUE(IpPrefix::parse("192.0.2.0/24"));
    EXPECT_FALSE(IpPrefix::parse("192.0.2.1/24"));
    EXPECT_FALSE(IpPrefix::parse("192.0.2.0/33"));
    EXPECT_FALSE(IpPrefix::parse("192.0.2.0/"));
    EXPECT_FALSE(IpPrefix::parse("192.0.2.0/-1"));
    EXPECT_EQ(IpPrefix::parse("192.0.2.7")->length(), 32U);
    EXPECT_TRUE(IpPrefix::parse("::/0"));
}

TEST(IpPrefix, ContainsByFamilyAndLength) {
    const auto wide = *IpPrefix::parse("10.0.0.0/8");
    EXPECT_TRUE(wide.contains(*IpAddress::parse("10.255.0.1")));
    EXPECT_FALSE(wide.contains(*IpAddress::parse("11.0.0.0")));
    EXPECT_FALSE(wide.contains(*IpAddress::parse("::10.0.0.1")));
    EXPECT_TRUE(wide.contains(*IpPrefix::parse("10.1.0.0/16")));
    EXPECT_FALSE(IpPrefix::parse("10.1.0.0/16")->contains(wide));
}

TEST(IpPrefix, MaskingHoldsForEveryLength) {
    const auto all = IpAddress::from_octets(IpFamily::V6, std::vector<std::uint8_t>(16, 0xFF));
    for (unsigned length = 0; length <= 128; ++length) {
        const auto masked = all.masked(length);
        for (unsigned bit = 0; bit < 128; ++bit) {
            const bool set = (masked.octets()[bit / 8] >> (7 - bit % 8) & 1) != 0;
            ASSERT_EQ(set, bit < length) << length;
        }
    }
}

TEST(Normalised, MappedAndSixToFourBecomeTheIpv4Inside) {
    const auto mapped = normalised(*IpPrefix::parse("::ffff:192.0.2.0/120"));
    EXPECT_EQ(mapped.prefix.text(), "192.0.2.0/24");
    EXPECT_EQ(mapped.offset, 96U);
    const auto six_to_four = normalised(*IpPrefix::parse("2002:c000:0200::/40"));
    EXPECT_EQ(six_to_four.prefix.text(), "192.0.2.0/24");
    EXPECT_EQ(six_to_four.offset, 16U);
    EXPECT_EQ(normalised(*IpPrefix::parse("2002:c000:0201:7::/64")).prefix.text(), "192.0.2.1/32");
    EXPECT_EQ(normalised(*IpPrefix::parse("2001:db8::/32")).prefix.text(), "2001:db8::/32");
    EXPECT_EQ(normalised(*IpPrefix::parse("::/0")).prefix.text(), "::/0");
}

TEST(SocketAddress, NeedsAPortAndBracketsForIpv6) {
    EXPECT_EQ(SocketAddress::parse("127.0.0.1:53")->text(), "127.0.0.1:53");
    EXPECT_EQ(SocketAddress::parse("[::1]:5300")->text(), "[::1]:5300");
    for (const char* text :
         {"127.0.0.1", "127.0.0.1:", "::1:53", "[127.0.0.1]:53", "1.2.3.4:65536", "[::1]", ":53"}) {
        EXPECT_FALSE(SocketAddress::parse(text)) << text;
    }
}

TEST(Duration, ParsesUnitsAndRefusesTheRest) {
    EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
    EXPECT_EQ(parse_duration("1.5s"), milliseconds(1500));
    EXPECT_EQ(parse_duration("1h"), hours(1));
    EXPECT_EQ(parse_duration("1d"), hours(24));
    for (const char* text :
         {"", "5", "s", "-1s", "1 s", "1s ", "1.s", ".5s", "1e3s", "9999999d", "5x"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Duration, PrintsItsShortestExactForm) {
    for (const char* text : {"500ms", "1.5s", "1m", "90s", "1h", "1d", "250us"}) {
        EXPECT_EQ(format_duration(*parse_duration(text)), text);
    }
    EXPECT_EQ(format_duration(Duration::zero()), "0s");
}

TEST(WallTime, RoundTrips) {
    const auto wall = parse_wall("2026-11-20T10:00:00Z");
    ASSERT_TRUE(wall);
    EXPECT_EQ(format_wall(*wall), "2026-11-20T10:00:00Z");
    EXPECT_FALSE(parse_wall("2026-11-20"));
    EXPECT_FALSE(parse_wall("2026-11-20T10:00:00Zx"));
}

TEST(Nearest, FindsTheTypoAndNothingFarOff) {
    const std::vector<std::string> words = {"interval", "timeout", "fast_interval", "fall"};
    EXPECT_EQ(nearest("intervall", words), "interval");
    EXPECT_EQ(nearest("time_out", words), "timeout");
    EXPECT_EQ(nearest("completely", words), std::nullopt);
}

TEST(Problems, CountErrorsAndPrintPlaces) {
    Problems problems;
    problems.warning({"a.toml", 3, 0}, "odd");
    EXPECT_FALSE(problems.has_errors());
    problems.error({"a.toml", 14, 9}, "bad");
    problems.error({}, "worse");
    EXPECT_EQ(problems.error_count(), 2U);
    EXPECT_EQ(problems.text(), "a.toml:3: warning: odd\na.toml:14:9: error: bad\nerror: worse");
}

TEST(Result, HoldsOneOfTwo) {
    const auto half = [](int n) -> Result<int, std::string> {
        if (n % 2 != 0) {
            return Err{std::string("odd")};
        }
        return n / 2;
    };
    EXPECT_EQ(half(4).value(), 2);
    EXPECT_EQ(half(3).error(), "odd");
    EXPECT_DEATH((void)half(3).value(), "CHECK failed");
}

TEST(Rng, BelowIsUniformWithinStatistics) {
    Rng rng(7);
    std::array<int, 10> counts{};
    constexpr int kDraws = 100'000;
    for (int i = 0; i < kDraws; ++i) {
        ++counts[rng.below(counts.size())];
    }
    double chi2 = 0;
    for (const int count : counts) {
        const double expected = kDraws / 10.0;
        chi2 += (count - expected) * (count - expected) / expected;
    }
    EXPECT_LT(chi2, 27.9);  // 9 degrees of freedom, 0.1 %; the seed is fixed
}

}  // namespace
}  // namespace steerd::base
