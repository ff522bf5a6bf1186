#include "policy/steered_servers.h"

#include <set>
#include <utility>

namespace steerd::policy {

void find_steered_servers(const Plan& plan, base::Problems& problems) {
    if (plan.steered.empty()) {
        return;
    }
    const auto& slots = plan.zone_set.slots();
    std::set<std::pair<std::size_t, std::uint32_t>> told;
    const auto look = [&](const zones::ZoneSlot& from, dns::NameView target) {
        const zones::ZoneSlot* const slot = plan.zone_set.find(target);
        if (slot == nullptr || slot == &from || slot->zone == nullptr) {
            return;
        }
        const zones::Finding finding = slot->zone->lookup(target, dns::RrType::A);
        const auto zone = static_cast<std::size_t>(slot - slots.data());
        if (finding.kind != zones::FindingKind::Steered ||
            !told.emplace(zone, finding.steer).second) {
            return;
        }
        const config::SteerConfig& steer = plan.zones[zone].config->steer[finding.steer];
        problems.error(steer.at, "steered name " + steer.owner.to_text() +
                                     " is the target of an NS of the zone " + from.apex.to_text());
    };
    for (const zones::ZoneSlot& slot : slots) {
        if (slot.zone == nullptr) {
            continue;
        }
        const zones::ZoneStore& store = slot.zone->store();
        store.for_each_node([&](zones::Offset node) {
            const zones::Offset at = store.find_rrset(node, dns::RrType::NS);
            if (at != 0) {
                dns::for_each_rdata(store.view(node, at),
                                    [&](auto rdata) { look(slot, dns::NameView(rdata)); });
            }
        });
    }
}

}  // namespace steerd::policy
