// Model, zones and world to a Plan: trees, views, steered names; the load-time problems that only
// the whole can show. Thread rule: load plane, any one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/problem.h"
#include "policy/plan.h"

namespace steerd::policy {

/// Views together take at most this much; beyond it the least used share one table.
inline constexpr std::size_t kViewBytesMax = std::size_t{256} << 20;

/// A zone to be served: its steer table in force and its data; nullptr data answers SERVFAIL (and
/// has no steered names).
///
/// The RouteIds of `config` are those of PlanInput::model. Who keeps an older table beside a newer
/// model translates them by route name first (remapped_steer), and swaps nothing when one is gone.
struct ZoneInput {
    std::shared_ptr<const config::ZoneConfig> config;
    std::shared_ptr<const zones::Zone> zone;
};

struct PlanInput {
    std::shared_ptr<const config::Model> model;
    std::shared_ptr<const geo::World> world;
    std::vector<ZoneInput> zones;
    /// Views of the plan before this one may be taken over when world and shape are the same.
    std::shared_ptr<const Plan> previous;
    std::size_t view_bytes_max = kViewBytesMax;
    /// Keeps outsiders from choosing names that collide in hash tables.
    std::uint64_t hash_seed = 0;
    dns::CookieSecrets cookies;
};

/// A zone's steer table of an older model, its routes looked up by name in a newer one; nullptr
/// when a route is gone (its name is then in `missing`).
[[nodiscard]] std::shared_ptr<const config::ZoneConfig> remapped_steer(
    const config::ZoneConfig& table, const config::Model& from, const config::Model& to,
    std::string& missing);

/// nullptr when `problems` got an error (an NS of one zone that names a steered name of another, a
/// CNAME target that leads back to itself through our own zones).
[[nodiscard]] std::shared_ptr<const Plan> compile(const PlanInput& input, base::Problems& problems);

}  // namespace steerd::policy
