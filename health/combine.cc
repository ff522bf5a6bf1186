// See combine.h. Thread rule: plain functions.
#include "health/combine.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace steerd::health {

Belief belief(const Tracker& tracker, base::Mono start, base::Duration spacing) noexcept {
    const Outlook outlook = tracker.outlook();
    if (outlook.checks == 0) {
        return {tracker.health(), tracker.health(), base::kNever};
    }
    return {tracker.health(), outlook.next, start + (outlook.checks - 1) * spacing};
}

namespace {

Health nth_best(std::vector<Health> parts, std::size_t n) {
    const auto nth = parts.begin() + static_cast<std::ptrdiff_t>(n);
    std::nth_element(parts.begin(), nth, parts.end());
    return *nth;
}

}  // namespace

Belief combine(std::span<const Belief> parts, std::size_t required) {
    CHECK(!parts.empty() && required <= parts.size());
    if (parts.size() == 1) {
        return parts[0];
    }
    // Health is ordered from best to worst.
    const std::size_t n = (required == 0 ? parts.size() : required) - 1;
    std::vector<Health> now;
    std::vector<std::size_t> moving;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        now.push_back(parts[i].health);
        if (parts[i].earliest != base::kNever) {
            moving.push_back(i);
        }
    }
    const Health health = nth_best(now, n);
    // Let the changes under way happen one after the other until one moves the whole.
    std::ranges::stable_sort(moving, {}, [&](std::size_t i) { return parts[i].earliest; });
    for (const std::size_t i : moving) {
        now[i] = parts[i].next;
        if (const Health next = nth_best(now, n); next != health) {
            return {health, next, parts[i].earliest};
        }
    }
    return {health, health, base::kNever};
}

}  // namespace steerd::health
