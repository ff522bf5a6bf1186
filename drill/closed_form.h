// What theory says, for one cache that is asked at random moments (Poisson) in its stationary state
// when the answer changes at time 0. Holds the simulation and real resolvers to account; nothing of
// the simulation is used here. The law of the moments at which a query is answered needs no
// simulation because arrivals see time averages.
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "drill/cache.h"
#include "drill/population.h"
#include "drill/results.h"
#include "drill/timeline.h"

namespace steerd::drill {

/// A cache as theory sees it: fresh for `fresh_s` after a fetch; the first query in `window_s`
/// after that gets the old answer and refreshes. Plain: no window; prefetch: fresh T - w, window w;
/// stale-while-revalidate: window S; clamps and holds: another fresh_s; a pool of N: rate / N.
struct Renewal {
    double fresh_s = 0;
    double window_s = 0;
    double rate = 1;  // queries per second at this cache
};

/// The renewal of a model for answers of one TTL; lives that end on whole seconds stand as their
/// mean. `rate`: queries per second at the resolver, spread over its pool and its prefixes.
[[nodiscard]] Renewal renewal_of(const CacheModel& model, double ttl_s, double rate);
/// The same for one cache of its pool, asked at `rate`.
[[nodiscard]] Renewal renewal_of_cache(const CacheModel& model, double ttl_s, double rate);

/// The chance that a query `t_s` after the change gets the old answer.
[[nodiscard]] double old_share(const Renewal& cache, double t_s);
/// The integral of old_share from 0 to t_s.
[[nodiscard]] double old_seconds(const Renewal& cache, double t_s);
/// Expected queries that get the old answer after the change.
[[nodiscard]] double stale_queries(const Renewal& cache);
/// Queries per second that this cache sends to the authority.
[[nodiscard]] double upstream_rate(const Renewal& cache);
/// No old answer later than this.
[[nodiscard]] double last_moment_s(const Renewal& cache);
/// The chance that of `caches` caches behind one address none gives the old answer any more.
[[nodiscard]] double pool_clean(const Renewal& cache, unsigned caches, double t_s);
/// The chance that a busy client which holds answers for `hold_s` still uses the old one.
[[nodiscard]] double stub_old_share(const Renewal& cache, double hold_s, double t_s);

/// From failure to the new answer for a busy, honest cache: `fixed_s` plus two even draws, from
/// 0..interval_s and 0..life_s. The distribution function and its inverse (p in 0..1).
struct Failover {
    double fixed_s = 0;
    double interval_s = 0;
    double life_s = 0;
};

[[nodiscard]] double failover_cdf(const Failover& failover, double t_s);
[[nodiscard]] double failover_quantile(const Failover& failover, double p);

/// The expected share of all demand on what the event took out, at the given times since the start;
/// empty where the formulas do not apply (a countdown, TTLs or shares that change before the
/// switch, no switch, clients whose hold depends on the TTL).
[[nodiscard]] std::vector<CurvePoint> closed_form_curve(const Timeline& timeline,
                                                        const Population& population,
                                                        std::span<const DemandSpec> demands,
                                                        const EventTimes& event,
                                                        std::span<const double> times_s);

}  // namespace steerd::drill
