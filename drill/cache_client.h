// What stands between a resolver and the demand: nothing (DirectClient), or a cache in the client
// that holds what it got (StubClient). Both turn what a resolver would answer into runs: from..to
// the demand uses this answer, reported to sink.run(from, to, state). Runs reach back to -infinity
// and on to the end; equal neighbours are one run. A state is an answer of the timeline, or its
// `failed`. A stub stands for the many that a resolver has: it looks at the resolver without moving
// it, since one more query among many changes nothing. Thread rule: one owner.
#pragma once

#include <algorithm>
#include <limits>

#include "drill/cache.h"
#include "drill/engine_timeline.h"

namespace steerd::drill {

template <class Sink>
class RunMerger {
  public:
    explicit RunMerger(Sink& sink) noexcept : sink_(sink) {}

    void on(double t, std::uint32_t state) {
        if (state == state_) {
            return;
        }
        if (state_ != kNoState) {
            sink_.run(since_, t, state_);
            since_ = t;
        }
        state_ = state;
    }

    void finish(double end) { sink_.run(since_, end, state_); }

  private:
    static constexpr std::uint32_t kNoState = std::numeric_limits<std::uint32_t>::max();
    Sink& sink_;
    double since_ = -kForever;
    std::uint32_t state_ = kNoState;
};

template <class Sink>
class DirectClient {
  public:
    DirectClient(const FlatTimeline& timeline, const FlatClass& flat, Sink& sink) noexcept
        : failed_(timeline.failed), cursor_(flat), runs_(sink) {}

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

    void failed(double from, double) { runs_.on(from, failed_); }

    void finish(double end) { runs_.finish(end); }

  private:
    std::uint32_t failed_;
    Cursor cursor_;
    RunMerger<Sink> runs_;
};

template <class Sink>
class StubClient {
  public:
    StubClient(const FlatTimeline& timeline, const FlatClass& flat, const CacheModel& model,
               Sink& sink, base::Rng rng) noexcept
        : failed_(timeline.failed), model_(model), cursor_(flat), runs_(sink), rng_(rng) {}

    /// How long before the first moment of interest the resolver must start.
    [[nodiscard]] static double warm_up_s(const CacheModel& model, double ttl_s) noexcept {
        const ClientModel& client = model.client;
        if (client.restart_s > 0) {
            return 0;
        }
        const double hold = client.hold_s(lifetime_of(model, ttl_s, false).told_s);
        return (client.factor > 0 || client.grace_s > 0 ? 4 : 1) * (hold + client.grace_s);
    }

    /// `start`: where the resolver's stream starts.
    void begin(double start, double ttl_s) {
        const ClientModel& client = model_.client;
        if (client.restart_s > 0) {
            runs_.on(start, cursor_.at(start).choose(rng_.next()).answer);
            next_ = start + exponential(rng_.next(), 1 / client.restart_s);
            return;
        }
        const double hold = client.hold_s(lifetime_of(model_, ttl_s, false).told_s);
        next_ = start + rng_.unit() * (hold + client.grace_s);
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
            runs_.on(next_, offer.servfail ? failed_ : offer.answer);
            hold(offer.servfail ? 0
                                : lifetime_of(model_, offer.ttl_at(next_), offer.negative).told_s);
        }
    }

    void failed(double, double to) {
        while (next_ < to) {
            runs_.on(next_, failed_);
            next_ += kFailureHold;  // failures are not kept; the user tries again
        }
    }

    void finish(double end) { runs_.finish(end); }

  private:
    static constexpr double kFailureHold = 1, kLeastHold = 0.1;

    void hold(double told_s) {
        const ClientModel& client = model_.client;
        if (client.restart_s > 0) {
            next_ += exponential(rng_.next(), 1 / client.restart_s);
            return;
        }
        double hold = client.hold_s(told_s);
        if (client.grace_s > 0) {
            hold += std::min(client.grace_s, exponential(rng_.next(), 1 / client.gap_s));
        }
        next_ += std::max(hold, kLeastHold);
    }

    std::uint32_t failed_;
    const CacheModel& model_;
    Cursor cursor_;
    RunMerger<Sink> runs_;
    base::Rng rng_;
    double next_ = 0;
};

}  // namespace steerd::drill
