// The shape of a tree: all of it that can matter to which clients are alike, and nothing else.
// Trees of equal shape (endpoints renamed in the order first met) share one view, so that ten
// thousand names of one pattern have one table.
//
// Thread rule: plain values, load plane.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "config/model.h"
#include "geo/world.h"
#include "policy/plan.h"
#include "policy/view.h"
#include "policy/walk_index.h"

namespace steerd::policy {

struct ShapeMember {
    bool is_endpoint = true;
    std::uint32_t target = 0;  // renamed endpoint, or index into ViewShape::routes
    std::uint32_t weight = 1;
    bool fence = false;
    config::Match match;  // geo; prefix normalised, codes as geo/ writes them
};

struct ShapeEndpoint {
    std::uint32_t region = kNone;  // index into the world's regions; kNone also without latency
    std::uint32_t addresses = 0;   // of the family that has more
    bool cname = false;
    bool probed = false;
};

struct ShapeRoute {
    config::Policy policy = config::Policy::Failover;
    std::uint32_t first_member = 0;
    std::uint32_t member_count = 0;
    std::uint32_t view_slot = kNone;
    std::uint32_t min_available = 1;
    std::uint32_t max_answers = 0;
    bool sticky = false;
    bool remembers = false;
    double tolerance_ms = 0;
    std::vector<std::uint32_t>
        regions;  // of the world, in the order of TreeRoute::regions; or kNone
    /// latency: under each member, which of `regions` stand (each once).
    std::vector<std::vector<ClassWord>> member_regions;
    /// latency: in each of `regions`, which endpoints stand under the route.
    std::vector<std::vector<std::uint32_t>> region_endpoints;
    bool region_shared = false;  // latency: two members stand in one region
    WalkIndex matches;           // geo
};

/// Where the order of one latency or geo route stands in a class's words:
/// latency: rank of each region, then last_equal of each rank; geo: count, fenced, members.
struct SlotLayout {
    std::uint32_t route = 0;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    /// latency: the slot of the geo route that alone names it, or kNone. Where that one asks it,
    /// what stands before it in the walk is known to be out.
    std::uint32_t walk = kNone;
};

struct ViewShape {
    std::vector<ShapeRoute> routes;  // as in Tree::routes
    std::vector<ShapeMember> members;
    std::vector<ShapeEndpoint> endpoints;
    std::vector<SlotLayout> slots;
    std::size_t words = 0;                 // of one class
    std::vector<base::IpPrefix> networks;  // that matches ask for, sorted, each once
    /// Orders alone tell exactly which clients are alike; else behaviour must be compared.
    bool exact = false;
    std::string key;  // equal for equal shapes over one world
};

/// Whether the decision of this tree depends on who asks (by place, or by a hash of the prefix).
[[nodiscard]] bool needs_view(const Tree& tree) noexcept;

/// Endpoints under a route, each once.
[[nodiscard]] std::vector<std::uint32_t> endpoints_under(const ViewShape& shape,
                                                         std::uint32_t route);

/// For each region of the model its index in the world, or kNone.
[[nodiscard]] std::vector<std::uint32_t> regions_in(const geo::World& world,
                                                    const config::Model& model);

/// REQUIRES: `tree` was compiled from `model` into `endpoints`.
[[nodiscard]] ViewShape make_shape(const config::Model& model,
                                   const std::vector<Endpoint>& endpoints, const Tree& tree,
                                   std::span<const std::uint32_t> world_regions);

}  // namespace steerd::policy
