// Shapes and their keys. Thread rule: see view_shape.h.
#include "policy/view_shape.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <unordered_map>
#include <unordered_set>

#include "base/check.h"
#include "geo/countries.h"

namespace steerd::policy {

namespace {

using config::Match;
using config::Policy;

/// Matches as the world writes its facts, so that comparing them is comparing text.
Match canonical_match(Match match) {
    if (match.kind == Match::Kind::Network) {
        match.prefix = base::normalised(match.prefix).prefix;
    } else if (match.kind == Match::Kind::Country) {
        if (const auto code = geo::parse_country(match.code)) {
            match.code = code->view();
        }
    } else if (match.kind == Match::Kind::Continent || match.kind == Match::Kind::Subdivision) {
        if (const auto code = geo::Code<6>::from(match.code)) {
            match.code = code->view();
        }
    }
    return match;
}

class KeyWriter {
  public:
    explicit KeyWriter(std::string& out) : out_(out) {}

    void number(std::uint64_t value) {
        // Seven bits an octet, so that small numbers stay small: there are many.
        while (value >= 0x80) {
            out_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        out_.push_back(static_cast<char>(value));
    }

    void text(const std::string& value) {
        number(value.size());
        out_ += value;
    }

  private:
    std::string& out_;
};

std::string key_of(const ViewShape& shape) {
    std::string key;
    KeyWriter out(key);
    out.number(shape.routes.size());
    for (const ShapeRoute& route : shape.routes) {
        out.number(static_cast<unsigned>(route.policy));
        out.number(route.member_count);
        out.number(route.min_available);
        out.number(shape.exact ? 0 : route.max_answers);
        out.number((route.sticky ? 1U : 0U) | (route.remembers ? 2U : 0U));
        out.number(std::bit_cast<std::uint64_t>(route.tolerance_ms));
        out.number(route.regions.size());
        for (const std::uint32_t region : route.regions) {
            out.number(region);
        }
    }
    for (const ShapeMember& member : shape.members) {
        out.number((member.is_endpoint ? 1U : 0U) | (member.fence ? 2U : 0U) |
                   static_cast<unsigned>(member.match.kind) << 2);
        out.number(member.target);
        // Where orders alone decide who is alike, a weight matters only in being 0 (a draw takes
        // those members last).
        out.number(shape.exact ? std::min(member.weight, 1U) : member.weight);
        out.number(member.match.asn);
        out.text(member.match.code);
        if (member.match.kind == Match::Kind::Network) {
            out.text(member.match.prefix.text());
        }
    }
    for (const ShapeEndpoint& endpoint : shape.endpoints) {
        out.number(endpoint.region);
        if (!shape.exact) {
            out.number((endpoint.cname ? 1U : 0U) | (endpoint.probed ? 2U : 0U));
            out.number(endpoint.addresses);
        }
    }
    return key;
}

void collect_endpoints(const ViewShape& shape, std::uint32_t route, std::vector<bool>& seen_routes,
                       std::vector<std::uint32_t>& out) {
    if (seen_routes[route]) {
        return;
    }
    seen_routes[route] = true;
    const ShapeRoute& r = shape.routes[route];
    for (std::uint32_t i = 0; i < r.member_count; ++i) {
        const ShapeMember& member = shape.members[r.first_member + i];
        if (member.is_endpoint) {
            out.push_back(member.target);
        } else {
            collect_endpoints(shape, member.target, seen_routes, out);
        }
    }
}

/// `regions` of the model, as TreeRoute has them; `region_of` by renamed endpoint.
void add_member_regions(ViewShape& shape, ShapeRoute& route, const std::vector<RegionId>& regions,
                        std::span<const std::uint32_t> region_of) {
    std::vector<std::uint32_t> members_in(regions.size());
    route.region_endpoints.resize(regions.size());
    std::vector<std::uint32_t> below;
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        const ShapeMember& member = shape.members[route.first_member + i];
        if (member.is_endpoint) {
            below.assign(1, member.target);
        } else {
            below = endpoints_under(shape, member.target);
        }
        std::vector<ClassWord>& in = route.member_regions.emplace_back();
        for (const std::uint32_t endpoint : below) {
            const auto at = std::find_if(regions.begin(), regions.end(), [&](RegionId region) {
                return static_cast<std::uint32_t>(region) == region_of[endpoint];
            });
            const auto index = static_cast<ClassWord>(at - regions.begin());
            if (at != regions.end()) {
                route.region_endpoints[index].push_back(endpoint);
            }
            if (at != regions.end() && std::find(in.begin(), in.end(), index) == in.end()) {
                in.push_back(index);
                route.region_shared = ++members_in[index] > 1 || route.region_shared;
            }
        }
    }
}

/// One route alone looks at the client, each of its members can be told from the others under some
/// health, and nothing above or below hides a difference.
bool orders_are_exact(const ViewShape& shape) {
    std::vector<bool> endpoint_seen(shape.endpoints.size());
    std::vector<bool> route_seen(shape.routes.size());
    for (const ShapeRoute& route : shape.routes) {
        if (route.min_available > 1 || route.remembers) {
            return false;
        }
        // A walk takes a target once, however often it is named.
        std::unordered_set<std::uint64_t> own;
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            const ShapeMember& member = shape.members[route.first_member + i];
            const bool nested_fence = member.fence && &route != shape.routes.data();
            const std::uint64_t id = member.target * 2ULL + (member.is_endpoint ? 1 : 0);
            const bool again = !own.insert(id).second && route.policy == Policy::Geo;
            std::vector<bool>& seen = member.is_endpoint ? endpoint_seen : route_seen;
            if (nested_fence || (seen[member.target] && !again)) {
                return false;
            }
            seen[member.target] = true;
        }
    }
    if (shape.slots.size() != 1) {
        return shape.slots.empty();
    }
    const ShapeRoute& route = shape.routes[shape.slots.front().route];
    if (route.policy == Policy::Geo) {
        // A walk's fence says nothing at the root and is not recorded there (see classify); but a
        // walk that finds nothing may leave a hash with nothing to choose.
        return std::none_of(shape.routes.begin(), shape.routes.end(),
                            [](const ShapeRoute& other) { return other.sticky; });
    }
    return std::all_of(route.member_regions.begin(), route.member_regions.end(),
                       [](const auto& regions) { return regions.size() <= 1; });
}

void add_routes(const config::Model& model, const Tree& tree,
                std::span<const std::uint32_t> world_regions, ViewShape& shape) {
    for (const TreeRoute& from : tree.routes) {
        const config::RouteConfig& config = model.route(from.route);
        ShapeRoute& to = shape.routes.emplace_back();
        to.policy = from.policy;
        to.first_member = from.first_member;
        to.member_count = from.member_count;
        to.view_slot = from.view_slot;
        to.min_available = from.min_available;
        to.max_answers = from.max_answers;
        to.sticky = from.policy == Policy::Weighted && from.sticky;
        to.remembers = from.remembers;
        if (from.policy == Policy::Latency) {
            to.tolerance_ms = std::chrono::duration<double, std::milli>(config.tolerance).count();
        }
        for (const RegionId region : from.regions) {
            to.regions.push_back(world_regions[config::index(region)]);
        }
        if (from.view_slot != kNone) {
            CHECK(from.view_slot == shape.slots.size());
            shape.slots.push_back({.route = static_cast<std::uint32_t>(shape.routes.size() - 1)});
        }
    }
}

void add_members(const config::Model& model, const Tree& tree, ViewShape& shape) {
    std::unordered_map<std::uint32_t, std::uint32_t> renamed;
    for (const EndpointId endpoint : tree.endpoints) {
        renamed.emplace(static_cast<std::uint32_t>(endpoint),
                        static_cast<std::uint32_t>(renamed.size()));
    }
    for (const TreeRoute& route : tree.routes) {
        const config::RouteConfig& config = model.route(route.route);
        CHECK(config.members.size() == route.member_count);
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            const TreeMember& from = tree.members[route.first_member + i];
            ShapeMember to;
            to.is_endpoint = from.is_endpoint;
            to.target = from.is_endpoint ? renamed.at(from.target) : from.target;
            to.weight = from.weight;
            if (route.policy == Policy::Geo) {
                to.match = canonical_match(config.members[i].match);
                to.fence = config.members[i].fence;
                if (to.match.kind == Match::Kind::Network) {
                    shape.networks.push_back(to.match.prefix);
                }
            }
            shape.members.push_back(std::move(to));
        }
    }
    std::sort(shape.networks.begin(), shape.networks.end());
    shape.networks.erase(std::unique(shape.networks.begin(), shape.networks.end()),
                         shape.networks.end());
}

