// See replan.h.
#include "drill/replan.h"

#include "policy/compile.h"

namespace steerd::drill {

std::shared_ptr<const policy::Plan> replanned(const policy::Plan& plan, const EditModel& edit_model,
                                              const EditSteer& edit_steer,
                                              base::Problems& problems) {
    auto model = std::make_shared<config::Model>(*plan.model);
    if (edit_model) {
        edit_model(*model);
    }
    policy::PlanInput input;
    input.model = model;
    input.world = plan.world;
    for (std::size_t i = 0; i < plan.zones.size(); ++i) {
        auto table = std::make_shared<config::ZoneConfig>(*plan.zones[i].config);
        if (edit_steer) {
            for (config::SteerConfig& steer : table->steer) {
                edit_steer(steer);
            }
        }
        input.zones.push_back({std::move(table), plan.zone_set.slots()[i].zone});
    }
    // Only to take views over from.
    input.previous = std::shared_ptr<const policy::Plan>(std::shared_ptr<void>(), &plan);
    return policy::compile(input, problems);
}

std::shared_ptr<const policy::Plan> with_weight(const policy::Plan& plan, const std::string& route,
                                                const std::string& member, std::uint32_t weight,
                                                base::Problems& problems) {
    const auto edit = [&](config::Model& model) {
        for (config::RouteConfig& one : model.routes) {
            for (config::MemberConfig& to : one.members) {
                if (one.name == route && to.name == member) {
                    to.weight = weight;
                }
            }
        }
    };
    return replanned(plan, edit, nullptr, problems);
}

}  // namespace steerd::drill
