// Help for tests of caches and of the engine: timelines of one change, a sink that writes down what
// a stream reports, and distances between samples and laws.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <vector>

#include "drill/cache_client.h"
#include "drill/cache_state.h"
#include "drill/cache_stream.h"
#include "drill/engine_timeline.h"

namespace steerd::drill::testing {

/// Full sizes unless a sanitizer slows everything down; STEERD_LONG_TESTS asks for them there too.
inline std::size_t sized(std::size_t full, std::size_t quick) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return std::getenv("STEERD_LONG_TESTS") != nullptr ? full : quick;
#else
    static_cast<void>(quick);
    return full;
#endif
}

inline base::Mono at_s(double t) {
    return base::Mono{std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(t))};
}

inline Answer to_endpoints(std::initializer_list<std::uint32_t> ids) {
    Answer answer;
    for (const std::uint32_t id : ids) {
        answer.endpoints.push_back(policy::EndpointId{id});
    }
    return answer;
}

inline Piece piece(double from, std::uint32_t answer, std::uint32_t ttl_s) {
    return Piece{at_s(from), {Offer{answer, 1.0, ttl_s, 0, base::kNever}}};
}

/// Answer 0 (endpoint 0) until `change`, then answer 1 (endpoint 1), all clients alike.
inline Timeline flip(double change, double duration, std::uint32_t ttl_s) {
    Timeline timeline;
    timeline.duration = at_s(duration).time_since_epoch();
    timeline.answers = {to_endpoints({0}), to_endpoints({1})};
    timeline.classes.push_back(ClassTimeline{{piece(0, 0, ttl_s), piece(change, 1, ttl_s)}});
    timeline.cells.push_back(DemandCell{0, 0, 1.0, "JP"});
    timeline.truth.resize(2);
    return timeline;
}

/// The same with what goes with it: endpoint 0 is dead from `dies` to `ends`.
inline Timeline outage(double dies, double change, double duration, std::uint32_t ttl_s) {
    Timeline timeline = flip(change, duration, ttl_s);
    timeline.truth[0] = {Truth{at_s(0), 0}, Truth{at_s(dies), 1}};
    EventTimes event;
    event.at = at_s(dies);
    event.takes_out = true;
    event.endpoints = {policy::EndpointId{0}};
    event.first_failed = at_s(dies + 1);
    event.detected = event.switched = at_s(change);
    timeline.events.push_back(event);
    return timeline;
}

struct Run {
    double from = 0, to = 0;
    std::uint32_t state = 0;
};

struct Recorder {
    std::vector<Run> runs;
    std::vector<double> fetches;
    double flowed = 0;

    void run(double from, double to, std::uint32_t state) { runs.push_back({from, to, state}); }

    void fetch(double at) { fetches.push_back(at); }

    void flow(double from, double to, double rate) { flowed += (to - from) * rate; }

    /// Seconds in this state within from..to.
    [[nodiscard]] double in(std::uint32_t state, double from, double to) const {
        double sum = 0;
        for (const Run& one : runs) {
            if (one.state == state) {
                sum += std::max(0.0, std::min(one.to, to) - std::max(one.from, from));
            }
        }
        return sum;
    }

    /// The end of the last run in this state, or `otherwise`.
    [[nodiscard]] double last(std::uint32_t state, double otherwise) const {
        double end = otherwise;
        for (const Run& one : runs) {
            end = one.state == state ? std::max(end, one.to) : end;
        }
        return end;
    }
};

struct StreamOptions {
    double start = 0;
    bool settle = false;
};

/// One cache through the timeline's first class.
inline Recorder stream(const FlatTimeline& flat, const CacheModel& model, double rate,
                       std::uint64_t key, const StreamOptions& options = {}) {
    Recorder recorder;
    const auto with = [&](auto client) {
        using Stream = CacheStream<decltype(client), Recorder>;
        Stream cache(flat, model, client, recorder);
        typename Stream::Start start;
        start.rng = base::Rng(base::mix64(key * 0x9E3779B97F4A7C15ULL + 1));
        start.rate = rate;
        start.settle = options.settle;
        start.at = client.begin(flat.classes[0], start.rng, options.start);
        cache.run(flat.classes[0], start);
        client.finish(flat.duration);
    };
    if (model.client.present()) {
        with(StubClient<Recorder>(flat, model, recorder));
    } else {
        with(DirectClient<Recorder>(flat, model, recorder));
    }
    return recorder;
}

/// The largest distance between the sample and a law on [0, inf) that may have an atom at 0.
inline double ks_distance(std::vector<double> sample, const std::function<double(double)>& cdf) {
    std::sort(sample.begin(), sample.end());
    const auto n = static_cast<double>(sample.size());
    double most = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
        const bool last_of_ties = i + 1 == sample.size() || sample[i + 1] > sample[i];
        const double law = cdf(sample[i]);
        if (last_of_ties) {
            most = std::max(most, std::abs(static_cast<double>(i + 1) / n - law));
        }
        if (sample[i] > 0 && (i == 0 || sample[i - 1] < sample[i])) {
            most = std::max(most, std::abs(static_cast<double>(i) / n - law));
        }
    }
    return most;
}

/// The same between two samples without ties.
inline double ks_distance(std::vector<double> a, std::vector<double> b) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    double most = 0;
    std::size_t j = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        while (j < b.size() && b[j] <= a[i]) {
            ++j;
        }
        most = std::max(most, std::abs(static_cast<double>(i + 1) / static_cast<double>(a.size()) -
                                       static_cast<double>(j) / static_cast<double>(b.size())));
    }
    return most;
}

struct Mean {
    double value = 0;
    double error = 0;  // one standard error
};

inline Mean mean_of(const std::vector<double>& sample) {
    const auto n = static_cast<double>(sample.size());
    double sum = 0;
    for (const double one : sample) {
        sum += one;
    }
    double squares = 0;
    for (const double one : sample) {
        squares += (one - sum / n) * (one - sum / n);
    }
    return Mean{sum / n, std::sqrt(squares / (n - 1) / n)};
}

}  // namespace steerd::drill::testing