/// Where each order and walk stands. REQUIRES: routes and members are there.
void lay_out(ViewShape& shape) {
    for (SlotLayout& slot : shape.slots) {
        ShapeRoute& route = shape.routes[slot.route];
        std::size_t size = 2 * route.regions.size();
        if (route.policy == Policy::Geo) {
            route.matches =
                WalkIndex(std::span(shape.members).subspan(route.first_member, route.member_count));
            size = 2 + route.matches.most_steps();
        }
        slot.offset = static_cast<std::uint32_t>(shape.words);
        slot.size = static_cast<std::uint32_t>(size);
        shape.words += size;
    }
}

/// Sets SlotLayout::walk.
void find_walks(ViewShape& shape) {
    std::vector<std::uint32_t> named(shape.routes.size());
    for (const ShapeMember& member : shape.members) {
        if (!member.is_endpoint) {
            ++named[member.target];
        }
    }
    for (const ShapeRoute& geo : shape.routes) {
        for (std::uint32_t i = 0; geo.policy == Policy::Geo && i < geo.member_count; ++i) {
            const ShapeMember& member = shape.members[geo.first_member + i];
            if (!member.is_endpoint && named[member.target] == 1 &&
                shape.routes[member.target].policy == Policy::Latency) {
                shape.slots[shape.routes[member.target].view_slot].walk = geo.view_slot;
            }
        }
    }
}

}  // namespace

