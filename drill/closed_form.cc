// The formulas. With A = fresh_s, W = window_s, r = rate, a query t after the change gets the old
// answer with chance [max(0, A - t) + (exp(-r max(0, t - A)) - exp(-r W)) / r] / (A + 1 / r) for
// 0 <= t <= A + W: the cache must have fetched before the change, and no query may have refreshed
// it.
#include "drill/closed_form.h"

#include <algorithm>
#include <cmath>

#include "drill/cache_state.h"

namespace steerd::drill {

namespace {

/// For lives that end on whole seconds: the mean fraction of the second at which a fetch falls, its
/// gap being exponential from a whole second on.
double mean_fraction(double rate) { return 1 / rate - 1 / std::expm1(rate); }

}  // namespace

Renewal renewal_of(const CacheModel& model, double ttl_s, double rate) {
    return renewal_of_cache(model, ttl_s, rate / model.caches());
}

Renewal renewal_of_cache(const CacheModel& model, double ttl_s, double rate) {
    const Lifetime life = lifetime_of(model, ttl_s, false);
    const double less = life.floored && life.base_s > 0 ? mean_fraction(rate) : 0;
    return Renewal{life.base_s - less, life.window_s, rate};
}

double old_share(const Renewal& cache, double t_s) {
    const double a = cache.fresh_s;
    const double r = cache.rate;
    if (t_s > a + cache.window_s) {
        return 0;
    }
    const double fresh = std::max(0.0, a - t_s);
    const double waiting =
        (std::exp(-r * std::max(0.0, t_s - a)) - std::exp(-r * cache.window_s)) / r;
    return (fresh + waiting) / (a + 1 / r);
}

double old_seconds(const Renewal& cache, double t_s) {
    const double a = cache.fresh_s;
    const double w = cache.window_s;
    const double r = cache.rate;
    const double t = std::min(t_s, a + w);
    const double in_life = std::min(t, a);
    const double past = std::max(0.0, t - a);
    const double never = std::exp(-r * w);
    double sum = in_life * a - in_life * in_life / 2;
    sum += in_life * (1 - never) / r;
    sum += (-std::expm1(-r * past) / r - past * never) / r;
    return sum / (a + 1 / r);
}

double stale_queries(const Renewal& cache) {
    return cache.rate * old_seconds(cache, last_moment_s(cache));
}

double upstream_rate(const Renewal& cache) { return cache.rate / (1 + cache.rate * cache.fresh_s); }

double last_moment_s(const Renewal& cache) { return cache.fresh_s + cache.window_s; }

double pool_clean(const Renewal& cache, unsigned caches, double t_s) {
    return std::pow(1 - old_share(cache, t_s), static_cast<double>(caches));
}

double stub_old_share(const Renewal& cache, double hold_s, double t_s) {
    if (hold_s <= 0) {
        return old_share(cache, t_s);
    }
    // The stub fetched at an even moment of the last hold_s: before the change, or into it.
    const double before = std::max(0.0, hold_s - t_s);
    const double from = std::max(0.0, t_s - hold_s);
    return (before + old_seconds(cache, t_s) - old_seconds(cache, from)) / hold_s;
}

double failover_cdf(const Failover& failover, double t_s) {
    const double m = std::min(failover.interval_s, failover.life_s);
    const double most = std::max(failover.interval_s, failover.life_s);
    const double y = t_s - failover.fixed_s;
    if (y <= 0) {
        return 0;
    }
    if (y >= m + most) {
        return 1;
    }
    if (y <= m) {
        return y * y / (2 * m * most);
    }
    if (y <= most) {
        return (y - m / 2) / most;
    }
    return 1 - (m + most - y) * (m + most - y) / (2 * m * most);
}

double failover_quantile(const Failover& failover, double p) {
    const double m = std::min(failover.interval_s, failover.life_s);
    const double most = std::max(failover.interval_s, failover.life_s);
    if (most <= 0) {
        return failover.fixed_s;
    }
    double y = 0;
    if (p <= m / (2 * most)) {
        y = std::sqrt(2 * m * most * p);
    } else if (p <= 1 - m / (2 * most)) {
        y = most * p + m / 2;
    } else {
        y = m + most - std::sqrt(2 * m * most * (1 - p));
    }
    return failover.fixed_s + y;
}

}  // namespace steerd::drill
