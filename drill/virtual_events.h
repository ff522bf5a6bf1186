// What became of each event, from what was seen while the drill ran: when it was noticed, when the
// answers moved, when it was over. Thread rule: pure functions.
#pragma once

#include <span>
#include <vector>

#include "drill/scenario.h"
#include "drill/timeline.h"
#include "drill/virtual.h"
#include "health/health.h"

namespace steerd::drill {

/// What was seen, in the order of time.
struct DrillLog {
    struct Belief {  // changed
        base::Mono at{};
        policy::EndpointId endpoint{};
        base::IpAddress address;
        health::Health health = health::Health::Unknown;
    };

    struct BadCheck {  // failed, or passed slowly
        base::Mono at{};
        base::IpAddress address;
    };

    std::vector<Belief> beliefs;
    std::vector<BadCheck> bad_checks;
    std::vector<base::Mono> in_force;  // by event: orders and weights; never: refused
};

/// For each endpoint the addresses it is judged by.
using JudgedBy = std::vector<std::vector<base::IpAddress>>;

/// REQUIRES: answers, classes and authority of the timeline are there.
[[nodiscard]] std::vector<EventTimes> event_times(const Scenario& scenario, const Bound& bound,
                                                  const DrillLog& log, const JudgedBy& judged_by,
                                                  const Timeline& timeline);
/// REQUIRES: timeline.events are there.
[[nodiscard]] std::vector<EventStory> event_stories(const Timeline& timeline);

}  // namespace steerd::drill
