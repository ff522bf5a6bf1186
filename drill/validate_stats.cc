// The law given the place of the switch in the second. With q = exp(-rate): a cycle is a life and
// the gap g before it, from one expiry to the next, and lasts B + floor(g) whole seconds, B being
// the life in whole seconds and g exponential. A moment at `phase` in the second is equally likely
// to be any of a cycle's seconds. So with E = B + q / (1 - q), the mean cycle, it finds the cache
//   waiting since k + phase          with weight exp(-rate (k + phase)), k = 0, 1, ...
//   fresh for another B - phase      with weight (1 - exp(-rate phase)) / (1 - q)
//   fresh for another B - j - phase  with weight 1, j = 1 .. B - 1
// each over E. What follows is a question of exponential gaps alone.
#include "drill/validate_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "base/rng.h"
#include "drill/cache_state.h"

namespace steerd::drill {

namespace {

constexpr double kCurveStepS = 0.5;
constexpr std::size_t kSimulatedCaches = 20'000;
constexpr double kPhaseNear = 0.02;  // simulated switches this close in the second count as equal

double mean(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double mean_absolute(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) {
        sum += std::abs(value);
    }
    return sum / static_cast<double>(values.size());
}

}  // namespace

WholeSecondLaw::WholeSecondLaw(const CacheModel& model, double ttl_s, double rate, double phase_s)
    : rate_(rate), phase_s_(phase_s) {
    const Lifetime life = lifetime_of(model, ttl_s, false);
    CHECK(life.floored && life.base_s >= 1);
    base_s_ = life.base_s;
    window_s_ = life.window_s;
}

/// `fresh(rest)` and `waiting(since)` weighed over the states that the switch can find.
template <class Fresh, class Waiting>
double WholeSecondLaw::mean_over_states(const Fresh& fresh, const Waiting& waiting) const {
    const double q = std::exp(-rate_);
    double sum = -std::expm1(-rate_ * phase_s_) / (1 - q) * fresh(base_s_ - phase_s_);
    for (double j = 1; j < base_s_; ++j) {
        sum += fresh(base_s_ - j - phase_s_);
    }
    // Those who have waited for longer than the window are all alike.
    double weight = std::exp(-rate_ * phase_s_);
    double since = phase_s_;
    for (; since < window_s_; ++since) {
        sum += weight * waiting(since);
        weight *= q;
    }
    sum += weight / (1 - q) * waiting(since);
    return sum / (base_s_ + q / (1 - q));
}

double WholeSecondLaw::old_share(double t_s) const {
    return mean_over_states(
        [&](double rest) {
            const double past = t_s - rest;
            return past < 0 ? 1.0 : past <= window_s_ ? std::exp(-rate_ * past) : 0.0;
        },
        [&](double since) { return since + t_s <= window_s_ ? std::exp(-rate_ * t_s) : 0.0; });
}

double WholeSecondLaw::first_new_cdf(double t_s) const {
    if (t_s < 0) {
        return 0;
    }
    // The next query brings it, or the one after where the next still falls into the window.
    const auto later = [this](double t, double window) {
        return std::exp(-rate_ * t) * (1 + rate_ * std::min(t, window));
    };
    return 1 - mean_over_states(
                   [&](double rest) { return t_s < rest ? 1.0 : later(t_s - rest, window_s_); },
                   [&](double since) { return later(t_s, std::max(0.0, window_s_ - since)); });
}

double WholeSecondLaw::stale_queries() const {
    return mean_over_states(
        [this](double rest) { return rate_ * rest - std::expm1(-rate_ * window_s_); },
        [this](double since) { return -std::expm1(-rate_ * std::max(0.0, window_s_ - since)); });
}

double ks_distance(std::span<double> sample, const std::function<double(double)>& cdf) {
    std::sort(sample.begin(), sample.end());
    const auto n = static_cast<double>(sample.size());
    double most = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
        const double law = cdf(sample[i]);
        most = std::max(
            {most, law - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - law});
    }
    return most;
}

double ks_critical(std::size_t count) { return 1.63 / std::sqrt(static_cast<double>(count)); }

Lifetimes lifetimes_of(const ResolverLog& log, const CacheModel& model, std::uint32_t first_name,
                       std::uint32_t end_name) {
    Lifetimes out;
    for (std::uint32_t name = first_name; name < end_name; ++name) {
        const auto is_it = [&](const LoggedFetch& fetch) { return fetch.name == name; };
        const auto first = std::find_if(log.fetches.begin(), log.fetches.end(), is_it);
        if (first == log.fetches.end()) {
            continue;
        }
        const auto next = std::find_if(first + 1, log.fetches.end(), is_it);
        if (next == log.fetches.end()) {
            continue;
        }
        const Lifetime life = lifetime_of(model, first->ttl_s, false);
        const Held held = hold_from(life, first->answered_s, first->second_s);
        const double measured = next->asked_s - first->answered_s;
        out.errors_s.push_back(measured - (held.fresh_until - held.fetched));
        out.excess_s.push_back(measured - first->ttl_s);
    }
    return out;
}

