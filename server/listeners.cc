#include "server/listeners.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include "server/listeners_kept.h"
#include "server/sockaddr.h"

namespace steerd::server {

namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
constexpr int kMaxInherited = 4096;
constexpr int kTcpBacklog = 1024;
constexpr int kReceiveBuffer = 4 << 20;  // a reload or a burst must not drop queries
constexpr int kTcpFastOpenQueue = 64;
constexpr int kPortAttempts = 16;
// A UDP receiver that waits wakes this often, to let go of an old snapshot.
constexpr timeval kReceiveTimeout{.tv_sec = 0, .tv_usec = 250000};

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
    // Its thread waits in the receiving call (udp.h).
    (void)::fcntl(fd, F_SETFL, 0);
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kReceiveTimeout, sizeof kReceiveTimeout);
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

/// Also where no interface has the address yet: it is answered from the moment one has it. At boot
/// an address often comes later than we do, and then a start that fails would have to be repeated
/// by someone. Nothing else is allowed by it; what stands in the way otherwise is told as before.
bool bind_to(int fd, const sockaddr* address, socklen_t length, bool& absent) noexcept {
    if (::bind(fd, address, length) == 0) {
        return true;
    }
    if (errno != EADDRNOTAVAIL) {
        return false;
    }
    absent = true;
    // IPv6 sockets take it, too (ip(7), ipv6(7)).
    set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
    return ::bind(fd, address, length) == 0;
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
    bool absent = false;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (!bind_to(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length, absent)) {
        return base::Err{errno};
    }
    length = sizeof storage;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
        return base::Err{errno};
    }
    Socket socket{std::move(fd),
                  from_sockaddr(storage).value_or(address),
                  is_wildcard(address.address),
                  {},
                  absent};
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
    BoundSocket bound;
};

/// What a service manager gave, and which names of ours are not taken there.
struct Given {
    std::vector<Inherited> sockets;
    std::set<std::string> names;
    std::size_t next = 0;

    explicit Given(std::vector<InheritedSocket> inherited) {
        for (auto& socket : inherited) {
            names.insert(socket.name);
            if (const auto bound = describe(socket.fd.get())) {
                sockets.push_back({std::move(socket.fd), *bound});
            }
        }
    }

    /// The inherited socket of this address and type, taken out of the list.
    std::optional<Fd> take(const base::SocketAddress& address, int type) {
        for (auto& entry : sockets) {
            if (entry.fd && entry.bound == BoundSocket{address, type}) {
                return std::move(entry.fd);
            }
        }
        return std::nullopt;
    }

    std::string free_name() {
        while (names.contains(kept_name(next))) {
            ++next;
        }
        return kept_name(next++);
    }
};

/// One address and transport for all workers.
base::Result<std::vector<Socket>, std::string> open_group(const base::SocketAddress& wanted,
                                                          int type, std::size_t workers,
                                                          Given& given) {
    const std::string_view transport = type == SOCK_DGRAM ? "UDP" : "TCP";
    std::vector<Socket> group;
    while (auto fd = given.take(wanted, type)) {
        (void)::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
        group.push_back({std::move(*fd), wanted, is_wildcard(wanted.address), {}, false});
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
            // An inherited socket admits no second one if it lacks SO_REUSEPORT or belongs to
            // another user (systemd's belong to root): workers share it.
            Fd copy(::fcntl(group.front().fd.get(), F_DUPFD_CLOEXEC, 0));
            if (copy) {
                group.push_back(
                    {std::move(copy), address, is_wildcard(address.address), {}, false});
                continue;
            }
        }
        if (!socket) {
            return base::Err{problem(transport, address, socket.error())};
        }
        address = socket->address;
        socket->keep_as = given.free_name();
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
                                          Given& given) {
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

std::vector<InheritedSocket> inherited_sockets() {
    std::vector<InheritedSocket> out;
    const char* pid = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    const char* names = std::getenv("LISTEN_FDNAMES");
    if (pid != nullptr && count != nullptr && std::string_view(pid) == std::to_string(::getpid())) {
        int n = 0;
        const std::string_view text(count);
        std::from_chars(text.begin(), text.end(), n);
        std::string_view rest(names == nullptr ? "" : names);
        for (int i = 0; i < std::clamp(n, 0, kMaxInherited); ++i) {
            (void)::fcntl(kFirstInherited + i, F_SETFD, FD_CLOEXEC);
            const auto colon = std::min(rest.find(':'), rest.size());
            out.push_back({Fd(kFirstInherited + i), std::string(rest.substr(0, colon))});
            rest.remove_prefix(std::min(colon + 1, rest.size()));
        }
    }
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
    ::unsetenv("LISTEN_FDNAMES");
    return out;
}

base::Result<std::vector<WorkerSockets>, std::string> open_listeners(
    const std::vector<base::SocketAddress>& addresses, std::size_t workers,
    std::vector<InheritedSocket> inherited) {
    Given given(std::move(inherited));
    std::vector<WorkerSockets> out(workers);
    for (const auto& wanted : addresses) {
        auto pair = open_pair(wanted, workers, given);
        if (!pair) {
            return base::Err{pair.error()};
        }
        for (std::size_t i = 0; i < pair->udp.size(); ++i) {
            out[i % workers].udp.push_back(std::move(pair->udp[i]));
        }
        for (std::size_t i = 0; i < pair->tcp.size(); ++i) {
            out[i % workers].tcp.push_back(std::move(pair->tcp[i]));
        }
    }
    return out;
}

}  // namespace steerd::server
