// What stands between a resolver and the demand: nothing (DirectClient), or a cache in the client
// that holds what it got (StubClient). Both turn what a resolver would answer into runs: from..to
// the demand uses this answer, reported to sink.run(from, to, state). Runs reach back to -infinity
// and on to the end; equal neighbours are one run. A state is an answer of the timeline, or its
// `failed` where nobody answers. A stub stands for the many that a resolver has: it looks at the
// resolver without moving it, since one more query among many changes nothing. Thread rule: one
// owner.
#pragma once

#include <algorithm>

#include "drill/cache_runs.h"
#include "drill/cache_state.h"
#include "drill/engine_timeline.h"

namespace steerd::drill {

template <class Sink>
class DirectClient {
  public:
    DirectClient(const FlatTimeline&, const CacheModel&, Sink& sink) noexcept : runs_(sink) {}

    /// Nothing is held, so the resolver may start when it likes.
    [[nodiscard]] double begin(const FlatClass& flat, base::Rng&, double start) {
        cursor_ = Cursor(flat);
        runs_.reset();
        return start;
    }

    void held(double from, double, std::uint32_t answer, const Lifetime&, const Held&) {
        runs_.on(from, answer);
    }

    void through(double from, double to, std::uint64_t bits) {
        runs_.on(from, cursor_.at(from).choose(bits).answer);
        while (cursor_.ends() < to) {
            const double next = cursor_.ends();
            runs_.on(next, cursor_.at(next).choose(bits).answer);
        }
    }

    void failed(double from, double, std::uint32_t state) { runs_.on(from, state); }

    void finish(double end) { runs_.finish(end); }

  private:
    Cursor cursor_;
    RunMerger<Sink> runs_;
};

template <class Sink>
class StubClient {
  public:
    StubClient(const FlatTimeline&, const CacheModel& model, Sink& sink) noexcept
        : model_(model), runs_(sink) {}

    /// A new client, to be in its stationary state at `start`. Returns when its resolver must start
    /// so that the stub has its share of holds behind it by then.
    [[nodiscard]] double begin(const FlatClass& flat, base::Rng& rng, double start) {
        cursor_ = Cursor(flat);
        runs_.reset();
        rng_ = base::Rng(rng.next());
        const ClientModel& client = model_.client;
        if (client.restart_s > 0) {
            runs_.on(start, cursor_.at(start).choose(rng_.next()).answer);
            next_ = start + exponential(rng_.next()) * client.restart_s;
            return start;
        }
        const double ttl = flat.pieces[0].offers[0].ttl_at(0);
        const double most = client.hold_s(lifetime_of(model_, ttl, false).told_s) + client.grace_s;
        const double holds = client.factor > 0 || client.grace_s > 0 ? 4 : 1;
        next_ = start - holds * most + rng_.unit() * most;
        return start - holds * most;
    }

    void held(double, double to, std::uint32_t answer, const Lifetime& life, const Held& entry) {
        while (next_ < to) {
            runs_.on(next_, answer);
            hold(told_ttl(life, entry, model_.stale.reply_ttl_s, next_));
        }
    }

    void through(double, double to, std::uint64_t bits) {
        while (next_ < to) {
            const FlatOffer& offer = cursor_.at(next_).choose(bits);
            runs_.on(next_, offer.answer);
            hold(offer.servfail ? 0
                                : lifetime_of(model_, offer.ttl_at(next_), offer.negative).told_s);
        }
    }

    void failed(double, double to, std::uint32_t state) {
        while (next_ < to) {
            runs_.on(next_, state);
            next_ += kFailureHold;  // failures are not kept; the user tries again
        }
    }

    void finish(double end) { runs_.finish(end); }

  private:
    static constexpr double kFailureHold = 1, kLeastHold = 0.1;

    void hold(double told_s) {
        const ClientModel& client = model_.client;
        if (client.restart_s > 0) {
            next_ += exponential(rng_.next()) * client.restart_s;
            return;
        }
        double hold = client.hold_s(told_s);
        if (client.grace_s > 0) {
            hold += std::min(client.grace_s, exponential(rng_.next()) * client.gap_s);
        }
        next_ += std::max(hold, kLeastHold);
    }

    const CacheModel& model_;
    Cursor cursor_;
    RunMerger<Sink> runs_;
    base::Rng rng_{0};
    double next_ = 0;
};

}  // namespace steerd::drill
