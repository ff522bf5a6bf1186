#include "health/probers/dns_job.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace steerd::probers {

Judgement judge_message(const dns::Message& message, dns::RrType asked) {
    using health::Outcome;
    if (message.rcode != dns::Rcode::NoError) {
        return {Outcome::Fail, "dns " + base::ascii_lower(dns::to_text(message.rcode))};
    }
    const bool answered = std::any_of(
        message.records.begin(), message.records.end(), [asked](const dns::Record& record) {
            return record.section == dns::Section::Answer ||
                   (asked == dns::RrType::SOA && record.type == asked &&
                    record.section == dns::Section::Authority);
        });
    // A truncated answer has records, only no room for them (RFC 2181 §9).
    if (answered || message.truncated) {
        return {Outcome::Pass, "dns noerror"};
    }
    return {Outcome::Fail, "dns answer without records"};
}

DnsJob::DnsJob(uv_loop_t* loop, base::Rng& rng, const base::SocketAddress& target,
               std::shared_ptr<const health::ProbeSpec> spec, Done done)
    : loop_(loop), rng_(rng), target_(target), spec_(std::move(spec)), done_(std::move(done)) {}

void DnsJob::begin() {
    auto name = dns::Name::parse(spec_->query_name);
    if (!name) {
        done_({health::Outcome::Inconclusive, printable("bad query name: " + name.error())});
        return;
    }
    DnsAsk ask;
    ask.server = target_;
    ask.name = *name;
    ask.type = static_cast<dns::RrType>(spec_->query_type);
    exchange_ = std::make_unique<DnsExchange>(loop_, rng_, std::move(ask), [this](DnsReply reply) {
        done_(reply.message
                  ? judge_message(*reply.message, static_cast<dns::RrType>(spec_->query_type))
                  : std::move(reply.failure));
    });
    exchange_->begin();
}

}  // namespace steerd::probers
