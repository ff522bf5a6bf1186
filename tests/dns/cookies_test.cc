// Cookies that other servers can verify: the vectors of RFC 9018 appendix A, its time window (§4.3)
// and the exchange of secrets (§5).
#include <gtest/gtest.h>

#include "dns/cookie.h"
#include "packets.h"

namespace steerd::dns {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

Bytes hex(std::string_view digits) {
    Bytes out;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        out.push_back(
            static_cast<std::uint8_t>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
    }
    return out;
}

CookieSecret secret(std::string_view digits) {
    CookieSecret out{};
    const Bytes octets = hex(digits);
    std::copy(octets.begin(), octets.end(), out.begin());
    return out;
}

base::Wall at(std::int64_t unix_seconds) { return base::Wall(seconds(unix_seconds)); }

base::IpAddress address(const char* text) { return *base::IpAddress::parse(text); }

Bytes octets(const Cookie& cookie) { return {cookie.octets.begin(), cookie.octets.end()}; }

const CookieSecret kOne = secret("e5e973e5a6b2a43f48e7dc849e37bfcf");
const CookieSecret kTwo = secret("dd3bdf9344b678b185a6f5cb60fca715");
const CookieSecret kThree = secret("445536bcd2513298075a5d379663c962");
const base::IpAddress kClient = address("198.51.100.100");
constexpr std::int64_t kNow = 1559731985;

CookieSecrets only(const CookieSecret& secret) { return {.secrets = {secret}, .count = 1}; }

Cookie judge(const Bytes& option, base::Wall now = at(kNow)) {
    return judge_cookie(only(kOne), option, kClient, now);
}

TEST(Cookies, ANewOneIsThatOfTheRfc) {
    const Cookie cookie = judge(hex("2464c4abcf10c957"));
    EXPECT_EQ(cookie.state, CookieState::Fresh);
    EXPECT_EQ(octets(cookie), hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480"));
}

TEST(Cookies, AnYoungOneComesBackAsItWas) {
    const Bytes good = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
    const Cookie cookie = judge(good, at(kNow) + minutes(29));
    EXPECT_EQ(cookie.state, CookieState::Good);
    EXPECT_EQ(octets(cookie), good);
}

TEST(Cookies, AnOlderOneIsRenewedAndAnOutdatedOneIsBad) {
    const Bytes good = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
    const auto state_after = [&](auto passed) {
        const Cookie cookie = judge(good, at(kNow) + passed);
        EXPECT_EQ(judge(octets(cookie), at(kNow) + passed).state, CookieState::Good);
        EXPECT_EQ(octets(cookie) == good, passed < minutes(30) && passed >= -minutes(5));
        return cookie.state;
    };
    EXPECT_EQ(state_after(seconds(1799)), CookieState::Good);
    EXPECT_EQ(state_after(seconds(1800)), CookieState::Good);
    EXPECT_EQ(state_after(seconds(3600)), CookieState::Good);
    EXPECT_EQ(state_after(seconds(3601)), CookieState::Bad);
    EXPECT_EQ(state_after(seconds(-300)), CookieState::Good) << "another server's clock is ahead";
    EXPECT_EQ(state_after(seconds(-301)), CookieState::Bad);
}

TEST(Cookies, ReservedOctetsAreHashedAsTheyCame) {  // RFC 9018 A.3
    const CookieSecrets secrets = only(kOne);
    const Bytes option = hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
    const auto client = address("203.0.113.203");
    const Cookie cookie = judge_cookie(secrets, option, client, at(1559727985 + 60));
    EXPECT_EQ(cookie.state, CookieState::Good);
    const Cookie later = judge_cookie(secrets, option, client, at(1559734385));
    EXPECT_EQ(later.state, CookieState::Bad) << "6400 s old";
}

TEST(Cookies, SecretsAreExchangedWithoutAnInstantOfBadCookies) {  // RFC 9018 A.4
    const auto client = address("2001:db8:220:1:59de:d0f4:8769:82b8");
    const Bytes old = hex("22681ab97d52c298010000005cf7c57926556bd0934c72f8");
    const CookieSecrets both{.secrets = {kThree, kTwo}, .count = 2};
    const base::Wall now = at(1559741961);
    const Cookie cookie = judge_cookie(both, old, client, now);
    EXPECT_EQ(cookie.state, CookieState::Good);
    EXPECT_EQ(octets(cookie), hex("22681ab97d52c298010000005cf7c609a6bb79d16625507a"))
        << "made by the first";
    EXPECT_EQ(judge_cookie(only(kTwo), old, client, now).state, CookieState::Good) << "before";
    EXPECT_EQ(judge_cookie(only(kThree), old, client, now).state, CookieState::Bad) << "after";
    EXPECT_EQ(judge_cookie(only(kThree), octets(cookie), client, now).state, CookieState::Good);
}

TEST(Cookies, NobodyElsesAreGood) {
    const Bytes good = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Bytes other = good;
        other[bit / 8] = static_cast<std::uint8_t>(other[bit / 8] ^ (0x80U >> bit % 8));
        const Cookie cookie = judge(other);
        EXPECT_EQ(cookie.state, CookieState::Bad) << bit;
        EXPECT_EQ(judge(octets(cookie)).state, CookieState::Good) << "the right one comes back";
    }
    const auto elsewhere = judge_cookie(only(kOne), good, address("198.51.100.101"), at(kNow));
    EXPECT_EQ(elsewhere.state, CookieState::Bad);
    EXPECT_EQ(judge_cookie(only(kTwo), good, kClient, at(kNow)).state, CookieState::Bad);
}

TEST(Cookies, OfOtherLengthsAreBadAndGetOneOfOurs) {
    for (const std::size_t size : {16U, 17U, 23U, 25U, 40U}) {
        Bytes option = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
        option.resize(size);
        const Cookie cookie = judge(option);
        EXPECT_EQ(cookie.state, CookieState::Bad) << size;
        EXPECT_EQ(octets(cookie), hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480"));
    }
}

TEST(Cookies, WithoutSecretsNoneAreSpoken) {
    EXPECT_EQ(judge_cookie({}, hex("2464c4abcf10c957"), kClient, at(kNow)).state,
              CookieState::None);
    EXPECT_EQ(judge({}).state, CookieState::None);
}

}  // namespace
}  // namespace steerd::dns
