#include "cli/suppose.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"

namespace steerd::cli {

void suppose_down(const policy::Plan& plan, const std::string& name, policy::HealthFacts& facts) {
    constexpr std::string_view kRegion = "region:";
    const auto& model = *plan.model;
    const bool whole_region = name.starts_with(kRegion);
    const auto wanted = whole_region ? name.substr(kRegion.size()) : name;
    bool found = false;
    if (whole_region) {
        found = std::any_of(model.regions.begin(), model.regions.end(),
                            [&](const auto& region) { return region.name == wanted; });
    }
    for (std::size_t i = 0; i < plan.slots.size(); ++i) {
        const auto& endpoint = model.endpoint(plan.slots[i].endpoint);
        const bool hit =
            whole_region
                ? endpoint.region && model.regions[config::index(*endpoint.region)].name == wanted
                : endpoint.name == wanted;
        if (hit) {
            facts.slots[i].health = facts.slots[i].next = health::Health::Down;
            found = true;
        }
    }
    if (!found) {
        throw Failure(fmt::format("--down {}: no such {}", name,
                                  whole_region ? "region" : "endpoint (a region is region:NAME)"));
    }
}

}  // namespace steerd::cli
