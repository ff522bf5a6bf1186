#include "server/listeners.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "server/sockaddr.h"

namespace steerd::server {

namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
constexpr int kTcpBacklog = 1024;
constexpr int kReceiveBuffer = 4 << 20;  // a reload or a burst must not drop queries
constexpr int kTcpFastOpenQueue = 64;
constexpr int kPortAttempts = 16;

void set_int(int fd, int level, int option, int value) noexcept {
    // Options that only help (buffer sizes, PMTU) may be refused by an old kernel or a container.
    (void)::setsockopt(fd, level, option, &value, sizeof value);
}

bool is_wildcard(const base::IpAddress& address) noexcept {
    return std::all_of(address.octets().begin(), address.octets().end(),
                       [](auto octet) { return octet == 0; });
}

void prepare_udp(int fd, const base::SocketAddress& address) noexcept {
    const bool v4 = address.address.is_v4();
    set_int(fd, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
    set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBuffer);
    // RFC 9210 and the fragmentation attacks behind it: never let a path MTU message from outside
    // make us fragment.
    set_int(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
            v4 ? IP_PMTUDISC_OMIT : IPV6_PMTUDISC_OMIT);
    if (is_wildcard(address.address)) {
        set_int(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
    }
}

void prepare_tcp(int fd) noexcept {
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, IPPROTO_TCP, TCP_FASTOPEN, kTcpFastOpenQueue);
}

std::string problem(std::string_view transport, const base::SocketAddress& address, int error) {
    const char* hint = "";
    if (error == EADDRINUSE) {
        hint = " (is another DNS server running there?)";
    } else if (error == EACCES) {
        hint = " (ports below 1024 need CAP_NET_BIND_SERVICE)";
    } else if (error == EADDRNOTAVAIL) {
        hint = " (no interface has this address)";
    }
    return fmt::format("cannot listen on {} {}: {}{}", transport, address.text(),
                       std::strerror(error), hint);
}

/// Opens and binds; errno of the failing call where there is none.
base::Result<Socket, int> bind_one(const base::SocketAddress& address, int type, bool share) {
    const int family = address.address.is_v4() ? AF_INET : AF_INET6;
    Fd fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return base::Err{errno};
    }
    if (type == SOCK_STREAM) {
        set_int(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);  // a restart meets TIME_WAIT
    }
    if (share) {
        set_int(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (family == AF_INET6) {
        set_int(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    sockaddr_storage storage{};
    socklen_t length = to_sockaddr(address, storage);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
        return base::Err{errno};
    }
    length = sizeof storage;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
        return base::Err{errno};
    }
    Socket socket{std::move(fd), from_sockaddr(storage).value_or(address),
                  is_wildcard(address.address)};
    return socket;
}

/// With SO_REUSEPORT a second server of the same user would silently share the port, so a socket
/// without it asks first whether the port is free. The kernel forgets it at once.
std::optional<int> occupied(const base::SocketAddress& address, int type) {
    if (address.port == 0) {
        return std::nullopt;
    }
    const auto probe = bind_one(address, type, false);
    if (!probe) {
        return probe.error();
    }
    if (type == SOCK_STREAM && ::listen(probe->fd.get(), 1) != 0) {
        return errno;
    }
    return std::nullopt;
}

struct Inherited {
    Fd fd;
    base::SocketAddress address;
    int type = 0;
};

std::vector<Inherited> describe(std::vector<Fd> fds) {
    std::vector<Inherited> out;
    for (auto& fd : fds) {
        sockaddr_storage storage{};
        socklen_t length = sizeof storage;
        int type = 0;
        socklen_t type_length = sizeof type;
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
        if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0 ||
            ::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &type_length) != 0) {
            continue;
        }
        if (const auto address = from_sockaddr(storage)) {
            out.push_back({std::move(fd), *address, type});
        }
    }
    return out;
}

/// The inherited socket of this address and type, taken out of the list.
std::optional<Fd> take(std::vector<Inherited>& inherited, const base::SocketAddress& address,
                       int type) {
    for (auto& entry : inherited) {
        if (entry.fd && entry.type == type && entry.address == address) {
            return std::move(entry.fd);
        }
    }
    return std::nullopt;
}

