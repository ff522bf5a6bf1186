// The few socket calls of a validation. UDP over IPv4 loopback alone: the live server and all
// resolvers stand there. Not an interface: only validate*.cc includes it. Thread rule: free.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/ip.h"
#include "drill/live_fd.h"

namespace steerd::drill {

/// Bound to a free port of 127.0.0.1, not blocking; no descriptor where that failed.
[[nodiscard]] LiveFd loopback_socket();
/// The same, and connected to an IPv4 address.
[[nodiscard]] LiveFd connected_socket(const base::SocketAddress& to);
[[nodiscard]] std::uint16_t port_of(const LiveFd& fd);
/// A port of 127.0.0.1 that was free for UDP and TCP a moment ago; 0 where none was found.
[[nodiscard]] std::uint16_t free_port();

/// How far into its second a moment is, in seconds.
[[nodiscard]] double second_fraction(base::Wall at) noexcept;

}  // namespace steerd::drill
