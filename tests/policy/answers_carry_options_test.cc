// The EDNS options of an answer beside the client subnet: cookies (RFC 7873, 9018), idle timeout
// (RFC 7828), extended errors (RFC 8914), each alike on the short way and the general one; and what
// class CH tells (RFC 4892).
#include "asking.h"
#include "dns/wire.h"

namespace steerd::policy::testing {
namespace {

using Octets = std::vector<std::uint8_t>;
using Options = std::map<unsigned, Octets>;

Octets query(std::string_view name, dns::RrType type, const Options& options) {
    dns::QueryOptions how;
    how.edns.emplace();
    Octets packet = dns::compose_query(*dns::Name::parse(name), type, how);
    std::size_t size = 0;
    for (const auto& [code, value] : options) {
        for (const std::size_t number : {std::size_t{code}, value.size()}) {
            packet.push_back(static_cast<std::uint8_t>(number >> 8));
            packet.push_back(static_cast<std::uint8_t>(number));
        }
        packet.insert(packet.end(), value.begin(), value.end());
        size += 4 + value.size();
    }
    const std::size_t length_at = packet.size() - size - 2;
    dns::store_u16(packet.data() + length_at, static_cast<std::uint16_t>(size));
    return packet;
}

constexpr unsigned kCookie = 10;
constexpr unsigned kKeepalive = 11;
constexpr unsigned kError = 15;
const Octets kClientHalf{1, 2, 3, 4, 5, 6, 7, 8};

class AnswerOptionsTest : public ::testing::Test {
  protected:
    AnswerOptionsTest() {
        plan_ = std::make_shared<Plan>(*s_.built.plan);
        plan_->cookies.secrets[0].fill(7);
        plan_->cookies.count = 1;
        s_.snapshot.plan = plan_;
        request_.client = *base::IpAddress::parse("198.51.100.7");
        request_.now.wall = base::Wall(std::chrono::hours(400000));
    }

    /// The options of the answer, which are the same with and without the short way.
    Options ask(const Octets& packet) {
        request_.query = packet;
        Trace trace;
        const Outcome walked = answer(s_.snapshot, request_, s_.out, &trace);
        const Octets general(s_.out.begin(), s_.out.begin() + walked.size);
        last_ = answer(s_.snapshot, request_, s_.out);
        EXPECT_EQ(Octets(s_.out.begin(), s_.out.begin() + last_.size), general);
        EXPECT_EQ(last_.cookie, walked.cookie);
        return options_of(general);
    }

    /// REQUIRES: the OPT is the last record, and the root's name stands before it nowhere.
    static Options options_of(const Octets& message) {
        const auto parsed = dns::parse_message(message);
        EXPECT_TRUE(parsed.ok());
        const Octets head{0, 0, 41, 1232 >> 8, 1232 & 0xFF};
        const auto opt = std::search(message.begin(), message.end(), head.begin(), head.end());
        EXPECT_NE(opt, message.end());
        Options out;
        for (auto at = opt + 11; at < message.end();) {
            const unsigned code = dns::load_u16(&*at);
            const std::size_t size = dns::load_u16(&*(at + 2));
            out[code] = Octets(at + 4, at + 4 + static_cast<std::ptrdiff_t>(size));
            at += static_cast<std::ptrdiff_t>(4 + size);
        }
        return out;
    }

    std::string error_of(std::string_view name, dns::RrType type) {
        const auto options = ask(query(name, type, {}));
        const auto found = options.find(kError);
        if (found == options.end()) {
            return dns::to_text(last_.rcode);
        }
        const Octets& value = found->second;
        return dns::to_text(last_.rcode) + " " + std::to_string(dns::load_u16(value.data())) + " " +
               std::string(value.begin() + 2, value.end());
    }

