// The longest TTL with which each endpoint was handed out under earlier configurations: when a
// reload lowers it, caches may still hold answers with the old one, and what is drained then is
// safe to stop only when those are gone too. Bounded: a few entries for an endpoint whose TTL fell,
// none for the others, forgotten after a day beyond the TTL. Not kept over a restart. Thread rule:
// one owner; copies may be read anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "policy/plan.h"

namespace steerd::server {

/// The longest TTL with which answers name each endpoint, by EndpointId; 0: none does.
[[nodiscard]] std::vector<std::uint32_t> longest_ttls(const policy::Plan& plan);

struct EarlierTtl {
    std::uint32_t ttl_s = 0;
    base::Wall until{};  // the last answer with it, at most

    friend bool operator==(const EarlierTtl&, const EarlierTtl&) = default;
};

/// By endpoint: those longer than what is handed out now, the newest first, each older one longer.
using EarlierTtls = std::map<std::string, std::vector<EarlierTtl>>;

class TtlMemory {
  public:
    /// `before` goes out of force now, `next` comes into it.
    void turn(const policy::Plan& before, const policy::Plan& next, base::Wall now);

    [[nodiscard]] const EarlierTtls& earlier() const noexcept { return earlier_; }

  private:
    EarlierTtls earlier_;
};

}  // namespace steerd::server
