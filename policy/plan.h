// The configuration compiled for deciding: endpoints with their address slots, one tree for each
// route that a steered name names, views, steered names. Immutable and shared between snapshots:
// health changes make a new HealthState beside the same Plan, a reload makes a new Plan.
// Thread rule: immutable after compile.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "dns/cookie.h"
#include "dns/name.h"
#include "zones/zone_set.h"

namespace steerd::geo {
class World;
}

namespace steerd::policy {

using config::EndpointId;
using config::RegionId;
using config::RouteId;

enum class SlotId : std::uint32_t {};     // one address of one endpoint, or one CNAME target
enum class TreeId : std::uint32_t {};     // a root route with all that stands under it
enum class ViewId : std::uint32_t {};     // a table of classes, shared by trees of one shape
enum class SteeredId : std::uint32_t {};  // a steered name

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// More addresses in one endpoint are an error at load, so that a decision has a bound.
inline constexpr std::size_t kMaxEndpointAddresses = 64;
inline constexpr std::size_t kMaxAnswers = 32;

struct Slot {
    EndpointId endpoint{};
    base::IpAddress address;  // meaningless for a CNAME target
    bool cname = false;
};

/// An endpoint's slots stand together: first IPv4, then IPv6; or one for the CNAME target.
struct Endpoint {
    std::string name;
    std::uint32_t first_slot = 0;
    std::uint16_t v4_count = 0;
    std::uint16_t v6_count = 0;
    bool cname = false;
    bool probed = false;
    dns::Name target;              // when cname
    std::uint32_t region = kNone;  // RegionId, or kNone
    std::uint64_t name_hash = 0;   // for rendezvous: XXH3, seed 0, alike on every node
};

/// A member in a tree: an endpoint, or another route of the same tree (by its place in it).
struct TreeMember {
    bool is_endpoint = true;
    std::uint32_t target = 0;  // EndpointId, or index into Tree::routes
    std::uint32_t weight = 1;
    std::uint64_t name_hash = 0;  // of the member's name
};

/// A route as it stands in one tree.
struct TreeRoute {
    RouteId route{};
    config::Policy policy = config::Policy::Failover;
    std::uint32_t first_member = 0;  // into Tree::members
    std::uint32_t member_count = 0;
    std::uint32_t view_slot = kNone;  // geo, latency: which order of the class is this route's
    std::uint32_t min_available = 1;
    std::uint32_t max_answers = 8;
    bool sticky = false;
    bool remembers = false;  // failover whose failback is not auto
    /// latency: the distinct regions under it; a class orders indexes into this list.
    std::vector<RegionId> regions;
};

struct Tree {
    RouteId root{};
    std::vector<TreeRoute> routes;  // each route once; the root first, then in the order first met
    std::vector<TreeMember> members;
    std::vector<EndpointId> endpoints;  // each once, in the order first met
    bool has_cname = false;
    bool has_addresses = false;
    std::uint32_t view = kNone;  // ViewId; kNone: nothing about the client matters
};

struct SteeredName {
    dns::Name owner;
    TreeId tree{};
    std::uint32_t ttl_s = 60;
    std::uint32_t ttl_min_s = 0;  // 0: no countdown
    config::WhenAllDown when_all_down = config::WhenAllDown::ServeAll;
    config::Families families = config::Families::Same;
    std::uint32_t zone = 0;  // index into Plan::zones
};

/// A zone that is served, with the steered names of its table: the zone's steer index i stands for
/// SteeredId first_steered + i.
struct PlanZone {
    std::shared_ptr<const config::ZoneConfig> config;  // steer table in force, maybe an older one
    std::uint32_t first_steered = 0;
};

class View;

struct Plan {
    std::shared_ptr<const config::Model> model;
    std::shared_ptr<const geo::World> world;
    std::vector<Endpoint> endpoints;                 // by EndpointId
    std::vector<Slot> slots;                         // by SlotId
    std::vector<Tree> trees;                         // by TreeId
    std::vector<std::shared_ptr<const View>> views;  // by ViewId
    std::vector<const View*> far_views;              // of several; the largest tables (ahead.h)
    std::vector<SteeredName> steered;                // by SteeredId
    std::vector<PlanZone> zones;
    zones::ZoneSet zone_set;                             // slot i of the set is zones[i]
    std::vector<std::vector<TreeId>> trees_of_endpoint;  // which trees an endpoint stands in
    bool distinct_addresses = false;                     // no two slots have one address
    std::string identity;                                // id.server, NSID; empty: none
    std::string version;                                 // version.bind; empty: none
    dns::CookieSecrets cookies;
};

}  // namespace steerd::policy
