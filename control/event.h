// What happened, as data: transitions, orders, moves of failover routes, reloads. The control keeps
// a bounded history of them and hands each out once; words for people are made from them in admin/
// and cli/. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "health/health.h"

namespace steerd::control {

enum class EventKind : std::uint8_t {
    Transition,     // an address (or CNAME target) of an endpoint changed its health
    OrderSet,       // an operator ordered an endpoint or region
    OrderReleased,  // and took it back
    OrderExpired,   // or its time was over
    RouteMoved,     // a failover route that remembers went to another member
    RouteReleased,  // an operator let a held failover route go back
    Reload,         // a new plan is in force
};

[[nodiscard]] std::string_view to_text(EventKind kind) noexcept;

/// Fields that a kind does not speak of stay empty.
struct Event {
    std::uint64_t id = 0;  // rises by one with each event of this process
    base::Wall at{};
    EventKind kind = EventKind::Transition;
    std::string name;     // endpoint, "region:NAME", or the route
    std::string address;  // Transition: "192.0.2.10", or the CNAME target
    std::string from;     // Transition: health; RouteMoved: member
    std::string to;       // Transition: health; OrderSet: "drain", "up", "down"; RouteMoved: member
    std::string cause;    // "timeout after 2s", an order's reason, "failback after 5m"
    std::string who;      // orders
    std::optional<base::Wall> until;  // orders
    std::string judge;                // RouteMoved: "ipv4", "ipv6" or "both"
};

}  // namespace steerd::control
