// See event_json.h. Thread rule: pure functions.
#include "admin/event_json.h"

#include <string>

#include "base/text.h"
#include "health/orders.h"

namespace steerd::admin {

namespace {

using control::EventKind;

/// What the name in an event is called there.
const char* subject(const control::Event& event) {
    switch (event.kind) {
        case EventKind::Transition:
            return "endpoint";
        case EventKind::OrderSet:
        case EventKind::OrderReleased:
        case EventKind::OrderExpired:
            return event.name.starts_with(health::kRegionPrefix) ? "region" : "endpoint";
        case EventKind::RouteMoved:
        case EventKind::RouteReleased:
            return "route";
        case EventKind::Reload:
            return "";
    }
    return "";
}

/// The state after it.
std::string state(const control::Event& event) {
    switch (event.kind) {
        case EventKind::Transition:
        case EventKind::OrderSet:
        case EventKind::RouteMoved:
            return event.to;
        case EventKind::OrderReleased:
        case EventKind::RouteReleased:
            return "released";
        case EventKind::OrderExpired:
            return "expired";
        case EventKind::Reload:
            return "";
    }
    return "";
}

}  // namespace

Json event_json(const control::Event& event) {
    Json out = {{"id", event.id},
                {"at", base::format_wall(event.at)},
                {"kind", control::to_text(event.kind)}};
    const auto put = [&](const char* key, const std::string& value) {
        if (!value.empty()) {
            out[key] = value;
        }
    };
    put("name", event.name);
    if (const std::string key = subject(event); !key.empty()) {
        // A region is ordered as "region:NAME" and is called NAME.
        const bool region = key == "region";
        out[key] = region ? event.name.substr(health::kRegionPrefix.size()) : event.name;
    }
    put("address", event.address);
    put("judge", event.judge);
    put("from", event.from);
    put("state", state(event));
    put(event.kind == EventKind::OrderSet ? "reason" : "cause", event.cause);
    put("who", event.who);
    if (event.until) {
        out["until"] = base::format_wall(*event.until);
    }
    return out;
}

}  // namespace steerd::admin
