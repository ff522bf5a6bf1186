#include "health/probers/socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace steerd::probers {

namespace {

socklen_t to_sockaddr(const base::SocketAddress& from, sockaddr_storage& to) noexcept {
    to = {};
    const auto octets = from.address.octets();
    if (from.address.is_v4()) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(from.port);
        std::memcpy(&in.sin_addr, octets.data(), octets.size());
        std::memcpy(&to, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(from.port);
    std::memcpy(&in.sin6_addr, octets.data(), octets.size());
    std::memcpy(&to, &in, sizeof in);
    return sizeof in;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        Fd old(std::exchange(fd_, std::exchange(other.fd_, -1)));
    }
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Fd open_socket(base::IpFamily family, Transport transport) noexcept {
    const int type = transport == Transport::Tcp ? SOCK_STREAM : SOCK_DGRAM;
    return Fd(::socket(family == base::IpFamily::V4 ? AF_INET : AF_INET6,
                       type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int connect_socket(int fd, const base::SocketAddress& to) noexcept {
    sockaddr_storage storage;
    const socklen_t size = to_sockaddr(to, storage);
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0 ? 0 : errno;
}

int pending_error(int fd) noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int local_route_error(const base::SocketAddress& to) noexcept {
    const Fd fd = open_socket(to.address.family(), Transport::Udp);
    return fd.valid() ? connect_socket(fd.get(), to) : errno;
}

std::string error_words(int error, Reported reported) {
    switch (error) {
        case 0:
            return "no connection";
        case ECONNREFUSED:
            return "connection refused";
        case ECONNRESET:
        case EPIPE:
            return "connection reset";
        case ETIMEDOUT:
            return "connection timed out";
        case EHOSTUNREACH:
            return reported == Reported::AtOnce ? "no local route" : "host unreachable";
        case ENETUNREACH:
            return reported == Reported::AtOnce ? "no local route" : "network unreachable";
        case EACCES:
        case EPERM:
            return reported == Reported::AtOnce ? "forbidden by this machine" : "prohibited";
        case EMFILE:
        case ENFILE:
            return "no descriptor left";
        case EADDRNOTAVAIL:
            return "no local address or port left";
        case EAFNOSUPPORT:
            return "address family not supported here";
        default: {
            const char* words = ::strerrordesc_np(error);
            return words != nullptr ? printable(words) : "error " + std::to_string(error);
        }
    }
}

Judgement judge_error(int error, Reported reported) {
    const bool said_by_peer =
        error == ECONNREFUSED || error == ECONNRESET || error == ETIMEDOUT || error == EPIPE;
    const bool ours = reported == Reported::AtOnce && !said_by_peer;
    return {ours ? health::Outcome::Inconclusive : health::Outcome::Fail,
            error_words(error, reported)};
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string out(text.substr(0, limit));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
    return out;
}

}  // namespace steerd::probers
