#include "server/event_text.h"

#include <fmt/format.h>

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

}  // namespace steerd::server