namespace {

/// How well the moments that a resolver saw are known: its clock may turn a kernel tick late (4
/// ms), and a datagram takes its time. A fetch just before a whole second, or a query just before
/// the fresh part ends, decides about a second or about one query more.
constexpr double kMoment_s = 0.01;

/// What the simulated cache does, given when it fetched and what it was asked.
double simulated_change(const Held& entry, const std::vector<const LoggedAnswer*>& answers,
                        double late_s) {
    double change = entry.old_until;
    for (const LoggedAnswer* answer : answers) {
        if (answer->sent_s + late_s > entry.fresh_until && answer->sent_s < change) {
            change = answer->sent_s;  // this query refreshes: old itself, the next is new
        }
    }
    return change;
}

/// Of the simulations that agree with what is known, the nearest to what was seen: old until
/// `last_old_s`, new from `first_new_s`.
double change_error(const LoggedFetch& fetch, const Lifetime& life,
                    const std::vector<const LoggedAnswer*>& answers, double last_old_s,
                    double first_new_s) {
    double least = std::numeric_limits<double>::infinity();
    for (const double fetched : {0.0, -kMoment_s, kMoment_s}) {
        const Held entry = hold_from(life, fetch.answered_s + fetched, fetch.second_s);
        for (const double late : {0.0, -kMoment_s, kMoment_s}) {
            const double change = simulated_change(entry, answers, late);
            const double error = change < last_old_s    ? change - last_old_s
                                 : change > first_new_s ? change - first_new_s
                                                        : 0.0;
            if (std::abs(error) < std::abs(least)) {
                least = error;
            }
        }
    }
    return least;
}

}  // namespace

Flips flips_of(const ResolverLog& log, const RunFacts& facts) {
    std::vector<const LoggedFetch*> held(facts.names, nullptr);  // the last before the switch
    for (const LoggedFetch& fetch : log.fetches) {
        if (fetch.name < facts.names && fetch.answered_s <= facts.switch_s) {
            held[fetch.name] = &fetch;
        }
    }
    std::vector<std::vector<const LoggedAnswer*>> answers(facts.names);
    for (const LoggedAnswer& answer : log.answers) {
        if (answer.name < facts.names) {
            answers[answer.name].push_back(&answer);
        }
    }
    Flips out;
    for (std::uint32_t name = 0; name < facts.names; ++name) {
        if (held[name] == nullptr || !held[name]->old) {
            continue;
        }
        const Lifetime life = lifetime_of(facts.model, held[name]->ttl_s, false);
        double last_old = held[name]->answered_s;
        const LoggedAnswer* first_new = nullptr;
        std::uint64_t stale = 0;
        for (const LoggedAnswer* answer : answers[name]) {
            if (answer->got_s < facts.switch_s) {
                continue;
            }
            if (answer->old) {
                last_old = std::max(last_old, answer->sent_s);
                ++stale;
            } else if (first_new == nullptr) {
                first_new = answer;
            }
        }
        if (first_new == nullptr) {
            continue;
        }
        out.names.push_back(name);
        out.stale += stale;
        out.first_new_s.push_back(first_new->sent_s - facts.switch_s);
        out.errors_s.push_back(
            change_error(*held[name], life, answers[name], last_old, first_new->got_s));
    }
    return out;
}

std::optional<double> steady_ttl(const ResolverLog& log, const RunFacts& facts) {
    std::optional<double> ttl;
    for (const LoggedFetch& fetch : log.fetches) {
        if (fetch.name < facts.names && fetch.answered_s <= facts.switch_s) {
            if (ttl && *ttl != fetch.ttl_s) {
                return std::nullopt;
            }
            ttl = fetch.ttl_s;
        }
    }
    return ttl;
}

OldCurve simulated_curve(const RunFacts& facts, double ttl_s, std::uint64_t seed,
                         std::span<const double> times_s) {
    const StationaryLaw law(lifetime_of(facts.model, ttl_s, false), 1 / facts.rate);
    // Drawn near the place of the switch in the second, never across the turn of the second, where
    // a cache is a whole second older; then moved there, or the steps of the curve would be
    // blurred.
    const double phase = facts.switch_s - facts.second_s;
    const double centre = std::clamp(phase, kPhaseNear, 1 - kPhaseNear);
    base::Rng rng(seed);
    std::vector<std::size_t> old(times_s.size(), 0);
    std::size_t caches = 0;
    while (caches < kSimulatedCaches) {
        const Stationary state = law.at(0, rng);
        const double at = -state.held.second - std::floor(-state.held.second);
        if (std::abs(at - centre) > kPhaseNear) {
            continue;
        }
        ++caches;
        // Old until a query refreshes it: the first one after the fresh part.
        const double moved = at - phase;
        const double query = state.next_query + (state.held.fresh_until > 0 ? moved : 0);
        const double until = std::min(query, state.held.old_until + moved);
        for (std::size_t i = 0; i < times_s.size(); ++i) {
            old[i] += times_s[i] < until ? 1 : 0;
        }
    }
    OldCurve curve;
    for (std::size_t i = 0; i < times_s.size(); ++i) {
        curve.emplace_back(times_s[i], static_cast<double>(old[i]) / static_cast<double>(caches));
    }
    return curve;
}

