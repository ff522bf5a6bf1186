// Trees from routes: each route that a steered name names, with all that stands under it, each
// route and endpoint once. Thread rule: load plane, one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "policy/plan.h"

namespace steerd::policy {

/// XXH3 with seed 0: the same on every node, whatever its configuration's order.
[[nodiscard]] std::uint64_t name_hash(std::string_view name) noexcept;

class TreeBuilder {
  public:
    /// REQUIRES: plan.endpoints are there; both outlive the builder.
    TreeBuilder(const config::Model& model, Plan& plan);

    /// Appends the tree of `root` to plan.trees. REQUIRES: no loop (config refuses one).
    void add(RouteId root);

  private:
    std::uint32_t add_route(Tree& tree, RouteId id);
    void add_endpoint(Tree& tree, EndpointId id);
    void add_regions(Tree& tree);

    const config::Model& model_;
    Plan& plan_;
    std::uint32_t round_ = 0;  // which tree marks were made for
    std::vector<std::uint32_t> route_round_;
    std::vector<std::uint32_t> route_place_;  // in the tree
    std::vector<std::uint32_t> endpoint_round_;
    std::vector<std::uint64_t> member_hash_;  // by RouteId
};

}  // namespace steerd::policy
