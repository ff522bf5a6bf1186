// CNAME targets: what the resolver says of both families becomes one result; silence is not
// absence.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "dns_answers.h"
#include "harness.h"
#include "health/probers/resolver.h"
#include "servers.h"

namespace steerd::probers::test {
namespace {

using Octets = DnsServer::Octets;

constexpr std::uint16_t kA = 1;
constexpr const char* kName = "sorry.example.net";

/// Answers A and AAAA each by its own parts; no parts: no answer.
DnsServer::Answer by_family(std::optional<AnswerParts> a, std::optional<AnswerParts> aaaa) {
    return [a, aaaa](const Octets& query, bool) -> std::vector<Octets> {
        const auto& parts = asked_type(query) == kA ? a : aaaa;
        return parts ? std::vector<Octets>{answer_to(query, *parts)} : std::vector<Octets>{};
    };
}

std::string addresses_text(const ResolveDone& done) {
    std::string out;
    for (const auto& address : done.addresses) {
        out += address.text() + " ";
    }
    return out;
}

const AnswerParts kV4 = {
    0, {a_record(kName, 120, "192.0.2.9"), a_record(kName, 90, "192.0.2.7")}, {}};
const AnswerParts kV6 = {0, {a_record(kName, 300, "2001:db8::7")}, {}};
const AnswerParts kNothing = {0, {}, {soa_record("example.net", 40)}};
const AnswerParts kNoName = {3, {}, {soa_record("example.net", 900)}};
const AnswerParts kBroken = {2, {}, {}};

TEST(Resolver, MergesBothFamilies) {
    const DnsServer server(by_family(kV4, kV6));
    Harness harness;
    const auto done = harness.resolve(kName, server.address());
    EXPECT_EQ(done.outcome, ResolveOutcome::Addresses);
    EXPECT_EQ(addresses_text(done), "192.0.2.7 192.0.2.9 2001:db8::7 ");
    EXPECT_EQ(done.ttl_s, 90U);
    EXPECT_FALSE(done.unanswered);
}

TEST(Resolver, FollowsCnamesAndTakesTheLeastTtl) {
    const AnswerParts chain = {
        0,
        {cname_record(kName, 30, "b.example.org"), a_record("stray.example.org", 5, "192.0.2.66"),
         a_record("c.example.org", 120, "192.0.2.9"),
         cname_record("B.example.ORG", 60, "c.example.org")},
        {}};
    const AnswerParts loop = {
        0,
        {cname_record(kName, 30, "b.example.org"), cname_record("b.example.org", 60, kName)},
        {}};
    const DnsServer server(by_family(chain, loop));
    Harness harness;
    const auto done = harness.resolve(kName, server.address());
    EXPECT_EQ(addresses_text(done), "192.0.2.9 ");
    EXPECT_EQ(done.ttl_s, 30U);
}

TEST(Resolver, TellsAbsenceFromSilence) {
    Harness harness;
    const DnsServer absent(by_family(kNoName, kNoName));
    const auto no_name = harness.resolve(kName, absent.address());
    EXPECT_EQ(no_name.outcome, ResolveOutcome::NxDomain);
    EXPECT_EQ(no_name.ttl_s, 60U);  // the SOA's minimum is less than its TTL

    const DnsServer empty(by_family(kNothing, kNothing));
    const auto nothing = harness.resolve(kName, empty.address());
    EXPECT_EQ(nothing.outcome, ResolveOutcome::NoData);
    EXPECT_EQ(nothing.ttl_s, 40U);

    const DnsServer broken(by_family(kBroken, kBroken));
    const auto none = harness.resolve(kName, broken.address());
    EXPECT_EQ(none.outcome, ResolveOutcome::NoAnswer);
    EXPECT_EQ(none.reason, "dns servfail");

    const Listening closed = refusing(SOCK_DGRAM);
    const auto refused = harness.resolve(kName, "127.0.0.1:" + std::to_string(closed.port));
    EXPECT_EQ(refused.outcome, ResolveOutcome::NoAnswer);
    EXPECT_EQ(refused.reason, "connection refused");
}

TEST(Resolver, SaysWhichFamilyIsUnanswered) {
    const DnsServer server(by_family(kV4, kBroken));
    Harness harness;
    const auto done = harness.resolve(kName, server.address());
    EXPECT_EQ(done.outcome, ResolveOutcome::Addresses);
    EXPECT_EQ(done.unanswered, base::IpFamily::V6);
    EXPECT_EQ(done.ttl_s, 90U);
    const DnsServer half(by_family(kNothing, kBroken));
    EXPECT_EQ(harness.resolve(kName, half.address()).outcome, ResolveOutcome::NoAnswer);
}

TEST(Resolver, GivesUpAfterTwoTriesAndTwoSeconds) {
    const DnsServer server(by_family(std::nullopt, std::nullopt));
    Harness harness;
    const auto begin = std::chrono::steady_clock::now();
    const auto done = harness.resolve(kName, server.address());
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(done.outcome, ResolveOutcome::NoAnswer);
    EXPECT_EQ(done.reason, "timeout after 2s");
    EXPECT_GE(took, std::chrono::milliseconds(1990));
    EXPECT_LT(took, std::chrono::milliseconds(3000));
    EXPECT_EQ(server.queries(), 4U);
}

TEST(Resolver, SurvivesALostDatagram) {
    std::atomic<int> a_queries = 0;
    const DnsServer server([&](const Octets& query, bool) -> std::vector<Octets> {
        if (asked_type(query) == kA && a_queries++ == 0) {
            return {};
        }
        return {answer_to(query, asked_type(query) == kA ? kV4 : kV6)};
    });
    Harness harness;
    EXPECT_EQ(addresses_text(harness.resolve(kName, server.address())),
              "192.0.2.7 192.0.2.9 2001:db8::7 ");
}

TEST(Resolver, AsksOverTcpWhenTruncated) {
    AnswerParts many;
    for (int i = 1; i <= 200; ++i) {
        many.answer.push_back(a_record(kName, 60, "192.0.2." + std::to_string(i)));
    }
    const DnsServer server([&](const Octets& query, bool tcp) -> std::vector<Octets> {
        if (asked_type(query) != kA) {
            return {answer_to(query, kNothing)};
        }
        return {tcp ? answer_to(query, many) : truncated_to(query)};
    });
    Harness harness;
    const auto done = harness.resolve(kName, server.address());
    EXPECT_EQ(done.outcome, ResolveOutcome::Addresses);
    EXPECT_EQ(done.addresses.size(), 200U);
}

TEST(Resolver, EndsWhenTcpGivesNothing) {
    const DnsServer closes([](const Octets& query, bool tcp) {
        return tcp ? std::vector<Octets>{} : std::vector<Octets>{truncated_to(query)};
    });
    const DnsServer lies([](const Octets& query, bool tcp) {
        return std::vector<Octets>{tcp ? Octets(40, 0xAA) : truncated_to(query)};
    });
    Harness harness;
    const auto closed = harness.resolve(kName, closes.address());
    EXPECT_EQ(closed.outcome, ResolveOutcome::NoAnswer);
    EXPECT_EQ(closed.reason, "connection reset");
    const auto lied = harness.resolve(kName, lies.address());
    EXPECT_EQ(lied.outcome, ResolveOutcome::NoAnswer);
    EXPECT_EQ(lied.reason, "malformed: not an answer to our question");
}

TEST(Resolver, RefusesBadNamesAndServers) {
    Harness harness;
    const auto name = harness.resolve(std::string(70, 'x') + ".example", "127.0.0.1:53");
    EXPECT_EQ(name.outcome, ResolveOutcome::NoAnswer);
    EXPECT_EQ(name.reason.substr(0, 9), "bad name:");
    const auto server = harness.resolve(kName, "resolver.example:53");
    EXPECT_EQ(server.outcome, ResolveOutcome::NoAnswer);
    EXPECT_EQ(server.reason, "bad resolver address: resolver.example:53");
}

TEST(FirstNameserver, IsReadAsResolvConfSays) {
    EXPECT_EQ(first_nameserver("").text(), "127.0.0.1:53");
    EXPECT_EQ(first_nameserver("# nameserver 192.0.2.1\nsearch x\n").text(), "127.0.0.1:53");
    EXPECT_EQ(
        first_nameserver("search x\nnameserver\t192.0.2.1 # one\nnameserver 192.0.2.2").text(),
        "192.0.2.1:53");
    EXPECT_EQ(first_nameserver("nameserver\nnameserver junk\nnameserver 2001:db8::1\r\n").text(),
              "[2001:db8::1]:53");
}

}  // namespace
}  // namespace steerd::probers::test
