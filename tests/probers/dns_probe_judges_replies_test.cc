// dns: NOERROR with records passes; other RCODEs, silence and refusal fail; foreign datagrams are
// passed over.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <list>

#include "dns_answers.h"
#include "harness.h"
#include "health/probers/dns_job.h"
#include "servers.h"

namespace steerd::probers::test {
namespace {

using health::ProbeType;
using Octets = DnsServer::Octets;

health::ProbeSpec asks_soa(std::uint16_t port) {
    auto spec = spec_of(ProbeType::Dns, port);
    spec.query_name = "example.com";
    spec.query_type = 6;
    return spec;
}

TEST(DnsProbe, JudgesByReply) {
    const AnswerParts soa = {0, {soa_record("example.com", 300)}, {}};
    const AnswerParts referral = {0, {}, {soa_record("example.com", 300)}};
    const AnswerParts empty = {0, {}, {}};
    const auto with = [](const AnswerParts& parts) {
        return [parts](const Octets& query, bool) {
            return std::vector<Octets>{answer_to(query, parts)};
        };
    };
    const auto rcode = [&](std::uint8_t code) { return with({code, {}, {}}); };
    const std::vector<std::pair<DnsServer::Answer, std::string>> cases = {
        {with(soa), "pass: dns noerror"},
        {with(referral), "pass: dns noerror"},
        {with(empty), "fail: dns answer without records"},
        {rcode(2), "fail: dns servfail"},
        {rcode(3), "fail: dns nxdomain"},
        {rcode(5), "fail: dns refused"},
        {[](const Octets& query, bool) {  // FORMERR without a question
             return std::vector<Octets>{{query[0], query[1], 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0}};
         },
         "fail: dns formerr"},
        {[](const Octets&, bool) { return std::vector<Octets>{}; }, "fail: timeout after 400ms"},
        {[](const Octets&, bool) {
             return std::vector<Octets>{Octets(100, 0xFF), {}, {1}, Octets(11, 0)};
         },
         "fail: timeout after 400ms"},
        {[](const Octets& query, bool) { return std::vector<Octets>{query}; },  // QR = 0
         "fail: timeout after 400ms"},
        {[soa](const Octets& query, bool) {  // another's id first, then another's question
             Octets other_id = answer_to(query, soa);
             other_id[1] ^= 1;
             Octets other_name = answer_to(query, soa);
             other_name[13] = 'E' + 1;
             return std::vector<Octets>{other_id, other_name};
         },
         "fail: timeout after 400ms"},
        {[soa](const Octets& query, bool) {
             Octets other_id = answer_to(query, {2, {}, {}});
             other_id[0] ^= 0x40;
             return std::vector<Octets>{other_id, answer_to(query, soa)};
         },
         "pass: dns noerror"},
        {[soa](const Octets& query, bool) {  // the case of the name may change (RFC 4343)
             Octets shouted = answer_to(query, soa);
             shouted[13] = 'E';
             return std::vector<Octets>{shouted};
         },
         "pass: dns noerror"},
    };
    std::list<DnsServer> servers;
    std::vector<std::pair<health::ProbeSpec, std::string>> specs;
    for (const auto& [answer, verdict] : cases) {
        servers.emplace_back(answer);
        const bool times_out = verdict.find("timeout") != std::string::npos;
        const auto spec = asks_soa(servers.back().port());
        specs.emplace_back(times_out ? hasty(spec) : spec, "127.0.0.1");
    }
    Harness harness;
    const auto done = harness.run(specs);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        EXPECT_EQ(outcome_text(done[i].verdict), cases[i].second) << "case " << i;
    }
}

TEST(DnsProbe, FailsOnAMalformedReplyWithOurId) {
    const DnsServer server([](const Octets& query, bool) {
        Octets cut = answer_to(query, {0, {soa_record("example.com", 300)}, {}});
        cut.resize(cut.size() - 3);
        return std::vector<Octets>{cut};
    });
    Harness harness;
    const auto verdict = harness.run_one(asks_soa(server.port()));
    EXPECT_EQ(verdict.outcome, health::Outcome::Fail);
    EXPECT_EQ(verdict.reason.substr(0, 11), "malformed: ");
}

TEST(DnsProbe, FailsWhenThePortIsClosed) {
    const Listening closed = refusing(SOCK_DGRAM);
    Harness harness;
    EXPECT_EQ(outcome_text(harness.run_one(asks_soa(closed.port))), "fail: connection refused");
}

TEST(DnsProbe, AcceptsATruncatedAnswer) {
    dns::Message message;
    message.truncated = true;
    EXPECT_EQ(judge_message(message, dns::RrType::A).outcome, health::Outcome::Pass);
    message.truncated = false;
    EXPECT_EQ(judge_message(message, dns::RrType::A).outcome, health::Outcome::Fail);
}

}  // namespace
}  // namespace steerd::probers::test
