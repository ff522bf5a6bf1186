// The steps of CacheStream between two fetches: what queries get meanwhile, and what happens when
// nothing can be kept or fetched. Part of cache_stream.h, apart only for its length.
// RFC 8767 5 (stale on error), RFC 9520 3.1 (retries grow rarer). Thread rule: one owner.
#pragma once

#include "drill/cache_stream.h"

namespace steerd::drill {

/// What queries get from at_ to `to`, which is the next fetch or the end.
template <class Client, class Sink>
void CacheStream<Client, Sink>::serve(double to) {
    if (held_.old_until > at_) {
        client_.held(at_, std::min(held_.old_until, to), answer_, life_, held_);
    }
    const double from = std::max(at_, held_.old_until);
    if (from >= to) {
        return;
    }
    if (always_up_) {
        client_.through(from, to, bits_);
        return;
    }
    for (std::size_t i = 0; i + 1 < timeline_.authority.size(); ++i) {
        const double a = i == 0 ? from : std::max(from, timeline_.authority[i].from);
        const double b = std::min(to, timeline_.authority[i + 1].from);
        if (a < b && timeline_.authority[i].up) {
            client_.through(a, b, bits_);
        } else if (a < b) {
            starve(a, b, timeline_.failed);
        }
    }
}

/// Nothing can be fetched from `a` to `b`, and lookups without stale answers end in `state`.
template <class Client, class Sink>
void CacheStream<Client, Sink>::starve(double a, double b, std::uint32_t state) {
    if (held_.error_until > a) {
        client_.held(a, std::min(held_.error_until, b), answer_, life_, held_);
    }
    if (held_.error_until < b) {
        client_.failed(std::max(a, held_.error_until), b, state);
    }
}

/// A TTL of 0: every query is a fetch, counted by their rate until something changes.
template <class Client, class Sink>
void CacheStream<Client, Sink>::pass_through() {
    double until = std::min(cursor_.ends(), timeline_.duration);
    for (const FlatAuthority& state : timeline_.authority) {
        until = state.from > at_ ? std::min(until, state.from) : until;
    }
    sink_.flow(at_, until, rate_);
    client_.through(at_, until, bits_);
    held_ = Held{at_, until, until, until, held_.second};
    at_ = until;
    bits_ = rng_.next();
    next_ = until + exponential(bits_) * gap_s_;
}

/// Asks again, ever more rarely, until the authority answers or the drill ends.
template <class Client, class Sink>
void CacheStream<Client, Sink>::retry() {
    Patience patience(model_.retry);
    while (true) {
        const FlatAuthority& state = timeline_.authority_at(at_);
        if (state.up || state.hung) {
            sink_.fetch(at_);  // it arrives there, whatever comes of it
        }
        const std::uint32_t why =
            state.up ? cursor_.at(at_).choose(bits_).answer : timeline_.failed;
        bits_ = rng_.next();
        next_ = patience.next(at_, exponential(bits_) * gap_s_);
        starve(at_, std::min(next_, timeline_.duration), why);
        at_ = next_;
        if (at_ >= timeline_.duration || reachable()) {
            held_.fresh_until = held_.old_until = at_;
            return;
        }
    }
}

}  // namespace steerd::drill
