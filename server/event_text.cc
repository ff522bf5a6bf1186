#include "server/event_text.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "server/log.h"

namespace steerd::server {

std::string event_text(const control::Event& event) {
    std::string out(control::to_text(event.kind));
    if (!event.name.empty()) {
        out += " " + event.name;
    }
    if (!event.judge.empty()) {
        out += fmt::format(" [{}]", event.judge);
    }
    if (!event.address.empty()) {
        out += " " + event.address;
    }
    if (!event.from.empty() || !event.to.empty()) {
        out += fmt::format(": {} -> {}", event.from.empty() ? "none" : event.from,
                           event.to.empty() ? "none" : event.to);
    }
    if (!event.cause.empty()) {
        out += fmt::format(" ({})", event.cause);
    }
    if (!event.who.empty()) {
        out += " by " + event.who;
    }
    return out;
}

void log_event(const control::Event& event) {
    const std::string until = event.until ? base::format_wall(*event.until) : "";
    const bool route = event.kind == control::EventKind::RouteMoved ||
                       event.kind == control::EventKind::RouteReleased;
    const std::array fields{LogField{"EVENT", control::to_text(event.kind)},
                            LogField{route ? "ROUTE" : "ENDPOINT", event.name},
                            LogField{"ADDRESS", event.address},
                            LogField{"FROM", event.from},
                            LogField{"TO", event.to},
                            LogField{"CAUSE", event.cause},
                            LogField{"WHO", event.who},
                            LogField{"UNTIL", until},
                            LogField{"JUDGE", event.judge}};
    log(LogLevel::Notice, event_text(event), fields);
}

}  // namespace steerd::server
