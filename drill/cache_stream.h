// One resolver cache led through the timeline, fetch by fetch. Queries are never drawn one by one:
// they are Poisson, so after an entry ends the next query is one exponential draw away, and what a
// query at any moment would get is known in between. That is what the client is told:
//   held(from, to, answer, life, entry)   an answer from the cache
//   through(from, to, bits)               whatever the authority says at the time
//   failed(from, to, state)               no answer at all, or SERVFAIL from the authority
// and the sink: fetch(at), and flow(from, to, rate) where nothing can be cached.
// Obeys RFC 8767 (stale on error, the failure remembered) and RFC 9520 (failures are remembered).
// Does not model round trips: a fetch takes no time. Thread rule: one owner.
#pragma once

#include <algorithm>

#include "drill/cache_state.h"
#include "drill/engine_timeline.h"

namespace steerd::drill {

template <class Client, class Sink>
class CacheStream {
  public:
    CacheStream(const FlatTimeline& timeline, const CacheModel& model, Client& client,
                Sink& sink) noexcept
        : timeline_(timeline),
          model_(model),
          client_(client),
          sink_(sink),
          always_up_(timeline.authority.size() == 2 && timeline.authority[0].up) {}

    struct Start {
        base::Rng rng{0};
        double rate = 1;      // queries per second
        double at = 0;        // stationary then
        bool settle = false;  // stop renewing once the last answer of all is in the cache
    };

    /// From the start to the end of the drill; then it may run again for another cache.
    void run(const FlatClass& flat, const Start& from) {
        cursor_ = Cursor(flat);
        rng_ = from.rng;
        if (from.rate != rate_) {
            rate_ = from.rate;
            gap_s_ = 1 / from.rate;
            law_fits_ = false;
        }
        begin(from.at);
        const double end = timeline_.duration;
        const double last = from.settle ? flat.settled_after : kForever;
        while (true) {
            serve(std::min(next_, end));
            if (next_ >= end) {
                return;
            }
            at_ = next_;
            if (!fetch()) {
                continue;
            }
            if (at_ > last && cursor_.at(at_).count == 1) {
                client_.held(at_, end, answer_, life_, held_);
                return;
            }
            bits_ = rng_.next();
            next_ = held_.fresh_until + exponential(bits_) * gap_s_;
        }
    }

  protected:  // LiveReplay takes the same steps with what was really fetched
    void begin(double start) {
        at_ = start;
        bits_ = rng_.next();
        const FlatOffer& offer = cursor_.at(start).choose(bits_);
        answer_ = offer.answer;
        live_by(offer, start);
        if (life_.base_s <= 0) {
            held_ = Held{start, start, start, start, start};
            next_ = start;
            return;
        }
        if (!law_fits_) {
            law_ = StationaryLaw(life_, gap_s_);
            law_fits_ = true;
        }
        const Stationary state = law_.at(start, rng_);
        held_ = state.held;
        next_ = state.next_query;
    }

    void live_by(const FlatOffer& offer, double t) {
        const double ttl = offer.ttl_at(t);
        if (ttl != life_ttl_ || offer.negative != life_negative_) {
            life_ = lifetime_of(model_, ttl, offer.negative);
            life_ttl_ = ttl;
            life_negative_ = offer.negative;
            law_fits_ = false;
        }
    }

    /// True if a new answer is in the cache; else next_ says when to try again.
    bool fetch() {
        const FlatOffer& offer = cursor_.at(at_).choose(bits_);
        if ((!always_up_ || offer.servfail) && !reachable()) {
            retry();
            return false;
        }
        live_by(offer, at_);
        answer_ = offer.answer;
        if (life_.base_s <= 0) {
            pass_through();
            return false;
        }
        sink_.fetch(at_);
        held_ = hold_from(life_, at_, held_.second);
        return true;
    }

    [[nodiscard]] bool reachable() {
        return timeline_.authority_at(at_).up && !cursor_.at(at_).choose(bits_).servfail;
    }

    void serve(double to);
    void starve(double from, double to, std::uint32_t state);
    void pass_through();
    void retry();

    const FlatTimeline& timeline_;
    const CacheModel& model_;
    Client& client_;
    Sink& sink_;
    bool always_up_;
    Cursor cursor_;
    base::Rng rng_{0};
    double rate_ = 0, gap_s_ = 1;
    std::uint64_t bits_ = 0;
    std::uint32_t answer_ = 0;
    double life_ttl_ = -1;
    bool life_negative_ = false;
    Lifetime life_;
    StationaryLaw law_;  // of the last start; neighbours are often alike
    bool law_fits_ = false;
    Held held_;
    double at_ = 0;
    double next_ = 0;
};

}  // namespace steerd::drill

#include "drill/cache_stream_steps.h"  // the steps of the rarer kind, so that each fits a page
