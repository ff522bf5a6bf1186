// The outage that the drill's benchmarks stream resolvers through. Thread rule: pure.
#pragma once

#include <chrono>

#include "drill/timeline.h"

namespace steerd::bench {

/// An hour; one endpoint dies at 300 s, its answer (TTL 30 s) is replaced at 312 s by another's.
inline drill::Timeline outage() {
    using std::chrono::minutes;
    using std::chrono::seconds;
    drill::Timeline timeline;
    timeline.duration = minutes(60);
    timeline.answers.resize(2);
    timeline.answers[0].endpoints = {policy::EndpointId{0}};
    timeline.answers[1].endpoints = {policy::EndpointId{1}};
    drill::ClassTimeline line;
    line.pieces.push_back({base::Mono{}, {{0, 1.0, 30, 0, base::kNever}}});
    line.pieces.push_back({base::Mono{seconds(312)}, {{1, 1.0, 30, 0, base::kNever}}});
    timeline.classes.push_back(line);
    timeline.cells.push_back({0, 0, 1.0, "JP"});
    timeline.truth = {{{base::Mono{}, 0}, {base::Mono{seconds(300)}, 1}}, {}};
    drill::EventTimes event;
    event.at = base::Mono{seconds(300)};
    event.takes_out = true;
    event.endpoints = {policy::EndpointId{0}};
    event.detected = event.switched = base::Mono{seconds(312)};
    timeline.events.push_back(event);
    return timeline;
}

}  // namespace steerd::bench
