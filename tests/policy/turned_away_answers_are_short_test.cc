// The short answer to a client that may be forged: at most 16 octets more than its query, TC or
// BADCOOKIE, the RCODE kept, nothing in it but question and OPT; for every kind of answer, and for
// whatever octets answer() answers.
#include "asking.h"
#include "base/rng.h"
#include "dns/wire.h"
#include "policy/turn_away.h"

namespace steerd::policy::testing {
namespace {

using Octets = std::vector<std::uint8_t>;

class TurnedAway : public ::testing::Test {
  protected:
    TurnedAway() {
        plan_ = std::make_shared<Plan>(*s_.built.plan);
        plan_->cookies.secrets[0].fill(7);
        plan_->cookies.count = 1;
        plan_->identity = std::string(200, 'i');
        s_.snapshot.plan = plan_;
        request_.client = *base::IpAddress::parse("198.51.100.7");
        request_.now.wall = base::Wall(std::chrono::hours(400000));
    }

    /// The octets that are sent after all; empty: answer() said nothing.
    Octets turned_away(const Octets& query) {
        request_.query = query;
        whole_ = last_ = answer(s_.snapshot, request_, s_.out);
        if (last_.size == 0) {
            return {};
        }
        turn_away(s_.snapshot, request_, s_.out, last_);
        return {s_.out.begin(), s_.out.begin() + static_cast<std::ptrdiff_t>(last_.size)};
    }

    static Octets query(std::string_view name, dns::RrType type, const Octets& cookie = {}) {
        dns::QueryOptions how;
        how.edns.emplace();
        Octets packet = dns::compose_query(*dns::Name::parse(name), type, how);
        Octets options{0, 3, 0, 0};  // NSID
        if (!cookie.empty()) {
            options.insert(options.end(), {0, 10, 0, static_cast<std::uint8_t>(cookie.size())});
            options.insert(options.end(), cookie.begin(), cookie.end());
        }
        packet.back() = static_cast<std::uint8_t>(options.size());
        packet.insert(packet.end(), options.begin(), options.end());
        return packet;
    }

    Asking s_;
    std::shared_ptr<Plan> plan_;
    Request request_;
    Outcome whole_;
    Outcome last_;
};

constexpr const char* kNames[] = {"mail.example.com",    "geo.example.com",   "ring.example.com",
                                  "nothing.example.com", "sub.example.com",   "www.example.net",
                                  "alias.example.com",   "x.wild.example.com"};
const Octets kClientHalf{1, 2, 3, 4, 5, 6, 7, 8};
constexpr std::uint8_t kTc = 0x02;

TEST_F(TurnedAway, WithoutACookieByTcWithTheRcodeItWouldHaveHad) {
    for (const char* const name : kNames) {
        const Octets asked = query(name, dns::RrType::A);
        const Octets got = turned_away(asked);
        ASSERT_GE(got.size(), dns::kHeaderSize);
        EXPECT_LT(got.size(), asked.size()) << "no identity";
        EXPECT_EQ(got[2] & kTc, kTc);
        EXPECT_TRUE(last_.truncated);
        EXPECT_EQ(last_.rcode, whole_.rcode) << name;
        EXPECT_EQ(last_.steered, kNone);
        const Octets counts(got.begin() + 4, got.begin() + 12);
        EXPECT_EQ(counts, (Octets{0, 1, 0, 0, 0, 0, 0, 1})) << "question and OPT";
    }
}

TEST_F(TurnedAway, AaIsKept) {
    EXPECT_EQ(turned_away(query("mail.example.com", dns::RrType::A))[2] & 4, 4);
    EXPECT_EQ(turned_away(query("sub.example.com", dns::RrType::A))[2] & 4, 0);
}

TEST_F(TurnedAway, WhoSpeaksCookiesIsGivenAGoodOne) {
    for (const char* const name : kNames) {
        for (const std::size_t length : {8U, 16U, 24U, 40U}) {
            Octets cookie(length, 9);
            const Octets asked = query(name, dns::RrType::A, cookie);
            const Octets got = turned_away(asked);
            EXPECT_LE(got.size(), asked.size() + 16);
            EXPECT_EQ(last_.rcode, dns::Rcode::BadCookie);
            EXPECT_EQ(got[2] & kTc, 0);
            const Octets good(got.end() - dns::kFullCookie, got.end());
            const Octets again = turned_away(query(name, dns::RrType::A, good));
            EXPECT_EQ(whole_.cookie, dns::CookieState::Good);
            EXPECT_EQ(again[2] & kTc, kTc) << "who proved it and still has to come by TCP";
            EXPECT_EQ(last_.rcode, whole_.rcode);
        }
    }
}

TEST_F(TurnedAway, WithoutSecretsEverybodyByTc) {
    plan_->cookies.count = 0;
    const Octets got = turned_away(query("mail.example.com", dns::RrType::A, kClientHalf));
    EXPECT_EQ(got[2] & kTc, kTc);
}

TEST_F(TurnedAway, IsNeverMuchLongerThanWhateverWasAsked) {
    base::Rng draws(3);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(draws.below(n)); };
    int answered = 0;
    for (int i = 0; i < 100'000; ++i) {
        Octets asked = query(kNames[below(std::size(kNames))], dns::RrType::A,
                             below(2) == 0 ? kClientHalf : Octets());
        for (std::size_t n = below(4); n > 0; --n) {
            asked[below(asked.size())] = static_cast<std::uint8_t>(below(256));
        }
        asked.resize(below(8) == 0 ? below(asked.size()) : asked.size());
        const Octets got = turned_away(asked);
        ASSERT_LE(got.size(), asked.size() + 16);
        answered += got.empty() ? 0 : 1;
    }
    EXPECT_GT(answered, 50'000);
}

}  // namespace
}  // namespace steerd::policy::testing
