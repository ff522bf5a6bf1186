// The dns probe: one UDP question, no second try. NOERROR with a record that answers passes; for
// SOA also one in the authority section (the server knows the zone). Anything else fails. Thread
// rule: the pool's thread.
#pragma once

#include <memory>

#include "health/probe_spec.h"
#include "health/probers/dns_exchange.h"
#include "health/probers/job.h"

namespace steerd::probers {

class DnsJob final : public Job {
  public:
    DnsJob(uv_loop_t* loop, base::Rng& rng, const base::SocketAddress& target,
           std::shared_ptr<const health::ProbeSpec> spec, Done done);

    void begin() override;

  private:
    uv_loop_t* loop_;
    base::Rng& rng_;
    base::SocketAddress target_;
    std::shared_ptr<const health::ProbeSpec> spec_;
    Done done_;
    std::unique_ptr<DnsExchange> exchange_;
};

[[nodiscard]] Judgement judge_message(const dns::Message& message, dns::RrType asked);

}  // namespace steerd::probers
