// Lifetimes and the stationary state of one cache. Why the stationary state is drawn and not
// reached by a warm-up: caches filled together stay in step for hours, and every figure would show
// that. The law: a cycle is a gap, exponential with the query rate, and then a life; a moment falls
// into a cycle with a chance in proportion to the cycle's length, and evenly within it.
#include <algorithm>
#include <cmath>

#include "drill/cache_state.h"

namespace steerd::drill {

namespace {

double prefetch_s(const Prefetch& rule, double ttl_s) noexcept {
    double before = 0;
    if (rule.below_s > 0 && ttl_s >= rule.of_at_least_s) {
        before = rule.below_s;
    }
    if (rule.share > 0) {
        before = std::max(before, ttl_s * rule.share);
    }
    return std::min(before, ttl_s);
}

double effective_ttl_s(const CacheModel& model, double ttl_s, bool negative) noexcept {
    if (model.hold_s) {
        return *model.hold_s;
    }
    const double most =
        negative ? std::min(model.max_ttl_s, model.negative_max_s) : model.max_ttl_s;
    return std::max(model.min_ttl_s, std::min(ttl_s + model.extend_s, most));
}

}  // namespace

Lifetime lifetime_of(const CacheModel& model, double ttl_s, bool negative) noexcept {
    double ttl = effective_ttl_s(model, ttl_s, negative);
    Lifetime life;
    if (ttl <= 0) {
        return life;  // passed through, never kept: each query is a fetch
    }
    double before = prefetch_s(model.prefetch, ttl);
    life.floored = model.rounding != Rounding::Exact;
    if (life.floored) {
        ttl = std::ceil(ttl);  // such caches know whole seconds only
        before = std::floor(before);
    }
    const bool prefetching = model.prefetch.share > 0 || before > 0;
    const double last_second = model.rounding == Rounding::FloorPlusOne ? 1 : 0;
    // The refresh is due on the second itself, so a cache that prefetches loses its last second:
    // measured as 27.0 s instead of 28 s at a TTL of 30 s and 10 %.
    life.base_s = prefetching ? ttl - before : ttl + last_second;
    life.window_s = prefetching ? before + last_second : 0;
    life.told_s = ttl;
    life.stale_after_s = life.base_s + life.window_s;
    if (model.stale.when == ServeStale::Always) {
        life.window_s += model.stale.for_s;
    } else if (model.stale.when == ServeStale::OnError) {
        life.error_s = model.stale.for_s;
    }
    return life;
}

StationaryLaw::StationaryLaw(const Lifetime& life, double gap_s) noexcept
    : life_(life), gap_s_(gap_s), no_query_(std::exp(-1 / gap_s)) {}

/// Exact lives: fresh with chance base / (base + gap), and then at an even age; else in a gap,
/// whose two sides are exponential (the law has no memory in either direction).
Stationary StationaryLaw::exact_at(double moment, base::Rng& rng) const noexcept {
    Stationary state;
    const double place = rng.unit() * (life_.base_s + gap_s_);
    const double gap = exponential(rng.next()) * gap_s_;
    double fresh = 0;
    if (place < life_.base_s) {
        fresh = moment + place;
        state.next_query = fresh + gap;
    } else {
        fresh = moment - exponential(rng.next()) * gap_s_;
        state.next_query = moment + gap;
    }
    state.held = hold_from(life_, fresh - life_.base_s, 0);  // not floored: any second
    return state;
}

/// Lives that end on whole seconds of the cache: a cycle of gap g lasts base + floor(g) seconds.
/// Weighted by its length that is a mixture: floor(g) geometric as always, or weighted by itself,
/// which is one more than the sum of two such.
Stationary StationaryLaw::floored_at(double moment, base::Rng& rng) const noexcept {
    double whole = 0;
    const double draw = exponential(rng.next()) * gap_s_;
    const double fraction = draw - whole_seconds(draw);
    // The mean of floor(g) is no_query / (1 - no_query).
    if (rng.unit() * (life_.base_s * (1 - no_query_) + no_query_) >= no_query_) {
        whole = whole_seconds(draw);
    } else {
        whole = 1 + whole_seconds(exponential(rng.next()) * gap_s_) +
                whole_seconds(exponential(rng.next()) * gap_s_);
    }
    const double gap = whole + fraction;
    const double position = rng.unit() * (life_.base_s + whole);
    const double begin = moment - position;  // the end of the life before: a second of this cache
    Stationary state;
    double fetched = begin + gap;
    double fresh = begin + whole + life_.base_s;
    if (position < gap) {
        fetched = begin - life_.base_s;  // the life before is over, and nobody has asked yet
        fresh = begin;
        state.next_query = begin + gap;
    } else {
        state.next_query = fresh + exponential(rng.next()) * gap_s_;
    }
    const double old = fresh + life_.window_s;
    state.held = Held{fetched, fresh, old, old + life_.error_s, begin};
    return state;
}

double told_ttl(const Lifetime& life, const Held& held, double reply_ttl_s, double at) noexcept {
    const double expiry = held.fresh_until - life.base_s + life.stale_after_s;
    if (at >= expiry) {
        return reply_ttl_s;
    }
    const double first = held.fresh_until - life.base_s;  // the second of the fetch, or the fetch
    const double age = life.floored ? std::floor(at - first) : at - first;
    return std::max(0.0, life.told_s - age);
}

}  // namespace steerd::drill
