// From the logs of real resolvers to figures: how long entries lived, when each name changed, and
// how far both are from the simulated cache and from theory.
// Theory here is the law of closed_form.h given where in the second the switch fell: real caches
// expire on whole seconds of one clock, all caches of a run see one switch, and so its place in the
// second moves every change by up to half a second, which a test over 200 names would take for an
// error. Averaged over that place it is the law of closed_form.h again, which a test checks.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "drill/cache.h"
#include "drill/validate_figures.h"
#include "drill/validate_log.h"

namespace steerd::drill {

/// A cache whose lives end on whole seconds, asked at random moments (Poisson), in its stationary
/// state when the answer changes `phase_s` after a whole second. REQUIRES: rounding is not Exact,
/// and the answer is cached at all.
class WholeSecondLaw {
  public:
    WholeSecondLaw(const CacheModel& model, double ttl_s, double rate, double phase_s);

    /// The chance that a query `t_s` after the change gets the old answer.
    [[nodiscard]] double old_share(double t_s) const;
    /// The chance that the first new answer comes within `t_s` of the change.
    [[nodiscard]] double first_new_cdf(double t_s) const;
    /// Expected queries that get the old answer.
    [[nodiscard]] double stale_queries() const;

    /// No old answer later than this.
    [[nodiscard]] double last_moment_s() const { return base_s_ + window_s_; }

  private:
    template <class Fresh, class Waiting>
    [[nodiscard]] double mean_over_states(const Fresh& fresh, const Waiting& waiting) const;

    double base_s_ = 0, window_s_ = 0, rate_ = 1, phase_s_ = 0;
};

/// The largest distance between the sample and the law; the sample is sorted in place.
[[nodiscard]] double ks_distance(std::span<double> sample,
                                 const std::function<double(double)>& cdf);
/// Its bound at the 1 % level.
[[nodiscard]] double ks_critical(std::size_t count);

/// Measured lives less the model's, and less the TTL, for the names whose first two fetches
/// enclose a life that was watched densely up to its end.
struct Lifetimes {
    std::vector<double> errors_s, excess_s;
};

[[nodiscard]] Lifetimes lifetimes_of(const ResolverLog& log, const CacheModel& model,
                                     std::uint32_t first_name, std::uint32_t end_name);

/// What is known of a run besides its logs.
struct RunFacts {
    CacheModel model;
    double rate = 0;
    double switch_s = 0;        // from then on the server gave new answers
    double second_s = 0;        // the last whole second of the wall clock before that
    std::uint32_t names = 0;    // asked at random: 0 .. names - 1
    std::uint32_t clocked = 0;  // names behind those whose lives were watched
};

struct Flips {
    std::vector<double> first_new_s;   // since the switch
    std::vector<double> errors_s;      // change less what the simulated cache does with that fetch
    std::uint64_t stale = 0;           // old answers after the switch
    std::vector<std::uint32_t> names;  // those that held an old answer at the switch and changed
};

/// Names whose last fetch before the switch was old; without one it does not count.
[[nodiscard]] Flips flips_of(const ResolverLog& log, const RunFacts& facts);

/// The TTL that all fetches before the switch carried; nullopt where they differ.
[[nodiscard]] std::optional<double> steady_ttl(const ResolverLog& log, const RunFacts& facts);

/// Simulated caches of the model in their stationary state, asked for their part of old answers.
[[nodiscard]] OldCurve simulated_curve(const RunFacts& facts, double ttl_s, std::uint64_t seed,
                                       std::span<const double> times_s);

/// All figures of one resolver and the bounds it broke; the names and version are left empty.
[[nodiscard]] ResolverFigures figures_of(const ResolverLog& log, const RunFacts& facts,
                                         std::uint64_t seed);

}  // namespace steerd::drill
