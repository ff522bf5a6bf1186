// The timeline of a live drill, made from what was seen: the monitor's answers of each place, and
// the moments at which the server said that something changed. Where a place has one answer at a
// time its pieces begin where another one was first seen; where answers are drawn, shares are
// counted between the server's words. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "drill/live_record.h"
#include "drill/timeline.h"

namespace steerd::drill {

struct LiveSeen {
    std::vector<LiveSample> samples;  // by time
    std::vector<double> turns;        // by time: answers may be others from about there
    std::size_t groups = 0;
    double end = 0;
};

/// How long after the server's word an old answer may still be on its way.
inline constexpr double kSettle_s = 0.35;

/// One for each group; without pieces for a group that was never seen.
[[nodiscard]] std::vector<ClassTimeline> classes_seen(const LiveSeen& seen);
/// How often what is published changed: beginnings of pieces close to each other are one.
[[nodiscard]] std::uint32_t switches_seen(const std::vector<ClassTimeline>& classes);

}  // namespace steerd::drill
