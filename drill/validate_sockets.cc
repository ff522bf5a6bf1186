#include "drill/validate_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>

namespace steerd::drill {

namespace {

constexpr int kBuffer = 1 << 20;
constexpr int kPortTries = 50;

sockaddr_in socket_address(std::uint32_t host, std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(host);
    return at;
}

bool bind_to(const LiveFd& fd, const sockaddr_in& at) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

}  // namespace

LiveFd loopback_socket() {
    LiveFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || !bind_to(fd, socket_address(INADDR_LOOPBACK, 0))) {
        return {};
    }
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kBuffer, sizeof kBuffer);
    return fd;
}

LiveFd connected_socket(const base::SocketAddress& to) {
    LiveFd fd = loopback_socket();
    const sockaddr_in at = socket_address(to.address.v4_value(), to.port);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
        return {};
    }
    return fd;
}

std::uint16_t port_of(const LiveFd& fd) {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
}

std::uint16_t free_port() {
    for (int tries = 0; tries < kPortTries; ++tries) {
        const LiveFd udp = loopback_socket();
        const LiveFd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const std::uint16_t port = udp ? port_of(udp) : std::uint16_t{0};
        if (port != 0 && tcp && bind_to(tcp, socket_address(INADDR_LOOPBACK, port))) {
            return port;
        }
    }
    return 0;
}

double second_fraction(base::Wall at) noexcept {
    const auto since = at.time_since_epoch();
    return std::chrono::duration<double>(since - std::chrono::floor<std::chrono::seconds>(since))
        .count();
}

}  // namespace steerd::drill
