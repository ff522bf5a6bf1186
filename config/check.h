// Cross checks of a whole configuration: what no section can see alone. product.md §3, "Errors at
// load" and "Warnings", as far as neither zone files nor geo files are needed: those checks (cuts,
// static records beside a route, CNAME chains through static records) are policy/'s.
// Not an interface: only config/ includes it. Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/draft.h"

namespace steerd::config {

/// What stands under a route, gathered once from the leaves up.
struct RouteSummary {
    std::optional<EndpointId> address;  // the first endpoint with addresses
    std::optional<EndpointId> cname;    // the first with a CNAME
    /// The first endpoint that names no region.
    std::optional<EndpointId> regionless;
    std::optional<RegionId> region;        // the first
    std::optional<RegionId> other_region;  // the first other one
    /// The first endpoint with IPv4 only, IPv6 only, both.
    std::array<std::optional<EndpointId>, 3> families;
    bool probed = false;
    bool mixed = false;       // a mix of CNAME and addresses was reported at it or under it
    std::uint32_t depth = 1;  // routes on the longest way down
    std::uint64_t size = 0;   // members of the tree written out; stops counting at kMostMembers
};

inline constexpr std::uint32_t kMostDepth = 32;
inline constexpr std::uint64_t kMostMembers = 1'000'000;

/// Everything below, into the draft's problems.
void check(Draft& draft);

/// Loops, kinds and regions. The summaries of all routes, in their order.
[[nodiscard]] std::vector<RouteSummary> check_routes(Draft& draft);
/// Each steered name against what stands under its route.
void check_steers(Draft& draft, const std::vector<RouteSummary>& summaries);
/// CNAME targets that are steered names themselves and lead back. Exact owners only: whether a
/// wildcard answers for a target depends on the zone file.
void check_cname_loops(Draft& draft, const std::vector<RouteSummary>& summaries);
/// Rules of query_log for zones that are not served.
void check_query_log(Draft& draft);

}  // namespace steerd::config
