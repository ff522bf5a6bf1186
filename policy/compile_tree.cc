// Preorder over routes. Thread rule: see compile_tree.h.
#include "policy/compile_tree.h"

#include <algorithm>
#include <variant>

namespace steerd::policy {

using config::Policy;

TreeBuilder::TreeBuilder(const config::Model& model, Plan& plan)
    : model_(model),
      plan_(plan),
      route_round_(model.routes.size()),
      route_place_(model.routes.size()),
      endpoint_round_(model.endpoints.size()) {
    member_hash_.reserve(model.routes.size());
    for (const config::RouteConfig& route : model.routes) {
        member_hash_.push_back(name_hash(route.name));
    }
}

void TreeBuilder::add(RouteId root) {
    ++round_;
    Tree tree;
    tree.root = root;
    add_route(tree, root);
    std::uint32_t view_slots = 0;
    for (TreeRoute& route : tree.routes) {
        if (route.policy == Policy::Latency || route.policy == Policy::Geo) {
            route.view_slot = view_slots++;
        }
    }
    add_regions(tree);
    plan_.trees.push_back(std::move(tree));
}

std::uint32_t TreeBuilder::add_route(Tree& tree, RouteId id) {
    const std::size_t index = config::index(id);
    if (route_round_[index] == round_) {
        return route_place_[index];
    }
    const config::RouteConfig& config = model_.route(id);
    const auto place = static_cast<std::uint32_t>(tree.routes.size());
    route_round_[index] = round_;
    route_place_[index] = place;
    TreeRoute& route = tree.routes.emplace_back();
    route.route = id;
    route.policy = config.policy;
    route.first_member = static_cast<std::uint32_t>(tree.members.size());
    route.member_count = static_cast<std::uint32_t>(config.members.size());
    route.min_available = config.min_available;
    route.max_answers = config.max_answers;
    route.sticky = config.sticky;
    route.remembers =
        config.policy == Policy::Failover && config.failback.kind != config::Failback::Kind::Auto;
    const std::size_t first = tree.members.size();
    tree.members.resize(first + config.members.size());
    for (std::size_t i = 0; i < config.members.size(); ++i) {
        const config::MemberConfig& from = config.members[i];
        TreeMember to;
        to.weight = from.weight;
        if (const auto* const endpoint = std::get_if<EndpointId>(&from.to)) {
            add_endpoint(tree, *endpoint);
            to.target = static_cast<std::uint32_t>(*endpoint);
            to.name_hash = plan_.endpoints[config::index(*endpoint)].name_hash;
        } else {
            const RouteId below = std::get<RouteId>(from.to);
            to.is_endpoint = false;
            to.target = add_route(tree, below);
            to.name_hash = member_hash_[config::index(below)];
        }
        tree.members[first + i] = to;
    }
    return place;
}

void TreeBuilder::add_endpoint(Tree& tree, EndpointId id) {
    std::uint32_t& round = endpoint_round_[config::index(id)];
    if (round == round_) {
        return;
    }
    round = round_;
    tree.endpoints.push_back(id);
    (plan_.endpoints[config::index(id)].cname ? tree.has_cname : tree.has_addresses) = true;
}

/// The regions under each latency route, in the order first met.
void TreeBuilder::add_regions(Tree& tree) {
    for (std::uint32_t i = 0; i < tree.routes.size(); ++i) {
        if (tree.routes[i].policy != Policy::Latency) {
            continue;
        }
        std::vector<RegionId>& regions = tree.routes[i].regions;
        std::vector<bool> seen(tree.routes.size());
        std::vector<bool> region_seen(model_.regions.size());
        const auto visit = [&](const auto& self, std::uint32_t at) -> void {
            if (seen[at]) {
                return;
            }
            seen[at] = true;
            const TreeRoute& route = tree.routes[at];
            for (std::uint32_t m = 0; m < route.member_count; ++m) {
                const TreeMember& member = tree.members[route.first_member + m];
                if (!member.is_endpoint) {
                    self(self, member.target);
                    continue;
                }
                const std::uint32_t region = plan_.endpoints[member.target].region;
                if (region != kNone && !region_seen[region]) {
                    region_seen[region] = true;
                    regions.push_back(RegionId{region});
                }
            }
        };
        visit(visit, i);
    }
}

}  // namespace steerd::policy
