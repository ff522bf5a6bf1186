#include "server/notify.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "server/fd.h"

namespace steerd::server {

namespace {

// The manager's queue is short (net.unix.max_dgram_qlen): wait for it, but not for ever.
constexpr timeval kSendTimeout{.tv_sec = 1, .tv_usec = 0};

std::optional<std::string> taken_from_environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::string out = value;
    ::unsetenv(name);
    return out;
}

bool deliver(const std::string& path, std::string_view state, int fd_to_pass) noexcept {
    sockaddr_un address{};
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return false;
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';  // the abstract namespace, sd_notify(3)
    }
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) {
        return false;
    }
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof kSendTimeout);
    // sendmsg() does not write to what it sends.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    iovec text{const_cast<char*>(state.data()), state.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_name = &address;
    message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    if (fd_to_pass >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &fd_to_pass, sizeof(int));
    }
    return ::sendmsg(fd.get(), &message, MSG_NOSIGNAL) >= 0;
}

}  // namespace

Notifier Notifier::from_environment() {
    Notifier out;
    out.socket_ = taken_from_environment("NOTIFY_SOCKET").value_or("");
    return out;
}

bool Notifier::send(std::string_view state) const noexcept { return deliver(socket_, state, -1); }

bool Notifier::send_with(std::string_view state, int fd) const noexcept {
    return deliver(socket_, state, fd);
}

Watchdog Watchdog::from_environment() {
    Watchdog out;
    const auto usec = taken_from_environment("WATCHDOG_USEC");
    const auto pid = taken_from_environment("WATCHDOG_PID");
    if (!usec || (pid && *pid != std::to_string(::getpid()))) {
        return out;
    }
    std::int64_t interval_us = 0;
    const auto* const end = usec->data() + usec->size();
    const auto read = std::from_chars(usec->data(), end, interval_us);
    if (read.ec == std::errc() && read.ptr == end && interval_us > 0) {
        out.every_ = std::chrono::microseconds(interval_us) / 2;
    }
    return out;
}

void Watchdog::feed(const Notifier& notifier, base::Mono now,
                    std::span<const std::uint64_t> beats) {
    if (!every_ || (fed_ && now - *fed_ < *every_)) {
        return;
    }
    bool all_moved = true;
    if (seen_.size() == beats.size()) {
        for (std::size_t i = 0; i < beats.size(); ++i) {
            all_moved = all_moved && beats[i] != seen_[i];
        }
    }
    if (!all_moved) {
        return;  // asked again at the next call: a thread that is only late is not given up
    }
    seen_.assign(beats.begin(), beats.end());
    fed_ = now;
    notifier.send("WATCHDOG=1");
}

}  // namespace steerd::server