    Asking s_;
    std::shared_ptr<Plan> plan_;
    Request request_;
    Outcome last_;
};

TEST_F(AnswerOptionsTest, CookiesComeWithEveryKindOfAnswer) {
    for (const char* const name :
         {"mail.example.com", "geo.example.com", "ring.example.com", "nothing.example.com",
          "sub.example.com", "elsewhere.example.net", "servfail.example.com"}) {
        const auto options = ask(query(name, dns::RrType::A, {{kCookie, kClientHalf}}));
        EXPECT_EQ(last_.cookie, dns::CookieState::Fresh) << name;
        ASSERT_TRUE(options.contains(kCookie)) << name;
        const Octets& cookie = options.at(kCookie);
        ASSERT_EQ(cookie.size(), dns::kFullCookie);
        EXPECT_TRUE(std::equal(kClientHalf.begin(), kClientHalf.end(), cookie.begin()));
        const auto again = ask(query(name, dns::RrType::A, {{kCookie, cookie}}));
        EXPECT_EQ(last_.cookie, dns::CookieState::Good) << name;
        EXPECT_EQ(again.at(kCookie), cookie);
        Octets forged = cookie;
        forged.back() ^= 1;
        EXPECT_EQ(ask(query(name, dns::RrType::A, {{kCookie, forged}})).at(kCookie), cookie);
        EXPECT_EQ(last_.cookie, dns::CookieState::Bad) << name;
    }
}

TEST_F(AnswerOptionsTest, CookiesAreSpokenOnlyWhenAskedForAndWithSecrets) {
    EXPECT_FALSE(ask(query("mail.example.com", dns::RrType::A, {})).contains(kCookie));
    EXPECT_EQ(last_.cookie, dns::CookieState::None);
    plan_->cookies.count = 0;
    const auto options = ask(query("mail.example.com", dns::RrType::A, {{kCookie, kClientHalf}}));
    EXPECT_FALSE(options.contains(kCookie));
    EXPECT_EQ(last_.cookie, dns::CookieState::None);
}

TEST_F(AnswerOptionsTest, ACookieOfBadLengthIsFormErrAndNotAnswered) {
    for (const std::size_t size : {0U, 1U, 7U, 9U, 15U, 41U}) {
        const auto options =
            ask(query("mail.example.com", dns::RrType::A, {{kCookie, Octets(size)}}));
        EXPECT_EQ(last_.rcode, dns::Rcode::FormErr) << size;
        EXPECT_FALSE(options.contains(kCookie)) << size;
    }
}

TEST_F(AnswerOptionsTest, WithoutAQuestionACookieIsAnsweredAndNothingElse) {  // RFC 7873 §5.4
    Octets packet = query(".", dns::RrType::A, {{kCookie, kClientHalf}});
    packet.erase(packet.begin() + 12, packet.begin() + 17);
    packet[5] = 0;
    const auto options = ask(packet);
    EXPECT_EQ(last_.rcode, dns::Rcode::NoError);
    EXPECT_EQ(last_.kind, AnswerKind::CookieOnly);
    EXPECT_EQ(options.at(kCookie).size(), dns::kFullCookie);
    const auto message = dns::parse_message(std::span(s_.out).first(last_.size));
    EXPECT_TRUE(message->questions.empty());
    EXPECT_FALSE(message->authoritative);
    packet.erase(packet.end() - 12, packet.end());
    packet.back() = 0;
    (void)ask(packet);
    EXPECT_EQ(last_.rcode, dns::Rcode::FormErr) << "nor a cookie";
}

TEST_F(AnswerOptionsTest, TheIdleTimeoutIsToldOverTcpToWhoAsks) {
    const Octets asks = query("mail.example.com", dns::RrType::A, {{kKeepalive, {}}});
    request_.transport = Transport::Tcp;
    request_.idle_100ms = 100;
    EXPECT_EQ(ask(asks), (Options{{kKeepalive, {0, 100}}}));
    EXPECT_EQ(ask(query("mail.example.com", dns::RrType::A, {})), Options{});
    request_.idle_100ms = 0;
    EXPECT_EQ(ask(asks), (Options{{kKeepalive, {0, 0}}})) << "close when you are done";
    request_.transport = Transport::Udp;
    EXPECT_EQ(ask(asks), Options{}) << "RFC 7828 §3.2.1: ignored";
}

TEST_F(AnswerOptionsTest, ExtendedErrorsTellWhy) {
    EXPECT_EQ(error_of("mail.example.com", dns::RrType::A), "NOERROR");
    EXPECT_EQ(error_of("nothing.example.com", dns::RrType::A), "NXDOMAIN");
    EXPECT_EQ(error_of("example.net", dns::RrType::A), "REFUSED 20 no zone of ours");
    EXPECT_EQ(error_of("example.com", dns::RrType::AXFR), "REFUSED 18 no transfers");
    EXPECT_EQ(error_of("example.com", dns::RrType::TKEY), "NOTIMP 21 ");
    s_.set("e", Health::Down);
    s_.refresh();
    EXPECT_EQ(error_of("servfail.example.com", dns::RrType::A),
              "SERVFAIL 0 no endpoint is available");
}

TEST_F(AnswerOptionsTest, ABadZoneIsInvalidData) {
    Built built = prepare(kAnswerConfig, kZoneLines);
    for (ZoneInput& zone : built.input.zones) {
        zone.zone = nullptr;
    }
    built.compile();
    s_.snapshot.plan = built.plan;
    const auto health = compile_health(*built.plan, all_up(*built.plan));
    s_.snapshot.health = health;
    EXPECT_EQ(error_of("mail.example.com", dns::RrType::A),
              "SERVFAIL 24 the zone could not be loaded");
}

TEST_F(AnswerOptionsTest, NothingIsAddedWithoutEdns) {
    const auto message = s_.ask("example.net A", {.edns = false});
    EXPECT_FALSE(message.edns);
}

TEST_F(AnswerOptionsTest, VersionIsToldWhereItIsConfigured) {
    const How chaos{.rrclass = dns::RrClass::CH};
    EXPECT_EQ(s_.text("version.bind TXT", chaos), "REFUSED");
    plan_->version = "steerd 1";
    EXPECT_EQ(s_.text("VERSION.bind TXT", chaos),
              "NOERROR aa | VERSION.bind. 0 CH TXT \"steerd 1\"");
    EXPECT_EQ(s_.text("version.server TXT", chaos),
              "NOERROR aa | version.server. 0 CH TXT \"steerd 1\"");
    EXPECT_EQ(s_.text("version.server A", chaos), "REFUSED");
}

}  // namespace
}  // namespace steerd::policy::testing
