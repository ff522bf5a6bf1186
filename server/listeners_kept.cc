#include "server/listeners_kept.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>

#include "server/sockaddr.h"

namespace steerd::server {

namespace {

constexpr std::string_view kKeptPrefix = "steerd-kept-";

std::size_t keep(const Notifier& notifier, const std::vector<Socket>& sockets) {
    std::size_t sent = 0;
    for (const auto& socket : sockets) {
        // FDPOLL=0: the manager must not drop it because of an error somebody sent to it.
        if (!socket.keep_as.empty() &&
            notifier.send_with(fmt::format("FDSTORE=1\nFDNAME={}\nFDPOLL=0", socket.keep_as),
                               socket.fd.get())) {
            ++sent;
        }
    }
    return sent;
}

}  // namespace

std::optional<BoundSocket> describe(int fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    int type = 0;
    socklen_t type_length = sizeof type;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0 ||
        ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0) {
        return std::nullopt;
    }
    const auto address = from_sockaddr(storage);
    return address ? std::optional(BoundSocket{*address, type}) : std::nullopt;
}

std::string kept_name(std::size_t n) { return fmt::format("{}{}", kKeptPrefix, n); }

std::vector<std::string> release_unwanted(const Notifier& notifier,
                                          const std::vector<base::SocketAddress>& addresses,
                                          std::vector<InheritedSocket>& inherited) {
    std::vector<std::string> out;
    std::erase_if(inherited, [&](const InheritedSocket& socket) {
        const auto bound = describe(socket.fd.get());
        if (bound &&
            std::find(addresses.begin(), addresses.end(), bound->address) != addresses.end()) {
            return false;
        }
        if (socket.name.starts_with(kKeptPrefix)) {
            notifier.send(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", socket.name));
        } else {
            out.push_back(fmt::format(
                "the service manager passed {} ({}), which [server] listen does not name: "
                "nothing that is sent there is answered",
                bound ? fmt::format("{} {}", bound->type == SOCK_DGRAM ? "UDP" : "TCP",
                                    bound->address.text())
                      : "a descriptor",
                socket.name.empty() ? "no name" : socket.name));
        }
        return true;
    });
    return out;
}

std::size_t keep_sockets(const Notifier& notifier, const std::vector<WorkerSockets>& sockets) {
    std::size_t sent = 0;
    if (notifier) {
        for (const auto& worker : sockets) {
            sent += keep(notifier, worker.udp) + keep(notifier, worker.tcp);
        }
    }
    return sent;
}

}  // namespace steerd::server
