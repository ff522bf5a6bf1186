// Response rate limiting, by the clock of a test: how much of what passes, who shares a bucket, who
// is never limited, and that no flood of prefixes can make the table forget or mistake anybody.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <utility>

#include "base/rng.h"
#include "server/rate_limiter.h"

namespace steerd::server {
namespace {

using policy::AnswerKind;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = RateLimiter::Verdict;

constexpr std::array<std::uint8_t, 40> kQuery{};

/// A limiter with time and traffic of its own.
class Limited {
  public:
    explicit Limited(const config::RateLimitConfig& limit, std::uint32_t workers = 1)
        : limiter_(std::make_shared<RateLimits>(limit, workers, 42)) {
        request_.query = kQuery;
        request_.now.mono = base::Mono(seconds(1000));
        outcome_.size = 60;
        outcome_.kind = AnswerKind::Static;
        outcome_.zone = 0;
    }

    Verdict ask(const base::IpAddress& client) {
        request_.client = client;
        return limiter_.judge(request_, outcome_);
    }

    Verdict ask(const char* client) { return ask(base::IpAddress::parse(client).value()); }

    int passed(const char* client, int times) {
        int count = 0;
        for (int i = 0; i < times; ++i) {
            count += ask(client) == Verdict::Pass ? 1 : 0;
        }
        return count;
    }

    void wait(base::Duration time) { request_.now.mono += time; }

    policy::Outcome& outcome() { return outcome_; }

