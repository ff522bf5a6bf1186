// The configuration of a live drill: a private copy in which every address stands on loopback and
// everything that would reach further is replaced, each replacement told in a note. What steers and
// times stays as written: routes, TTLs, intervals, fall, rise, geo data. IPv4 alone: of IPv6 there
// is one loopback address only, so the addresses of the asked type are mapped one to one into
// 127.0.0.0/8 and the others are left out. Pure but for reading the configuration file again.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/problem.h"
#include "config/rewrite.h"
#include "drill/live_site.h"
#include "drill/scenario.h"

namespace steerd::drill {

/// More sites would be more processes than a drill should start.
inline constexpr std::size_t kMostSites = 256;

struct LiveEndpoint {
    std::vector<base::IpAddress> real;  // those that are mapped; empty for a CNAME target
    std::vector<base::IpAddress> live;
};

/// What stands for what.
struct LiveLayout {
    base::IpAddress server, client;
    std::vector<LiveEndpoint> endpoints;  // by EndpointId
    std::vector<SitePlan> sites;          // each live address once, with its ports
    std::vector<std::uint16_t> ports;     // by probe
    std::vector<std::string> notes;       // sentences for the report
};

/// Addresses from 127.x.y.0 on, `network` being x and y. The ports are still 0.
[[nodiscard]] LiveLayout lay_out(const Scenario& scenario, const Bound& bound,
                                 std::uint16_t network, base::Problems& problems);

/// Gives the probes their ports, in the layout and its sites.
/// REQUIRES: one for each probe.
void set_ports(const Bound& bound, const std::vector<std::uint16_t>& ports, LiveLayout& layout);

/// Names besides the drilled one: a wildcard with the same route, under the label kNamesLabel.
struct LiveNames {
    bool wanted = false;
    std::optional<std::uint32_t> ttl_s;  // without a countdown; nullopt: the same TTLs
};

/// The copy; its state and admin socket lie in `folder`.
[[nodiscard]] config::TomlNode live_config(const Scenario& scenario, const Bound& bound,
                                           const LiveLayout& layout,
                                           const std::filesystem::path& folder,
                                           const LiveNames& names);

inline constexpr std::string_view kNamesLabel = "steerd-drill";
inline constexpr std::string_view kAdminSocket = "admin.sock";

/// The weight of one member, as the event says; false where the route has no such member.
[[nodiscard]] bool set_weight(config::TomlNode& root, const ScenarioEvent& event);

}  // namespace steerd::drill
