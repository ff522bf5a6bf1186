// One resolver cache led through the timeline, fetch by fetch. Queries are never drawn one by one:
// they are Poisson, so after an entry ends the next query is one exponential draw away, and what a
// query at any moment would get is known in between. That is what the client is told:
//   held(from, to, answer, life, entry)   an answer from the cache
//   through(from, to, bits)               whatever the authority says at the time
//   failed(from, to)                      no answer at all
// and the sink: fetch(at), and flow(from, to, rate) where nothing can be cached.
// Obeys RFC 8767 (stale on error, the failure remembered) and RFC 9520 (failures are remembered).
// Does not model round trips: a fetch takes no time. Thread rule: one owner.
#pragma once

#include <algorithm>

#include "drill/cache.h"
#include "drill/engine_timeline.h"

namespace steerd::drill {

template <class Client, class Sink>
class CacheStream {
  public:
    CacheStream(const FlatTimeline& timeline, const FlatClass& flat, const CacheModel& model,
                Client& client, Sink& sink) noexcept
        : timeline_(timeline),
          flat_(flat),
          model_(model),
          client_(client),
          sink_(sink),
          cursor_(flat),
          always_up_(timeline.authority.size() == 2 && timeline.authority[0].up) {}

    /// From the stationary state at `start` to the end of the drill. `settle`: stops renewing once
    /// the last answer of all is in the cache.
    void run(base::Rng rng, double rate, double start, bool settle) {
        rng_ = rng;
        rate_ = rate;
        begin(start);
        const double end = timeline_.duration;
        const double last =
            settle ? std::max(flat_.last_change, timeline_.authority.end()[-2].from) : kForever;
        while (true) {
            serve(std::min(next_, end));
            if (next_ >= end) {
                return;
            }
            at_ = next_;
            fetch();
            if (at_ > last && cursor_.at(at_).count == 1) {
                client_.held(at_, end, answer_, life_, held_);
                return;
            }
        }
    }

  private:
    void begin(double start) {
        at_ = start;
        bits_ = rng_.next();
        const FlatOffer& offer = cursor_.at(start).choose(bits_);
        answer_ = offer.answer;
        live_by(offer, start);
        if (life_.base_s <= 0) {
            held_ = Held{start, start, start, start, 0};
            next_ = start;
            return;
        }
        const Stationary state = stationary(life_, rate_, start, rng_);
        held_ = state.held;
        next_ = state.next_query;
    }

    void live_by(const FlatOffer& offer, double t) {
        const double ttl = offer.ttl_at(t);
        if (ttl != life_ttl_ || offer.negative != life_negative_) {
            life_ = lifetime_of(model_, ttl, offer.negative);
            life_ttl_ = ttl;
            life_negative_ = offer.negative;
        }
    }

    void fetch() {
        const FlatOffer& offer = cursor_.at(at_).choose(bits_);
        if (!always_up_ || offer.servfail) {
            if (!reachable()) {
                retry();
                return;
            }
        }
        live_by(offer, at_);
        answer_ = offer.answer;
        if (life_.base_s <= 0) {
            pass_through();
            return;
        }
        sink_.fetch(at_);
        held_ = hold_from(life_, at_, held_.second);
        bits_ = rng_.next();
        next_ = held_.fresh_until + exponential(bits_, rate_);
    }

    [[nodiscard]] bool reachable() {
        return timeline_.authority_at(at_).up && !cursor_.at(at_).choose(bits_).servfail;
    }

    void serve(double to);
    void starve(double from, double to);
    void pass_through();
    void retry();

    const FlatTimeline& timeline_;
    const FlatClass& flat_;
    const CacheModel& model_;
    Client& client_;
    Sink& sink_;
    Cursor cursor_;
    bool always_up_;
    base::Rng rng_{0};
    double rate_ = 1;
    std::uint64_t bits_ = 0;
    std::uint32_t answer_ = 0;
    double life_ttl_ = -1;
    bool life_negative_ = false;
    Lifetime life_;
    Held held_;
    double at_ = 0;
    double next_ = 0;
};

}  // namespace steerd::drill

#include "drill/cache_stream_steps.h"  // the steps of the rarer kind, so that each fits a page
