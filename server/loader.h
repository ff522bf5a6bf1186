// Path of a configuration: load, check, compile. `check`, `explain`, `serve` and a reload all enter
// here, so that what check says is what serve does (product.md "Reload").
// Blocks on files; the packet path never waits for it. Thread rule: one load at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/problem.h"
#include "geo/load.h"
#include "policy/plan.h"

namespace steerd::server {

struct LoadOptions {
    /// What is served now: zones that are bad keep its copies. nullptr: a start.
    std::shared_ptr<const policy::Plan> previous;
    /// The configuration this process was started with: its [server] and [admin] stay in force
    /// until a restart. nullptr: a start.
    std::shared_ptr<const config::Model> running;
    /// Called once the configuration is read, before zones and geo files are: a start binds its
    /// sockets there, so that queries wait in the kernel while the rest is loaded.
    std::function<void(const config::Model&)> on_config;
    /// LoadedPlan::geo_key of the load that made `previous`: where nothing about [geo] or its files
    /// changed, the world is taken over and its views with it.
    std::string previous_geo_key;
    /// Keep last good copies of geo files under state_dir, and fall back to them.
    bool use_state_dir = false;
    /// check: a zone or geo file that is bad is an error that fails; serve goes on without it.
    bool strict = false;
    /// Beside those of the configuration: what a drill's demand at coordinates stands on.
    std::vector<config::NetworkConfig> more_networks;
};

struct LoadedPlan {
    /// nullptr when nothing may be swapped in (or, at a start, nothing can be served).
    std::shared_ptr<const policy::Plan> plan;
    std::shared_ptr<const config::Model> model;  // may be there although plan is not
    std::vector<std::string> wait_for_restart;   // what changed and is not in force: "[server]"
    base::Problems problems;                     // everything found, warnings included
    std::vector<geo::GeoSource> geo_sources;
    std::vector<std::string> notes;  // to be logged at start
    /// What the world was made of: keys and the identity of each file.
    std::string geo_key;
    /// Something was refused although the rest was swapped in: a zone kept its last good copy, a
    /// geo file was replaced by an older one.
    bool partly_refused = false;
};

/// Where memory is refused nothing is loaded, and the problems say so.
[[nodiscard]] LoadedPlan load_plan(const std::filesystem::path& file, const LoadOptions& options);

}  // namespace steerd::server
