// How long clients still come to what was drained: the closed form of drill/ over its population
// "mixed", as an operator would rehearse it. From the moment of the last answer that named the
// endpoint, caches that keep to the TTL have let go after TTL + 1 s (some resolvers count up to a
// second more); browsers, phones and resolvers that lengthen TTLs take longer.
// Assumes the population's shares and one question a second at each cache; no drill is run.
// Thread rule: one owner.
#pragma once

#include <map>

#include "base/clock.h"
#include "drill/population.h"

namespace steerd::admin {

/// "Safe to stop": this share of the clients has moved on.
inline constexpr double kSafeShare = 0.01;

class DrainModel {
  public:
    DrainModel();

    /// The share of clients that still use it so long after the last answer.
    [[nodiscard]] double left(std::uint32_t ttl_s, base::Duration after) const;
    /// How long after the last answer kSafeShare is left.
    [[nodiscard]] base::Duration safe_after(std::uint32_t ttl_s);
    /// How long after it caches that keep to TTLs have let go.
    [[nodiscard]] static base::Duration caches_after(std::uint32_t ttl_s);

  private:
    drill::Population population_;
    std::map<std::uint32_t, base::Duration> safe_;  // by TTL
};

}  // namespace steerd::admin