  private:
    RateLimiter limiter_;
    policy::Request request_;
    policy::Outcome outcome_;
};

config::RateLimitConfig ten() {
    config::RateLimitConfig limit;
    limit.responses_per_second = limit.nxdomains_per_second = limit.nodata_per_second =
        limit.referrals_per_second = limit.errors_per_second = 10;
    return limit;
}

TEST(RateLimit, ASecondsWorthPassesAtOnceAndThenTheRate) {
    Limited it(ten());
    EXPECT_EQ(it.passed("192.0.2.1", 10), 10);
    for (int i = 0; i < 1000; ++i) {
        it.wait(milliseconds(100));
        ASSERT_EQ(it.ask("192.0.2.1"), Verdict::Pass) << i;
    }
    EXPECT_NE(it.ask("192.0.2.1"), Verdict::Pass);
}

TEST(RateLimit, WhileAFloodGoesOnNothingPassesAndAfterTheWindowAllDoes) {
    Limited it(ten());
    (void)it.passed("192.0.2.1", 200);
    for (int i = 0; i < 200; ++i) {
        it.wait(milliseconds(10));
        ASSERT_NE(it.ask("192.0.2.1"), Verdict::Pass);
    }
    it.wait(milliseconds(13'900));
    EXPECT_NE(it.ask("192.0.2.1"), Verdict::Pass);
    it.wait(seconds(1));
    EXPECT_EQ(it.ask("192.0.2.1"), Verdict::Pass);
    it.wait(seconds(20));
    EXPECT_EQ(it.passed("192.0.2.1", 20), 10);
}

TEST(RateLimit, EverySoManyOverTheLimitAreSlipped) {
    for (const std::uint32_t slip : {0U, 1U, 2U, 3U}) {
        auto limit = ten();
        limit.slip = slip;
        Limited it(limit);
        (void)it.passed("192.0.2.1", 10);
        for (std::uint32_t i = 1; i <= 30; ++i) {
            const bool slips = slip != 0 && i % slip == 0;
            ASSERT_EQ(it.ask("192.0.2.1"), slips ? Verdict::Slip : Verdict::Drop) << slip;
        }
    }
}

TEST(RateLimit, APrefixSharesAndOthersDoNot) {
    Limited it(ten());
    EXPECT_EQ(it.passed("192.0.2.1", 5) + it.passed("192.0.2.255", 20), 10);
    EXPECT_EQ(it.passed("192.0.3.1", 20), 10);
    EXPECT_EQ(it.passed("2001:db8::1", 5) + it.passed("2001:db8:0:ff:ffff::", 20), 10);
    EXPECT_EQ(it.passed("2001:db8:0:100::", 20), 10);
}

TEST(RateLimit, PrefixesAreAsLongAsConfigured) {
    auto limit = ten();
    limit.ipv4_prefix = 32;
    limit.ipv6_prefix = 48;
    Limited it(limit);
    EXPECT_EQ(it.passed("192.0.2.1", 20) + it.passed("192.0.2.2", 20), 20);
    EXPECT_EQ(it.passed("2001:db8::1", 20) + it.passed("2001:db8:0:ffff::", 20), 10);
}

TEST(RateLimit, WorkersShareARate) {
    auto limit = ten();
    Limited it(limit, 5);
    EXPECT_EQ(it.passed("192.0.2.1", 10), 10) << "chance may bring ten to one worker";
    it.wait(seconds(1));
    EXPECT_EQ(it.passed("192.0.2.1", 20), 2) << "its share of a second";
    Limited one_in_a_while(limit, 30);  // less than one a second each
    EXPECT_EQ(one_in_a_while.passed("192.0.2.1", 10), 10);
    one_in_a_while.wait(seconds(3));
    EXPECT_EQ(one_in_a_while.passed("192.0.2.1", 20), 1);
}

TEST(RateLimit, KindsAndSubjectsCountForThemselves) {
    Limited it(ten());
    const std::array<std::uint8_t, 2> records{};
    auto& o = it.outcome();
    const auto all = [&] { return it.passed("192.0.2.1", 20); };
    o.source = records.data();
    EXPECT_EQ(all(), 10);
    o.source = records.data() + 1;  // other records
    EXPECT_EQ(all(), 10);
    o.zone = 1;  // the same records
    EXPECT_EQ(all(), 0);
    o.steered = 3;
    EXPECT_EQ(all(), 10);
    o.steered = 4;
    EXPECT_EQ(all(), 10);
    o = {};
    o.size = 60;
    o.zone = 0;
    o.kind = AnswerKind::NxDomain;
    o.rcode = dns::Rcode::NxDomain;
    EXPECT_EQ(all(), 10);
    o.kind = AnswerKind::Any;  // also denied
    EXPECT_EQ(all(), 0);
    o.zone = 1;
    EXPECT_EQ(all(), 10);
    o.rcode = dns::Rcode::NoError;
    o.kind = AnswerKind::NoData;
    EXPECT_EQ(all(), 10);
    o.kind = AnswerKind::Referral;
    o.source = records.data();
    EXPECT_EQ(all(), 10);
    o.kind = AnswerKind::Refused;
    o.rcode = dns::Rcode::Refused;
    EXPECT_EQ(all(), 10);
    o.kind = AnswerKind::NotImplemented;  // errors together
    o.rcode = dns::Rcode::NotImp;
    o.zone = policy::kNone;
    EXPECT_EQ(all(), 0);
}

TEST(RateLimit, ARateOfZeroIsNoLimit) {
    auto limit = ten();
    limit.nxdomains_per_second = 0;
    Limited it(limit);
    it.outcome().rcode = dns::Rcode::NxDomain;
    EXPECT_EQ(it.passed("192.0.2.1", 10'000), 10'000);
}

TEST(RateLimit, WhoHasAGoodCookieOrIsExemptIsNotLimited) {
    auto limit = ten();
    limit.exempt = {base::IpPrefix::parse("198.51.100.0/25").value()};
    Limited it(limit);
    EXPECT_EQ(it.passed("198.51.100.1", 100), 100);
    EXPECT_EQ(it.passed("198.51.100.200", 100), 0) << "the same /24, which is used up";
    it.outcome().cookie = dns::CookieState::Bad;
    EXPECT_EQ(it.passed("192.0.2.1", 100), 10);
    it.outcome().cookie = dns::CookieState::Good;
    EXPECT_EQ(it.passed("192.0.2.1", 100), 100);
    it.outcome().size = 40 * 3 + 1;
    EXPECT_EQ(it.ask("192.0.2.1"), Verdict::Pass);
    it.outcome().cookie = dns::CookieState::None;
    EXPECT_EQ(it.ask("198.51.100.1"), Verdict::Pass);
}

TEST(RateLimit, WithoutProofNoAnswerIsLargerThanSoManyTimesItsQuery) {
    Limited it(ten());
    it.outcome().size = 40 * 3;
    EXPECT_EQ(it.ask("192.0.2.1"), Verdict::Pass);
    it.outcome().size = 40 * 3 + 1;
    EXPECT_EQ(it.ask("192.0.2.1"), Verdict::TooLarge);
    it.outcome().cookie = dns::CookieState::Fresh;
    EXPECT_EQ(it.ask("192.0.2.1"), Verdict::TooLarge);
    auto limit = ten();
    limit.max_amplification = 0;
    Limited any(limit);
    any.outcome().size = 1232;
    EXPECT_EQ(any.ask("192.0.2.1"), Verdict::Pass);
}

TEST(RateLimit, TimeThatWrapsChangesNothing) {
    Limited it(ten());
    it.wait(microseconds(0xFFFFFFFF) - seconds(1000) - milliseconds(500));
    EXPECT_EQ(it.passed("192.0.2.1", 20), 10);
    it.wait(seconds(1));  // over the end of 32 bits
    EXPECT_EQ(it.passed("192.0.2.1", 20), 10) << "the turn forgets";
    EXPECT_EQ(it.passed("192.0.2.1", 20), 0);
    it.wait(seconds(20));
    EXPECT_EQ(it.passed("192.0.2.1", 20), 10);
}

TEST(RateLimit, WhoComesBackAfterATurnOfTheClockIsNotLimited) {
    for (const auto early : {seconds(0), seconds(1), seconds(5), seconds(14)}) {
        Limited it(ten());
        EXPECT_EQ(it.passed("192.0.2.1", 20), 10);
        it.wait(microseconds(std::uint64_t{1} << 32) - early);
        EXPECT_EQ(it.passed("192.0.2.1", 1), 1) << early.count();
    }
}

TEST(RateLimit, AFloodOfPrefixesMakesNoBusyOneForgottenAndNobodyLimited) {
    auto limit = ten();
    limit.table_size = 16'384;
    Limited it(limit);
    (void)it.passed("192.0.2.1", 100);
    constexpr std::uint32_t kPrefixes = 100'000;
    int limited = 0;
    int busy_passed = 0;
    for (std::uint32_t i = 0; i < kPrefixes * 3; ++i) {  // three in two seconds from each
        const auto prefix = base::IpAddress::v4(0x0A000000U + (i % kPrefixes) * 256);
        limited += it.ask(prefix) == Verdict::Pass ? 0 : 1;
        it.wait(microseconds(7));
        if (i % 100 == 0) {
            busy_passed += it.ask("192.0.2.1") == Verdict::Pass ? 1 : 0;
        }
    }
    EXPECT_EQ(limited, 0);
    EXPECT_EQ(busy_passed, 0);
}

/// The rule without a table: for each prefix and subject, until when its rate is used up.
class NaiveLimit {
  public:
    bool passes(std::uint32_t client, std::uint32_t subject, microseconds now) {
        auto& until = until_[{client, subject}];
        const auto used = std::max(until - now, microseconds(0)) + kInterval;
        until = now + std::min<microseconds>(used, kWindow);
        return used <= seconds(1);
    }

  private:
    static constexpr microseconds kInterval{100'000};
    static constexpr seconds kWindow{15};
    std::map<std::pair<std::uint32_t, std::uint32_t>, microseconds> until_;
};

TEST(RateLimit, JudgesAsANaiveReadingOfTheRule) {
    auto limit = ten();
    limit.slip = 0;
    Limited it(limit);
    NaiveLimit naive;
    base::Rng random(7);
    const auto below = [&](std::uint64_t n) { return static_cast<std::uint32_t>(random.below(n)); };
    microseconds now = seconds(1000);
    int passed = 0;
    for (int i = 0; i < 200'000; ++i) {
        const std::uint32_t client = below(20);  // about as many from each as it may have
        const std::uint32_t subject = below(2);
        const microseconds step{below(5) == 0 ? below(20'000) : below(2000)};
        it.wait(step);
        now += step;
        it.outcome().steered = subject;
        const bool passes =
            it.ask(base::IpAddress::v4(0xC0000000U + client * 256 + below(256))) == Verdict::Pass;
        ASSERT_EQ(passes, naive.passes(client, subject, now)) << i;
        passed += passes ? 1 : 0;
    }
    EXPECT_GT(passed, 50'000);
    EXPECT_LT(passed, 190'000);
}

}  // namespace
}  // namespace steerd::server
