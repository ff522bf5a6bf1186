// Sockets that outlive the process. The service manager keeps a copy of each socket we opened in
// its descriptor store (FDSTORE=1, sd_pid_notify_with_fds(3)) and hands them back at the next
// start, so that across a restart, an upgrade or a crash queries wait in them and connections are
// accepted. What came from a .socket unit the manager holds anyway, and it is not stored again. A
// stored socket that the configuration no longer names is given back (FDSTOREREMOVE=1). Thread
// rule: as listeners.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "server/listeners.h"
#include "server/notify.h"

namespace steerd::server {

/// What a socket is bound to.
struct BoundSocket {
    base::SocketAddress address;
    int type = 0;  // SOCK_DGRAM, SOCK_STREAM

    bool operator==(const BoundSocket&) const = default;
};

/// Nothing where it is not an Internet socket.
[[nodiscard]] std::optional<BoundSocket> describe(int fd);

/// The name of the n-th socket that we let the manager keep: "steerd-kept-n".
[[nodiscard]] std::string kept_name(std::size_t n);

/// Takes out of `inherited` what is bound to none of the addresses; what was stored by us leaves
/// the store as well. Returns a sentence for each of the others: they come from a .socket unit,
/// which holds them open, so that whoever asks there waits in vain.
[[nodiscard]] std::vector<std::string> release_unwanted(
    const Notifier& notifier, const std::vector<base::SocketAddress>& addresses,
    std::vector<InheritedSocket>& inherited);

/// Gives the manager a copy of each socket that we opened; how many it was sent. None without one.
std::size_t keep_sockets(const Notifier& notifier, const std::vector<WorkerSockets>& sockets);

}  // namespace steerd::server
