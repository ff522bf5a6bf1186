// The short way for common questions says octet for octet what the general walk says (a Trace makes
// answer() walk), and tells the same of it: every kind of name of the test zone, types, EDNS and
// ECS forms, sizes, letters' case, health, draws, and packets with octets changed.
#include "asking.h"
#include "base/rng.h"
#include "both_ways.h"

namespace steerd::policy::testing {
namespace {

constexpr std::array kNames = {
    "mail",   "txt",    "alias",        "loop1",    "chain1",     "away",    "towww",
    "www",    "x.wild", "a.ent",        "ent",      "sub",        "x.sub",   "ns1.sub",
    "old",    "x.old",  "geo",          "sorry",    "into",       "through", "lone",
    "hashed", "ring",   "nodata",       "servfail", "weird",      "nothing", "a.apps",
    "",       "new",    "x.taken.wild", "ns.other", "x.x.nothing"};
constexpr std::array kTypes = {
    dns::RrType::A,  dns::RrType::AAAA, dns::RrType::TXT, dns::RrType::SRV, dns::RrType::HTTPS,
    dns::RrType::MX, dns::RrType::ANY,  dns::RrType::DS,  dns::RrType::NS,  dns::RrType::CNAME};
constexpr std::array kSubnets = {
    "",          "203.0.113.0/24", "203.0.113.192/26",    "203.0.113.7/32",        "198.18.0.0/16",
    "0.0.0.0/0", "2001:db8::/56",  "2002:cb00:7100::/40", "::ffff:203.0.113.0/120"};

class CommonAnswers : public ::testing::Test {
  protected:
    std::vector<std::uint8_t> random_query() {
        const std::string_view label = pick(kNames);
        const std::string text = std::string(label) + (label.empty() ? "" : ".") +
                                 (rng_.below(16) == 0 ? "example.net." : "example.com.");
        dns::QueryOptions options;
        options.id = static_cast<std::uint16_t>(rng_.next());
        options.recursion_desired = rng_.below(2) == 0;
        options.checking_disabled = rng_.below(8) == 0;
        options.rrclass = rng_.below(16) == 0 ? dns::RrClass::ANY : dns::RrClass::IN;
        if (rng_.below(4) != 0) {
            options.edns.emplace();
            options.edns->udp_size = static_cast<std::uint16_t>(rng_.below(2000));
            options.edns->dnssec_ok = rng_.below(2) == 0;
            options.edns->nsid = rng_.below(16) == 0;
            const std::string_view subnet = pick(kSubnets);
            if (!subnet.empty()) {
                options.edns->subnet = net(subnet);
            }
        }
        auto packet = dns::compose_query(*dns::Name::parse(text), pick(kTypes), options);
        for (std::size_t i = 13; i < 12 + text.size(); ++i) {
            const bool letter = (packet[i] | 0x20) >= 'a' && (packet[i] | 0x20) <= 'z';
            if (letter && rng_.below(2) == 0) {
                packet[i] ^= 0x20;
            }
        }
        if (options.edns && rng_.below(8) == 0) {
            constexpr std::array<std::uint8_t, 5> kSizes = {7, 8, 8, 24, 25};
            add_cookie(packet, pick(kSizes));
        }
        return packet;
    }

    /// REQUIRES: the packet ends with its OPT.
    void add_cookie(std::vector<std::uint8_t>& packet, std::uint8_t size) {
        const std::size_t length_at = opt_at(packet) + 9;
        const auto length = static_cast<std::uint8_t>(packet[length_at + 1] + 4 + size);
        packet[length_at + 1] = length;
        packet.insert(packet.end(), {0, 10, 0, size});
        packet.insert(packet.end(), size, 0x5A);
    }

    static std::size_t opt_at(const std::vector<std::uint8_t>& packet) {
        const auto name = dns::NameView::parse_wire(std::span(packet).subspan(12));
        return 12 + name->size() + 4;
    }

    void damage(std::vector<std::uint8_t>& packet) {
        for (std::uint64_t n = rng_.below(3) + 1; n > 0; --n) {
            const auto at = static_cast<std::size_t>(rng_.below(packet.size()));
            packet[at] = static_cast<std::uint8_t>(rng_.next());
        }
        if (rng_.below(4) == 0) {
            packet.resize(static_cast<std::size_t>(rng_.below(packet.size() + 1)));
        }
    }

    bool agree(const std::vector<std::uint8_t>& packet) {
        Request request;
        request.query = packet;
        request.client =
            *base::IpAddress::parse(rng_.below(2) == 0 ? "203.0.113.9" : "2001:db8::1");
        request.transport = rng_.below(4) == 0 ? Transport::Tcp : Transport::Udp;
        request.now.mono = s_.now;
        request.draw = rng_.next();
        return ways_.agree(s_.snapshot, request);
    }

    void random_health() {
        constexpr std::array kHealth = {Health::Up, Health::Up, Health::Unknown, Health::Degraded,
                                        Health::Down};
        for (const char* const endpoint : {"a", "b", "c", "d", "four", "many"}) {
            s_.set(endpoint, kHealth[static_cast<std::size_t>(rng_.below(kHealth.size()))]);
        }
        s_.refresh();
    }

    /// Whether cookies are spoken.
    void random_cookies() {
        auto plan = std::make_shared<Plan>(*s_.built.plan);
        plan->cookies.count = static_cast<std::uint32_t>(rng_.below(3));
        plan->cookies.secrets[1].fill(3);
        s_.snapshot.plan = plan;
    }

    template <typename Choices>
    typename Choices::value_type pick(const Choices& from) {
        return from[static_cast<std::size_t>(rng_.below(from.size()))];
    }

    Asking s_;
    base::Rng rng_{42};
    BothWays ways_;
};

TEST_F(CommonAnswers, AreThoseOfTheWalk) {
    int answered = 0;
    for (int round = 0; round < 40 && !HasFailure(); ++round) {
        random_health();
        random_cookies();
        for (int i = 0; i < 250 && !HasFailure(); ++i) {
            answered += agree(random_query()) ? 1 : 0;
        }
    }
    EXPECT_EQ(answered, 40 * 250);
}

TEST_F(CommonAnswers, OrAreLeftToTheWalkWhenOctetsAreWrong) {
    for (int i = 0; i < 10000 && !HasFailure(); ++i) {
        auto packet = random_query();
        damage(packet);
        (void)agree(packet);
    }
}

}  // namespace
}  // namespace steerd::policy::testing
