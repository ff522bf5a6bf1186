// What is counted in a drill, made once from the timeline: the grids, who is on what under each
// answer, when which endpoint is out and which share of its requests fails.
// Thread rule: immutable once made; share freely.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "drill/engine_timeline.h"

namespace steerd::drill {

struct EngineOptions;

struct Use {
    std::uint32_t endpoint = 0;
    double share = 0;  // of the clients that hold the answer
};

/// While some event holds the endpoints of an answer out: the share of its clients that is on them.
struct DeadSpan {
    double from = 0, to = 0, share = 0;
};

/// The integral over time of the share of an endpoint's requests that fail.
class FailingIntegral {
  public:
    void add(double from, double failing);

    [[nodiscard]] double until(double t) const noexcept {
        if (knots_.empty() || t <= knots_.front().from) {
            return 0;
        }
        const Knot& knot = t >= knots_.back().from ? knots_.back() : knot_at(t);
        return knot.before + (t - knot.from) * knot.failing;
    }

    [[nodiscard]] bool ever() const noexcept { return ever_; }

  private:
    struct Knot {
        double from, failing, before;
    };

    [[nodiscard]] const Knot& knot_at(double t) const noexcept;

    std::vector<Knot> knots_;
    bool ever_ = false;
};

struct EventPlan {
    double at = 0, ends = 0;  // within the drill
    double before = 0;        // a moment before `at`, when what was on it still is
    double step = 0.1, per_step = 10;
    std::size_t points = 1;             // before + k * step for k < points
    bool server = false;                // takes the server out, not endpoints
    std::vector<double> on;             // by state: the share of its clients that is on the target
    std::vector<std::vector<Use>> use;  // by state: the endpoints of the target only
};

struct MeasurePlan {
    double duration = 0;
    double step = 1;
    std::size_t points = 1;  // k * step for k < points
    std::uint32_t states = 1;
    std::size_t endpoints = 0;
    std::vector<std::vector<Use>> use;        // by state
    std::vector<std::vector<DeadSpan>> dead;  // by state
    std::vector<std::uint8_t> unserved;       // by state: nothing to go to
    std::vector<std::uint8_t> harmful;        // by state: some of its requests may fail
    std::vector<std::uint8_t> quiet;          // by state: only demand is counted
    std::vector<FailingIntegral> failing;     // by endpoint
    std::vector<EventPlan> events;
    std::vector<std::string> classes;  // names as reported
    std::vector<std::string> places;   // names as reported
    std::vector<std::uint32_t> place_of_cell;
    double first_event = kForever;     // `before` ends
    double during_ends = kForever;     // and `after` begins
    double disturbed_ends = kForever;  // for round trips: `during` is from the first event to here
    const std::vector<std::vector<double>>* rtt_ms = nullptr;
};

/// `classes`: names as reported, each once.
[[nodiscard]] MeasurePlan plan_measure(const Timeline& timeline, std::vector<std::string> classes,
                                       const EngineOptions& options);

}  // namespace steerd::drill
