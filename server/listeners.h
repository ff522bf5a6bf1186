// Opens the sockets that queries arrive on, or takes over those that were inherited (LISTEN_FDS,
// sd_listen_fds(3)): the only place that does either. Workers are handed descriptors.
// For each address every worker gets a UDP and a listening TCP socket of its own (SO_REUSEPORT), so
// that workers share nothing. A wildcard address learns from the packet which address was asked
// (IP_PKTINFO); others are bound to one address and need not.
// Thread rule: the main thread, before workers start.
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "server/fd.h"

namespace steerd::server {

/// One socket for one worker.
struct Socket {
    Fd fd;
    base::SocketAddress address;  // as bound (the port is known here even when 0 was asked)
    bool wildcard = false;
};

/// What one worker serves.
struct WorkerSockets {
    std::vector<Socket> udp;
    std::vector<Socket> tcp;
};

/// The descriptors 3 .. 3+n-1 that a service manager passed to this process, by LISTEN_FDS and
/// LISTEN_PID; the variables are removed from the environment. Each is owned by the caller.
[[nodiscard]] std::vector<Fd> inherited_sockets();

/// Binds UDP and TCP on each address, `workers` times; port 0 takes one free port for all of an
/// address. Inherited descriptors that are bound to an address of the list are used first.
/// The error names the address and the cause.
[[nodiscard]] base::Result<std::vector<WorkerSockets>, std::string> open_listeners(
    const std::vector<base::SocketAddress>& addresses, std::size_t workers,
    std::vector<Fd> inherited);

}  // namespace steerd::server
