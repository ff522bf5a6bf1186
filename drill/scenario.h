// A drill as its file tells it: which configuration and name, who asks through which resolvers,
// what breaks when, and what is expected (product.md §6). Reading needs the file alone;
// bind_scenario() then looks up names and targets in the configuration. Both collect every problem
// with its place. Deliberately knows nothing of time passing: virtual.h runs it. Thread rule: plain
// values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/problem.h"
#include "config/model.h"
#include "drill/expect.h"
#include "drill/population.h"
#include "drill/sweep_grid.h"
#include "policy/decide.h"
#include "policy/plan.h"

namespace steerd::drill {

enum class EventKind : std::uint8_t {
    Kill,       // refuses at once
    Blackhole,  // never answers
    Hang,       // the server alone: stopped, neither answers nor probes
    Slow,       // answers after `delay`
    Gray,       // a share `fail` of what it is asked fails, all of it after `delay`
    Flap,       // the first `duty` of each `period` it is as killed
    Recover,
    Drain,  // an operator's order
    Release,
    Weight,     // a changed configuration
    Partition,  // probes of the target are cut off, clients reach it
};

[[nodiscard]] std::string_view to_text(EventKind kind) noexcept;

struct ScenarioEvent {
    base::Duration at{};
    EventKind kind = EventKind::Kill;
    std::string target;       // "tokyo", "region:tokyo" or "server"
    base::Duration delay{};   // slow, gray
    double fail = 0;          // gray
    base::Duration period{};  // flap
    double duty = 0.5;        // flap
    std::string route;        // weight
    std::uint32_t weight = 0;
    bool force = false;  // drain: also where it leaves a name without candidates
    base::SourcePos pos;

    [[nodiscard]] bool on_server() const noexcept { return target == "server"; }
};

/// Who asks. One of place, network and location; a location may say its place beside it.
struct ScenarioDemand {
    std::optional<config::Match> place;  // a network is one, too
    std::optional<geo::Location> location;
    std::string label;  // for tables: "JP", "203.0.113.0/24"
    DemandSpec spec;
    base::SourcePos pos;
};

enum class AskedType : std::uint8_t { A, Aaaa };

struct Scenario {
    std::filesystem::path file;
    std::filesystem::path config;
    std::string name;
    base::SourcePos name_at;
    base::Duration duration{};
    std::uint64_t seed = 1;
    AskedType type = AskedType::A;
    std::string population_name;  // of a preset; empty: listed
    Population population;
    std::vector<ScenarioDemand> demands;
    std::vector<ScenarioEvent> events;  // by time
    std::vector<Expectation> expect;
    std::optional<SweepGrid> sweep;

    [[nodiscard]] policy::Ask ask() const noexcept {
        return type == AskedType::A ? policy::Ask::A : policy::Ask::Aaaa;
    }
};

/// What could be read even where there were problems, so that the rest can be checked too; the
/// config is empty where the file does not say it.
struct ReadScenario {
    Scenario scenario;
    base::Problems problems;
};

[[nodiscard]] ReadScenario read_scenario(const std::filesystem::path& file);
/// The same from memory; `file` names it in problems and is what paths are relative to.
[[nodiscard]] ReadScenario read_scenario_text(std::string_view text,
                                              const std::filesystem::path& file);

/// Networks that stand for demand at coordinates: the server is loaded with them, so that such
/// clients are steered by the very code that steers all others.
[[nodiscard]] std::vector<config::NetworkConfig> location_networks(const Scenario& scenario);
/// The prefix of one of them.
[[nodiscard]] base::IpPrefix location_prefix(std::size_t demand);

/// A scenario's names in a plan.
struct Bound {
    std::shared_ptr<const policy::Plan> plan;
    policy::SteeredId steered{};
    dns::Name name;
    /// By event: the endpoints of its target that the name may be answered with (all of the target
    /// where none may); empty for the server.
    std::vector<std::vector<policy::EndpointId>> endpoints;
};

/// nullopt where `problems` got an error.
[[nodiscard]] std::optional<Bound> bind_scenario(const Scenario& scenario,
                                                 std::shared_ptr<const policy::Plan> plan,
                                                 base::Problems& problems);

}  // namespace steerd::drill
