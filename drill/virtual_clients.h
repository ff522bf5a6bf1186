// Who asks, as steering sees it: the places of a scenario's demand spread over address space, and
// that brought into groups of clients for whom the name decides alike under every plan of the
// drill. Asks the same views with the same words as an answer does. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ip.h"
#include "base/problem.h"
#include "drill/scenario.h"
#include "drill/timeline.h"
#include "policy/decide.h"

namespace steerd::drill {

/// Clients that get the same answers at all times.
struct ClientGroup {
    base::IpPrefix client;            // one of them
    std::vector<policy::Client> who;  // by plan
};

struct Clients {
    std::vector<ClientGroup> groups;
    std::vector<DemandCell> cells;            // DemandCell::timeline is the group
    std::vector<std::vector<double>> rtt_ms;  // by cell and EndpointId; negative: unknown
};

/// The client of a query from this prefix, as policy::answer makes it.
[[nodiscard]] policy::Client client_of(const policy::Plan& plan, policy::SteeredId steered,
                                       const base::IpPrefix& prefix);

/// A place without address space in the geo data is a problem where the name steers by place.
/// REQUIRES: the steered name is the same in all plans.
[[nodiscard]] Clients find_clients(const Scenario& scenario, policy::SteeredId steered,
                                   std::span<const std::shared_ptr<const policy::Plan>> plans,
                                   base::Problems& problems);

}  // namespace steerd::drill
