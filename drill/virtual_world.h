// How the endpoints of a virtual drill really are, and what a check of them gives: killed ones fail
// at once, blackholed ones after the probe's timeout, healthy ones pass in no time (product.md §6).
// Behaviour belongs to an address, so endpoints that share one break together. Believes nothing:
// what control makes of it is control's. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "control/input.h"
#include "drill/scenario.h"
#include "drill/timeline.h"
#include "health/prober.h"
#include "policy/plan.h"

namespace steerd::drill {

class VirtualWorld {
  public:
    VirtualWorld(std::shared_ptr<const policy::Plan> plan, AskedType type, std::uint64_t seed);

    /// Kill, blackhole, slow, gray, flap, partition and recover; others change nothing here.
    void apply(const ScenarioEvent& event, std::span<const policy::EndpointId> endpoints,
               base::Mono at);

    /// What a check that starts now comes to, with the moment at which it ends.
    [[nodiscard]] health::CheckDone check(const health::StartCheck& start, base::Mono now) const;
    [[nodiscard]] control::ResolveDone resolve(const control::ResolveTarget& target) const;

    /// The addresses by which an endpoint is judged for the asked type, its other family where it
    /// has none of that, one of our own for a CNAME target.
    [[nodiscard]] std::vector<base::IpAddress> addresses(policy::EndpointId endpoint) const;
    /// By EndpointId: the share of requests that fail, over the whole drill.
    [[nodiscard]] std::vector<std::vector<Truth>> truth(base::Mono end) const;

  private:
    struct Behaviour {
        base::Mono since{};
        EventKind kind = EventKind::Recover;  // Recover: well
        base::Duration delay{};
        double fail = 0;
        base::Duration period{};
        base::Duration dead{};  // of each period
    };

    struct Site {
        std::vector<Behaviour> history;  // by time
        bool cut_off = false;            // from probes
        base::Duration patience{};       // a request that takes as long has failed
    };

    [[nodiscard]] const Site* site(const base::IpAddress& address) const;
    [[nodiscard]] std::vector<base::IpAddress> all_addresses(policy::EndpointId endpoint) const;
    [[nodiscard]] base::IpAddress target_address(const dns::Name& target) const;
    static void add_truth(const Site& site, const Behaviour& behaviour, base::Mono until,
                          std::vector<Truth>& out);

    std::shared_ptr<const policy::Plan> plan_;
    AskedType type_;
    std::uint64_t seed_;
    std::map<base::IpAddress, Site> sites_;
};

}  // namespace steerd::drill
