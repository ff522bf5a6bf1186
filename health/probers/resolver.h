// The addresses of a CNAME target, asked of a recursive resolver: A and AAAA side by side, UDP with
// two tries, TCP when truncated, two seconds in all. RFC 1034 §5.3.1 (a stub), RFC 2308 (what a
// negative answer says and for how long). Deliberately without cache, search list and hosts file:
// the control asks again when the TTL is over. Thread rule: the pool's thread; the functions are
// pure.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "health/probers/dns_exchange.h"
#include "health/probers/prober_pool.h"

namespace steerd::probers {

/// What a server said of one family.
struct FamilyAnswer {
    ResolveOutcome outcome = ResolveOutcome::NoAnswer;
    std::vector<base::IpAddress> addresses;
    std::uint32_t ttl_s = 0;
    std::string reason;
};

/// Follows the CNAMEs of the message from `name`. REQUIRES: `type` is A or AAAA.
[[nodiscard]] FamilyAnswer read_answer(const dns::Message& message, const dns::Name& name,
                                       dns::RrType type);
/// Both families as one result: addresses of either count, then NXDOMAIN, then silence of either.
[[nodiscard]] ResolveDone combine(const FamilyAnswer& a, const FamilyAnswer& aaaa);

/// The first `nameserver` of a resolv.conf(5), else 127.0.0.1, as that page says.
[[nodiscard]] base::SocketAddress first_nameserver(std::string_view resolv_conf);

class Resolution {
  public:
    /// Called once; the resolution must not be destroyed inside the call.
    using Done = std::function<void(ResolveDone)>;

    Resolution(uv_loop_t* loop, base::Rng& rng, ResolveRequest request, Done done);

    /// May be done before this returns.
    void begin();

  private:
    void ask(dns::RrType type, const dns::Name& name, const base::SocketAddress& server);
    void take(dns::RrType type, FamilyAnswer answer);
    void finish(ResolveDone done);

    uv_loop_t* loop_;
    base::Rng& rng_;
    ResolveRequest request_;
    Done done_;
    bool finished_ = false;
    UvTimer deadline_;
    std::unique_ptr<DnsExchange> exchanges_[2];  // A, AAAA
    std::optional<FamilyAnswer> answers_[2];
};

}  // namespace steerd::probers
