// A plan with small changes to its configuration, compiled as a reload would: a member's weight, a
// name's TTLs, the timing of probes. Zones, geo data and equal views are taken over.
// Thread rule: pure functions; plans are immutable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/problem.h"
#include "policy/plan.h"

namespace steerd::drill {

using EditModel = std::function<void(config::Model&)>;
using EditSteer = std::function<void(config::SteerConfig&)>;

/// `edit_steer` is called for each steered name in force. nullptr where it no longer compiles.
[[nodiscard]] std::shared_ptr<const policy::Plan> replanned(const policy::Plan& plan,
                                                            const EditModel& edit_model,
                                                            const EditSteer& edit_steer,
                                                            base::Problems& problems);
/// One member of a weighted or multivalue route weighs something else.
[[nodiscard]] std::shared_ptr<const policy::Plan> with_weight(const policy::Plan& plan,
                                                              const std::string& route,
                                                              const std::string& member,
                                                              std::uint32_t weight,
                                                              base::Problems& problems);

}  // namespace steerd::drill
