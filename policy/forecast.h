// Who gets how many of the clients, before and after a change: the view's table walked from end to
// end, or a file of demand put through it. A change is another health, another configuration, or
// both.
//
// Address space stands for clients where nobody says better: public unicast IPv4 by address, or
// IPv6 by /48. What no geo source knows is counted as unknown, unless the name does not care where
// a client is. Demand is counted as the server would answer it, known place or not. Where a hash of
// the client's prefix takes part, prefixes are sampled evenly (kForecastSamples over the whole
// address space); everything else is exact. What this deliberately does not do: caches and time
// (drill/), words (cli/). Thread rule: load plane, any one thread; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "geo/place.h"
#include "policy/decide.h"

namespace steerd::policy {

/// Prefixes looked at where a hash takes part: shares come out right to about 0.2 %.
inline constexpr std::size_t kForecastSamples = 100'000;

/// A plan under some health, and the steered name in it.
struct ForecastSide {
    const Plan& plan;
    const HealthState& health;
    SteeredId steered{};
};

struct DemandRow {
    base::IpPrefix prefix;  // normalised
    double weight = 0;      // requests/s, spread evenly over the prefix
};

struct ForecastInput {
    ForecastSide before;
    ForecastSide after;
    Ask ask = Ask::A;  // Other is not asked for
    base::Mono now{};
    /// nullopt: the address space of the family asked for.
    std::optional<std::span<const DemandRow>> demand;
    /// Tells places apart by squares of kMapDegrees; else by country alone.
    bool map = false;
};

inline constexpr double kMapDegrees = 2;

/// Amounts: addresses, /48s, or requests/s.
struct Amounts {
    std::vector<double> endpoints;  // by index into Forecast::endpoints
    double none = 0;                // no address: NODATA or SERVFAIL
    double unknown = 0;
    double fail_open = 0;  // of all these: nothing was available for them, when_all_down answers
};

/// An endpoint of either side; one name is one endpoint.
struct ForecastEndpoint {
    std::string name;
    std::string region;              // or empty
    std::optional<double> capacity;  // requests/s; after the change, else before
};

/// All clients of one country, or of one square of it.
struct ForecastPlace {
    std::optional<geo::CountryCode> country;
    std::optional<geo::Location> location;  // middle of the square; only with `map`
    double weight = 0;
    double moved = 0;
    Amounts before;
    Amounts after;
};

struct Forecast {
    std::vector<ForecastEndpoint> endpoints;
    double total = 0;
    double moved = 0;  // what must change its endpoint; unknown clients are not in it
    Amounts before;
    Amounts after;
    std::vector<ForecastPlace> places;  // those of any weight, unknown ones left out
    std::size_t prefixes = 0;           // stretches of addresses that were walked
    double sampled = 0;                 // those for whom a hash took part
};

/// REQUIRES: both names stand in their plans.
[[nodiscard]] Forecast forecast(const ForecastInput& input);

/// The steered name that answers for `name` (wildcards too), or nullopt.
[[nodiscard]] std::optional<SteeredId> find_steered(const Plan& plan, const dns::Name& name,
                                                    Ask ask);

}  // namespace steerd::policy