/// One address and transport for all workers.
base::Result<std::vector<Socket>, std::string> open_group(const base::SocketAddress& wanted,
                                                          int type, std::size_t workers,
                                                          std::vector<Inherited>& inherited) {
    const std::string_view transport = type == SOCK_DGRAM ? "UDP" : "TCP";
    std::vector<Socket> group;
    while (auto fd = take(inherited, wanted, type)) {
        if (group.size() < workers) {
            (void)::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
            group.push_back({std::move(*fd), wanted, is_wildcard(wanted.address)});
        }
    }
    if (group.empty()) {
        if (const auto error = occupied(wanted, type)) {
            return base::Err{problem(transport, wanted, *error)};
        }
    }
    base::SocketAddress address = wanted;
    while (group.size() < workers) {
        auto socket = bind_one(address, type, true);
        if (!socket && !group.empty()) {
            // An inherited socket without SO_REUSEPORT admits no second one: workers share it.
            Fd copy(::fcntl(group.front().fd.get(), F_DUPFD_CLOEXEC, 0));
            if (copy) {
                group.push_back({std::move(copy), address, is_wildcard(address.address)});
                continue;
            }
        }
        if (!socket) {
            return base::Err{problem(transport, address, socket.error())};
        }
        address = socket->address;
        group.push_back(std::move(*socket));
    }
    for (const auto& socket : group) {
        if (type == SOCK_DGRAM) {
            prepare_udp(socket.fd.get(), socket.address);
        } else {
            prepare_tcp(socket.fd.get());
            if (::listen(socket.fd.get(), kTcpBacklog) != 0) {
                return base::Err{problem(transport, address, errno)};
            }
        }
    }
    return group;
}

struct Pair {
    std::vector<Socket> udp;
    std::vector<Socket> tcp;
};

/// UDP and TCP of one address on one port. The kernel chooses port 0 for UDP alone, so TCP may find
/// that one taken: then another is tried.
base::Result<Pair, std::string> open_pair(const base::SocketAddress& wanted, std::size_t workers,
                                          std::vector<Inherited>& given) {
    for (int attempt = 1;; ++attempt) {
        auto udp = open_group(wanted, SOCK_DGRAM, workers, given);
        if (!udp) {
            return base::Err{udp.error()};
        }
        const base::SocketAddress chosen{wanted.address, udp->front().address.port};
        auto tcp = open_group(chosen, SOCK_STREAM, workers, given);
        if (tcp) {
            return Pair{std::move(*udp), std::move(*tcp)};
        }
        if (wanted.port != 0 || attempt == kPortAttempts) {
            return base::Err{tcp.error()};
        }
    }
}

}  // namespace

std::vector<Fd> inherited_sockets() {
    std::vector<Fd> out;
    const char* pid = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    if (pid != nullptr && count != nullptr && std::string_view(pid) == std::to_string(::getpid())) {
        int n = 0;
        const std::string_view text(count);
        std::from_chars(text.begin(), text.end(), n);
        for (int i = 0; i < std::clamp(n, 0, 1024); ++i) {
            (void)::fcntl(kFirstInherited + i, F_SETFD, FD_CLOEXEC);
            out.emplace_back(kFirstInherited + i);
        }
    }
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
    ::unsetenv("LISTEN_FDNAMES");
    return out;
}

base::Result<std::vector<WorkerSockets>, std::string> open_listeners(
    const std::vector<base::SocketAddress>& addresses, std::size_t workers,
    std::vector<Fd> inherited) {
    auto given = describe(std::move(inherited));
    std::vector<WorkerSockets> out(workers);
    for (const auto& wanted : addresses) {
        auto pair = open_pair(wanted, workers, given);
        if (!pair) {
            return base::Err{pair.error()};
        }
        for (std::size_t i = 0; i < workers; ++i) {
            out[i].udp.push_back(std::move(pair->udp[i]));
            out[i].tcp.push_back(std::move(pair->tcp[i]));
        }
    }
    return out;
}

}  // namespace steerd::server
