// See history.h; and the words of events. Thread rule: one owner.
#include "control/history.h"

#include <algorithm>
#include <utility>

namespace steerd::control {

std::string_view to_text(EventKind kind) noexcept {
    switch (kind) {
        case EventKind::Transition:
            return "transition";
        case EventKind::OrderSet:
            return "order";
        case EventKind::OrderReleased:
            return "release";
        case EventKind::OrderExpired:
            return "expired";
        case EventKind::RouteMoved:
            return "moved";
        case EventKind::RouteReleased:
            return "route-release";
        case EventKind::Reload:
            return "reload";
    }
    return "event";
}

void History::add(Event event, base::Wall at) {
    event.id = ++last_id_;
    event.at = at;
    if (limit_ > 0) {
        if (kept_.size() == limit_) {
            kept_.pop_front();
        }
        kept_.push_back(event);
    }
    new_.push_back(std::move(event));
}

std::vector<Event> History::take_new() { return std::exchange(new_, {}); }

std::vector<Event> History::after(std::uint64_t after) const {
    const auto from = std::ranges::upper_bound(kept_, after, {}, &Event::id);
    return {from, kept_.end()};
}

}  // namespace steerd::control