namespace {

/// By step: which part of the answers to these names was still old.
OldCurve observed_curve(const ResolverLog& log, const RunFacts& facts, const Flips& flips,
                        std::size_t steps) {
    std::vector<bool> counts(facts.names, false);
    for (const std::uint32_t name : flips.names) {
        counts[name] = true;
    }
    std::vector<std::size_t> all(steps, 0);
    std::vector<std::size_t> old(steps, 0);
    for (const LoggedAnswer& answer : log.answers) {
        const double t = answer.got_s - facts.switch_s;
        if (answer.name >= facts.names || !counts[answer.name] || t < 0) {
            continue;
        }
        const auto step = static_cast<std::size_t>(t / kCurveStepS);
        if (step < steps) {
            ++all[step];
            old[step] += answer.old ? 1 : 0;
        }
    }
    OldCurve curve;
    for (std::size_t i = 0; i < steps; ++i) {
        if (all[i] > 0) {
            curve.emplace_back((static_cast<double>(i) + 0.5) * kCurveStepS,
                               static_cast<double>(old[i]) / static_cast<double>(all[i]));
        }
    }
    return curve;
}

void hold_against_theory(const ResolverLog& log, const RunFacts& facts, Flips& flips,
                         std::uint64_t seed, ResolverFigures& out) {
    const auto ttl = steady_ttl(log, facts);
    if (!ttl || lifetime_of(facts.model, *ttl, false).base_s < 1) {
        out.complaints.push_back("no closed form: its fetches carried TTLs that changed");
        return;
    }
    const WholeSecondLaw law(facts.model, *ttl, facts.rate, facts.switch_s - facts.second_s);
    out.ks = ks_distance(flips.first_new_s, [&](double t) { return law.first_new_cdf(t); });
    out.ks_critical = ks_critical(flips.first_new_s.size());
    if (*out.ks > *out.ks_critical) {
        out.complaints.push_back(fmt::format("distance to the closed form {:.3f}, at most {:.3f}",
                                             *out.ks, *out.ks_critical));
    }
    out.stale_observed = static_cast<double>(flips.stale) / static_cast<double>(flips.names.size());
    out.stale_theory = law.stale_queries();
    const auto steps = static_cast<std::size_t>(std::ceil((law.last_moment_s() + 2) / kCurveStepS));
    std::vector<double> times;
    for (std::size_t i = 0; i <= 4 * steps; ++i) {
        times.push_back(static_cast<double>(i) * kCurveStepS / 4);
        out.closed_form.emplace_back(times.back(), law.old_share(times.back()));
    }
    out.simulation = simulated_curve(facts, *ttl, seed, times);
    out.curve = observed_curve(log, facts, flips, steps);
}

}  // namespace

ResolverFigures figures_of(const ResolverLog& log, const RunFacts& facts, std::uint64_t seed) {
    ResolverFigures out;
    out.names = facts.names;
    out.logged_fetches = log.fetches.size();
    out.failed = log.failed;
    const Lifetimes lives =
        lifetimes_of(log, facts.model, facts.names, facts.names + facts.clocked);
    out.lifetimes = lives.errors_s.size();
    if (2 * lives.errors_s.size() < facts.clocked || lives.errors_s.empty()) {
        out.complaints.push_back(fmt::format("only {} of {} lives were seen to their end",
                                             lives.errors_s.size(), facts.clocked));
    } else {
        out.lifetime_error_s = mean_absolute(lives.errors_s);
        out.lifetime_excess_s = mean(lives.excess_s);
        if (*out.lifetime_error_s > kMostLifetimeErrorS) {
            out.complaints.push_back(
                fmt::format("lives are off by {:.3f} s in the mean, at most {:.1f} s",
                            *out.lifetime_error_s, kMostLifetimeErrorS));
        }
    }
    Flips flips = flips_of(log, facts);
    out.flips = flips.names.size();
    if (flips.names.size() < std::min<std::size_t>(facts.names, kLeastFlips)) {
        out.complaints.push_back(fmt::format("only {} names changed, at least {} must",
                                             flips.names.size(),
                                             std::min<std::size_t>(facts.names, kLeastFlips)));
    }
    if (flips.names.empty()) {
        return out;
    }
    double worst = 0;
    for (const double error : flips.errors_s) {
        worst = std::max(worst, std::abs(error));
    }
    out.flip_error_s = worst;
    if (worst > kMostFlipErrorS) {
        out.complaints.push_back(
            fmt::format("a name changed {:.2f} s from its simulation, at most "
                        "{:.1f} s",
                        worst, kMostFlipErrorS));
    }
    hold_against_theory(log, facts, flips, seed, out);
    return out;
}

}  // namespace steerd::drill
