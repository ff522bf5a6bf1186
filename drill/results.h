// The figures of a drill, as values: what the report prints and [expect] is held against.
// Names follow product.md §6 and §9. Seconds are counted from the event unless said otherwise;
// nullopt where the thing did not happen before the target recovered or the drill ended.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace steerd::drill {

struct Quantiles {
    std::optional<double> p50, p90, p95,
        p99;  // time until the share still on it stays at or below 50, 10, 5, 1 %
};

struct Residual {
    std::optional<double> after_15m, after_1h, after_1d;
};

struct ClassFigures {  // one resolver class
    Quantiles moved;
    Residual residual;
};

struct EventFigures {
    double at_s = 0;
    std::string what;  // kill, blackhole, ...
    std::string target;
    bool takes_out = false;
    std::optional<double> first_failed_s, detect_s, switch_s;
    Quantiles moved;
    Residual residual;
    double error_seconds_per_client = 0;  // over the demand that was on it
    std::uint64_t requests_lost = 0;
    std::uint64_t requests = 0;  // all demand from the event to the next recovery or the end
    double share_on_it = 0;      // of all demand, at the event
    std::map<std::string, ClassFigures> by_class;
    std::optional<double> switch_back_s;  // after the recovery: until all answers are as before
    std::uint32_t flaps = 0;
};

/// One event under a TTL that counts down and under the same TTL that does not.
struct CountdownEvent {
    std::size_t event = 0;           // into Results::events
    std::optional<double> window_s;  // from the first failed check to the switch
    Quantiles counting, fixed;       // seconds after the switch
    std::map<std::string, std::array<std::optional<double>, 2>> p99_by_class;  // in that order
};

/// What `ttl_min` buys: the drill once more without it, the same seed.
struct CountdownFigures {
    std::uint32_t ttl_s = 0, ttl_min_s = 0;
    std::vector<CountdownEvent> events;  // those that take out what the name is answered with
};

struct LoadFigures {
    double before_qps = 0, peak_qps = 0;
    std::optional<double> capacity;
};

struct CurvePoint {
    double t_s = 0;                // since the start
    double clients_on_dead = 0;    // share of all demand
    std::vector<double> by_class;  // the same, split by resolver class
    std::vector<double> load_qps;  // by endpoint (order of Results::endpoints)
    double authoritative_qps = 0;
};

struct RegionFigures {  // one row of the table by region of the demand
    std::string place;
    double qps = 0;
    std::optional<double> rtt_before_ms, rtt_during_ms;
    std::uint64_t requests_lost = 0;
};

struct Results {
    std::uint64_t seed = 0;
    std::string mode = "virtual";
    std::vector<std::string> endpoints;
    std::vector<std::string> classes;
    std::vector<EventFigures> events;
    std::map<std::string, LoadFigures> load;
    // Where there is such a time.
    std::optional<double> authoritative_before_qps, authoritative_during_qps,
        authoritative_after_qps;
    std::uint32_t switches = 0;
    std::vector<CurvePoint> curve;
    std::vector<CurvePoint> closed_form;  // only t_s and clients_on_dead; empty where none applies
    std::vector<RegionFigures> regions;
    std::optional<CountdownFigures> countdown;  // where the name has a ttl_min
    std::vector<std::string> assumptions;       // each a sentence for the report
    std::vector<std::string> notes;
};

}  // namespace steerd::drill
