// The plan, part by part: endpoints and slots, trees, steered names and zones, views; then the one
// problem that only the whole can show. Thread rule: see compile.h.
#include "policy/compile.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "policy/ahead.h"
#include "policy/cname_loops.h"
#include "policy/compile_tree.h"
#include "policy/steered_servers.h"
#include "policy/view_build.h"

namespace steerd::policy {

namespace {

void add_endpoints(const config::Model& model, Plan& plan) {
    plan.endpoints.reserve(model.endpoints.size());
    for (const config::EndpointConfig& from : model.endpoints) {
        CHECK(from.addresses.size() <= kMaxEndpointAddresses);  // config refuses more
        const auto id = EndpointId{static_cast<std::uint32_t>(plan.endpoints.size())};
        Endpoint& to = plan.endpoints.emplace_back();
        to.name = from.name;
        to.first_slot = static_cast<std::uint32_t>(plan.slots.size());
        to.probed = !from.probes.empty();
        to.region = from.region ? static_cast<std::uint32_t>(*from.region) : kNone;
        to.name_hash = name_hash(from.name);
        if (from.cname) {
            to.cname = true;
            to.target = *from.cname;
            plan.slots.push_back({id, {}, true});
            continue;
        }
        for (const bool v4 : {true, false}) {
            for (const base::IpAddress& address : from.addresses) {
                if (address.is_v4() == v4) {
                    plan.slots.push_back({id, address, false});
                    ++(v4 ? to.v4_count : to.v6_count);
                }
            }
        }
    }
}

[[nodiscard]] bool all_distinct(const std::vector<Slot>& slots) {
    std::vector<base::IpAddress> addresses;
    for (const Slot& slot : slots) {
        if (!slot.cname) {
            addresses.push_back(slot.address);
        }
    }
    std::sort(addresses.begin(), addresses.end());
    return std::adjacent_find(addresses.begin(), addresses.end()) == addresses.end();
}

void add_zones(const PlanInput& input, Plan& plan) {
    std::vector<zones::ZoneSlot> slots;
    slots.reserve(input.zones.size());
    plan.zones.reserve(input.zones.size());
    std::vector<std::uint32_t> tree_of_route(input.model->routes.size(), kNone);
    TreeBuilder trees(*input.model, plan);
    for (const ZoneInput& zone : input.zones) {
        slots.push_back({zone.zone, zone.config->apex});
        plan.zones.push_back({zone.config, static_cast<std::uint32_t>(plan.steered.size())});
        if (!zone.zone) {
            continue;
        }
        for (const config::SteerConfig& steer : zone.config->steer) {
            std::uint32_t& tree = tree_of_route[config::index(steer.route)];
            if (tree == kNone) {
                tree = static_cast<std::uint32_t>(plan.trees.size());
                trees.add(steer.route);
            }
            SteeredName& name = plan.steered.emplace_back();
            name.owner = steer.owner;
            name.tree = TreeId{tree};
            name.ttl_s = steer.ttl_s;
            name.ttl_min_s = steer.ttl_min_s.value_or(0);
            name.when_all_down = steer.when_all_down;
            name.families = steer.families;
            name.zone = static_cast<std::uint32_t>(plan.zones.size() - 1);
        }
    }
    plan.zone_set = zones::ZoneSet(std::move(slots), input.hash_seed);
}

void add_trees_of_endpoints(Plan& plan) {
    plan.trees_of_endpoint.resize(plan.endpoints.size());
    for (std::uint32_t i = 0; i < plan.trees.size(); ++i) {
        for (const EndpointId endpoint : plan.trees[i].endpoints) {
            plan.trees_of_endpoint[config::index(endpoint)].push_back(TreeId{i});
        }
    }
}

}  // namespace

std::uint64_t name_hash(std::string_view name) noexcept {
    return XXH3_64bits(name.data(), name.size());
}

std::shared_ptr<const Plan> compile(const PlanInput& input, base::Problems& problems) {
    auto plan = std::make_shared<Plan>();
    plan->model = input.model;
    plan->world = input.world;
    plan->identity = input.model->server.identity;
    plan->version = input.model->server.version;
    plan->cookies = input.cookies;
    add_endpoints(*input.model, *plan);
    plan->distinct_addresses = all_distinct(plan->slots);
    add_zones(input, *plan);
    add_trees_of_endpoints(*plan);
    const std::size_t errors = problems.error_count();
    find_cname_loops(*plan, problems);
    find_steered_servers(*plan, problems);
    if (problems.error_count() > errors) {
        return nullptr;
    }
    const bool same_world = input.previous && input.previous->world == input.world;
    make_views({*input.model, *input.world, same_world ? input.previous.get() : nullptr,
                input.view_bytes_max},
               *plan, problems);
    note_far_views(*plan);
    return plan;
}

std::shared_ptr<const config::ZoneConfig> remapped_steer(const config::ZoneConfig& table,
                                                         const config::Model& from,
                                                         const config::Model& to,
                                                         std::string& missing) {
    std::unordered_map<std::string_view, std::uint32_t> routes;
    for (const config::RouteConfig& route : to.routes) {
        routes.emplace(route.name, static_cast<std::uint32_t>(routes.size()));
    }
    auto out = std::make_shared<config::ZoneConfig>(table);
    for (config::SteerConfig& steer : out->steer) {
        const std::string& name = from.route(steer.route).name;
        const auto found = routes.find(name);
        if (found == routes.end()) {
            missing = name;
            return nullptr;
        }
        steer.route = RouteId{found->second};
    }
    return out;
}

}  // namespace steerd::policy
