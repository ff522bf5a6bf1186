// What a live drill writes down while it runs, and how a cache's fetches become what its clients
// used: the same steps as in CacheStream, only that what a fetch brought, and when, was measured
// instead of read off a timeline. Thread rule: values; a LiveReplay has one owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "drill/cache_stream.h"

namespace steerd::drill {

inline constexpr std::uint32_t kLookupFailed = std::numeric_limits<std::uint32_t>::max();

struct LiveFetch {
    double at = 0;             // seconds since the start
    std::uint32_t answer = 0;  // into Timeline::answers, or kLookupFailed
    std::uint32_t ttl_s = 0;
};

/// One cache: its state when the record begins, and its fetches from then on.
struct LiveRecord {
    double start = 0;
    Held held;
    Lifetime life;
    std::uint32_t answer = 0;
    std::vector<LiveFetch> fetches;  // those before 0 are of its stationary past
};

/// An answer of a place as the monitor saw it.
struct LiveSample {
    double at = 0;
    std::uint32_t group = 0;
    std::uint32_t answer = 0;
    std::uint32_t ttl_s = 0;
};

template <class Client, class Sink>
class LiveReplay : private CacheStream<Client, Sink> {
    using Base = CacheStream<Client, Sink>;

  public:
    using Base::Base;

    /// `negative`: by answer. `bits`: any.
    void run(const FlatClass& flat, const LiveRecord& record, const std::vector<bool>& negative,
             std::uint64_t bits) {
        const double end = this->timeline_.duration;
        this->cursor_ = Cursor(flat);
        this->at_ = record.start;
        this->held_ = record.held;
        this->life_ = record.life;
        this->answer_ = record.answer == kLookupFailed ? this->timeline_.failed : record.answer;
        this->bits_ = bits;
        bool failed = record.answer == kLookupFailed;
        for (const LiveFetch& fetch : record.fetches) {
            if (fetch.at >= end) {
                break;
            }
            pass(failed, fetch.at);
            this->sink_.fetch(fetch.at);
            this->bits_ = base::mix64(this->bits_ + 1);
            failed = fetch.answer == kLookupFailed;
            if (failed) {
                this->held_.fresh_until = this->held_.old_until = fetch.at;
            } else {
                take(fetch, negative[fetch.answer]);
            }
        }
        pass(failed, end);
    }

  private:
    /// What clients got from at_ to `to`.
    void pass(bool failed, double to) {
        if (failed) {
            this->starve(this->at_, to, this->timeline_.failed);
        } else {
            this->serve(to);
        }
        this->at_ = to;
    }

    void take(const LiveFetch& fetch, bool negative) {
        const double second = std::min(this->held_.second, fetch.at);
        this->life_ = lifetime_of(this->model_, fetch.ttl_s, negative);
        this->answer_ = fetch.answer;
        this->held_ = this->life_.base_s > 0 ? hold_from(this->life_, fetch.at, second)
                                             : Held{fetch.at, fetch.at, fetch.at, fetch.at, second};
    }
};

}  // namespace steerd::drill
