// Counts what the streams report, in integers only, so that the order of adding never shows: demand
// by answer on a grid, what the events took out, lost requests, fetches at the authority. The plan
// is made once and shared; each thread counts into a Measure of its own and they are merged at the
// end. Thread rule: a plan is immutable; a Measure has one owner.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "drill/measure_plan.h"
#include "drill/results.h"

namespace steerd::drill {

// Units of the integers: requests per second, requests, caches. Room for 10^10 qps over days.
inline constexpr double kRateUnit = 0x1.0p-26;
inline constexpr double kRequestUnit = 0x1.0p-16;
inline constexpr double kCacheUnit = 0x1.0p-24;

[[nodiscard]] inline std::int64_t to_units(double value, double unit) noexcept {
    const double units = value * (1 / unit);  // units are powers of two: exact, and no division
    return static_cast<std::int64_t>(units + (units < 0 ? -0.5 : 0.5));
}

/// What the next stream stands for.
struct Stream {
    double rate = 0;          // requests per second of its clients
    double caches = 0;        // how many caches it stands for
    std::uint32_t group = 0;  // into MeasurePlan::classes
    std::uint32_t cell = 0;
};

class Measure {
  public:
    explicit Measure(const MeasurePlan& plan);
    void stand_for(const Stream& stream) noexcept;

    /// One more of the kind that stand_for() told.
    void stand_for_another() noexcept {
        total_rate += rate_;
        place_->rate += rate_;
    }

    void run(double from, double to, std::uint32_t state) noexcept;
    void flow(double from, double to, double rate) noexcept;

    void fetch(double at) noexcept {
        if (at >= 0) {
            // Signed: one instruction.
            fetches_.data()[static_cast<std::int64_t>(at * per_step_)] += caches_;
            phase_fetches_[at < first_event_ ? 0 : (at < during_ends_ ? 1 : 2)] += caches_;
        }
    }

    void merge(const Measure& other) noexcept;

    /// Instead of counted fetches: this cache is known to fetch so often before the first event.
    void expect_fetches(double per_second) noexcept {
        formula_fetches += to_units(stream_.caches * per_second, kCacheUnit);
    }

    struct EventCount {
        std::vector<std::int64_t> on;  // by class, then point: changes of the rate that is on it
        std::int64_t lost = 0;         // requests to it that failed
        std::int64_t unserved = 0, unserved_rate = 0;  // with nothing to go to; that rate at `at`
    };

    struct PlaceCount {
        std::int64_t rate = 0, lost = 0;
        std::int64_t rtt[2] = {0, 0}, timed[2] = {0, 0};  // request-ms, requests; before and during
    };

    // Written by the calls above alone.
    std::vector<std::int64_t> demand;  // by state, then point: changes of the rate
    std::vector<std::int64_t> dead;    // by class, then point: changes of the rate
    std::vector<EventCount> events;
    std::vector<PlaceCount> places;
    std::int64_t total_rate = 0;
    std::int64_t formula_fetches = 0;  // caches per second, where fetches are not counted

    [[nodiscard]] std::span<const std::int64_t> fetches() const noexcept { return fetches_; }

    [[nodiscard]] std::int64_t fetches_in(std::size_t phase) const noexcept {
        return phase_fetches_[phase];
    }

  private:
    /// A run within the drill, and the grid point at which it ends.
    struct Span {
        double from = 0, to = 0;
        std::size_t last = 0;
    };

    void run_noticed(const Span& span, std::uint32_t state) noexcept;
    void run_event(std::size_t event, double from, double to, std::uint32_t state) noexcept;
    void run_place(double from, double to, std::uint32_t state) noexcept;
    [[nodiscard]] double failing_s(const std::vector<Use>& use, double from,
                                   double to) const noexcept;

    const MeasurePlan& plan_;
    // What the innermost calls read, kept near.
    double per_step_, duration_;
    std::size_t points_;
    const std::uint8_t* quiet_;
    double first_event_, during_ends_;
    std::vector<std::int64_t> fetches_;
    std::int64_t phase_fetches_[3] = {0, 0, 0};
    Stream stream_;
    PlaceCount* place_ = nullptr;  // of the stream
    std::int64_t rate_ = 0, caches_ = 0;
};

/// Figures and curves from the merged counts.
[[nodiscard]] Results results_of(const Timeline& timeline, const MeasurePlan& plan,
                                 const Measure& counts, const EngineOptions& options);

}  // namespace steerd::drill