bool needs_view(const Tree& tree) noexcept {
    return std::any_of(tree.routes.begin(), tree.routes.end(), [](const TreeRoute& route) {
        return route.view_slot != kNone || (route.policy == Policy::Weighted && route.sticky);
    });
}

std::vector<std::uint32_t> endpoints_under(const ViewShape& shape, std::uint32_t route) {
    std::vector<std::uint32_t> out;
    std::vector<bool> seen(shape.routes.size());
    collect_endpoints(shape, route, seen, out);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

std::vector<std::uint32_t> regions_in(const geo::World& world, const config::Model& model) {
    std::vector<std::uint32_t> out;
    out.reserve(model.regions.size());
    for (const config::RegionConfig& region : model.regions) {
        const auto index = world.region_index(region.name);
        out.push_back(index ? static_cast<std::uint32_t>(*index) : kNone);
    }
    return out;
}

ViewShape make_shape(const config::Model& model, const std::vector<Endpoint>& endpoints,
                     const Tree& tree, std::span<const std::uint32_t> world_regions) {
    ViewShape shape;
    add_routes(model, tree, world_regions, shape);
    add_members(model, tree, shape);
    lay_out(shape);
    const bool latency = std::any_of(tree.routes.begin(), tree.routes.end(), [](const auto& route) {
        return route.policy == Policy::Latency;
    });
    std::vector<std::uint32_t> region_of;
    for (const EndpointId endpoint : tree.endpoints) {
        const Endpoint& from = endpoints[config::index(endpoint)];
        region_of.push_back(from.region);
        const bool counts = latency && from.region != kNone;
        shape.endpoints.push_back({counts ? world_regions[from.region] : kNone,
                                   std::max(from.v4_count, from.v6_count), from.cname,
                                   from.probed});
    }
    for (std::size_t i = 0; i < shape.routes.size(); ++i) {
        if (shape.routes[i].policy == Policy::Latency) {
            add_member_regions(shape, shape.routes[i], tree.routes[i].regions, region_of);
        }
    }
    find_walks(shape);
    shape.exact = orders_are_exact(shape);
    shape.key = key_of(shape);
    return shape;
}

}  // namespace steerd::policy
