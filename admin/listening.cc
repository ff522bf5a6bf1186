// See listening.h. Thread rule: the main thread at start.
#include "admin/listening.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "server/sockaddr.h"

namespace steerd::admin {

namespace {

constexpr int kBacklog = 256;
/// What a reader who does not read may hold in the kernel.
constexpr int kSendBuffer = 64 * 1024;
constexpr mode_t kNobodyElse = 0117;  // leaves rw for owner and group

std::string failed(const std::string& what) {
    return fmt::format("cannot listen on {} ([admin] listen): {}", what, std::strerror(errno));
}

// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how sockets are addressed
const sockaddr* generic(const auto& address) { return reinterpret_cast<const sockaddr*>(&address); }

bool someone_answers(const sockaddr_un& address) {
    const server::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // A full backlog (EAGAIN) is a living server, too.
    return fd && (::connect(fd.get(), generic(address), sizeof(address)) == 0 || errno == EAGAIN);
}

}  // namespace

base::Result<server::Fd, std::string> listen_unix(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.string().size() >= sizeof(address.sun_path)) {
        return base::Err{fmt::format("the path {} is too long for a socket", path.string())};
    }
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    std::error_code ignored;
    if (path.has_parent_path()) {
        std::filesystem::create_directories(path.parent_path(), ignored);
    }
    if (std::filesystem::is_socket(path, ignored)) {
        if (someone_answers(address)) {
            return base::Err{fmt::format(
                "cannot listen on unix:{} ([admin] listen): another server answers there",
                path.string())};
        }
        ::unlink(path.c_str());
    }
    server::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const mode_t before = ::umask(kNobodyElse);
    const bool bound = fd && ::bind(fd.get(), generic(address), sizeof(address)) == 0;
    const int why = errno;
    ::umask(before);
    errno = why;
    if (!bound || ::listen(fd.get(), kBacklog) != 0) {
        return base::Err{failed("unix:" + path.string())};
    }
    return fd;
}

base::Result<server::Fd, std::string> listen_tcp(base::SocketAddress& address) {
    sockaddr_storage storage{};
    const socklen_t length = server::to_sockaddr(address, storage);
    server::Fd fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    if (fd && storage.ss_family == AF_INET6) {
        (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    }
    // Connections that are long over (TIME_WAIT) must not hinder a start.
    if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof(kSendBuffer)) != 0 ||
        ::bind(fd.get(), generic(storage), length) != 0 || ::listen(fd.get(), kBacklog) != 0) {
        return base::Err{failed(address.text())};
    }
    socklen_t size = sizeof(storage);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how sockets are addressed
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) == 0) {
        address = server::from_sockaddr(storage).value_or(address);
    }
    return fd;
}

}  // namespace steerd::admin
