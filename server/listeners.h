// Opens the sockets that queries arrive on, or takes over those that were inherited (LISTEN_FDS,
// sd_listen_fds(3)): the only place that does either. Workers are handed descriptors.
// For each address every worker gets a UDP and a listening TCP socket of its own (SO_REUSEPORT), so
// that workers share nothing. A wildcard address learns from the packet which address was asked
// (IP_PKTINFO); others are bound to one address and need not. An address that no interface has yet
// is bound all the same (IP_FREEBIND).
// Which of them outlive this process in the service manager's hands: listeners_kept.h.
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
    /// The name under which the service manager may keep it; empty where it has it already, or
    /// where it is a copy of another.
    std::string keep_as;
    bool absent = false;  // no interface had the address yet when it was bound
};

/// A socket that the service manager passed on, with the name it has there.
struct InheritedSocket {
    Fd fd;
    std::string name;
};

/// What one worker serves.
struct WorkerSockets {
    std::vector<Socket> udp;
    std::vector<Socket> tcp;
};

/// The descriptors 3 .. 3+n-1 that a service manager passed to this process, by LISTEN_FDS,
/// LISTEN_FDNAMES and LISTEN_PID; the variables are removed from the environment. Each is owned by
/// the caller.
[[nodiscard]] std::vector<InheritedSocket> inherited_sockets();

/// Binds UDP and TCP on each address, `workers` times; port 0 takes one free port for all of an
/// address. Inherited descriptors that are bound to an address of the list are used first, and all
/// of them, since the manager holds them open and the kernel goes on to spread queries over them:
/// where there are more than workers, some workers read several. Others are closed.
/// The error names the address and the cause.
[[nodiscard]] base::Result<std::vector<WorkerSockets>, std::string> open_listeners(
    const std::vector<base::SocketAddress>& addresses, std::size_t workers,
    std::vector<InheritedSocket> inherited);

}  // namespace steerd::server
