// What explain shows: each step of a decision with its reason. Filled only when asked for; the same
// code decides either way. Thread rule: one owner.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "geo/place.h"
#include "policy/decide.h"

namespace steerd::policy {

/// Reasons of a latency route's members that ranks alone tell; whoever knows the estimates says
/// where there is none.
inline constexpr std::string_view kLowestEstimate = "lowest estimate";
inline constexpr std::string_view kHigherEstimate = "higher estimate";

struct StepMember {
    std::string name;
    std::string health;  // "up", "unknown", "degraded", "down", "drained"; of a route its rank
    std::optional<double> rtt_ms;  // latency routes
    std::string rtt_source;        // "latency.csv 203.0.113.0/24", "model", ""
    /// What the figure stands on: "12 samples, 3 days old", "its country's largest city", and a row
    /// that was too thin or too old to count; or "".
    std::string rtt_detail;
    std::optional<std::uint32_t> rtt_samples;  // of a row that says so
    std::optional<double> rtt_age_days;
    std::string region;  // the one whose estimate counted here, or ""
    double share = 0;    // of the draws at this step, for this client
    bool chosen = false;
    std::string reason;  // "lowest estimate", "down", "held by failback", ...
};

struct Step {
    std::string route;
    config::Policy policy{};
    std::vector<StepMember> members;
};

struct Trace {
    base::IpPrefix client;  // what the decision was made for (ECS source or full address)
    bool from_ecs = false;
    geo::Place place;
    std::string finding;  // "steered", "records", "delegation", "nxdomain", ...
    std::string zone;
    std::string route;  // root route of the steered name, or empty
    std::vector<std::string> endpoints;
    std::uint32_t ttl_s = 0;
    unsigned scope = 0;
    bool fail_open = false;
    std::vector<Step> steps;  // the root first
};

}  // namespace steerd::policy
