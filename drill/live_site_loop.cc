#include "drill/live_site_loop.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "base/rng.h"

namespace steerd::drill {

namespace {

constexpr std::size_t kMostPorts = 32;
constexpr std::size_t kMostConnections = 192;
constexpr std::size_t kMostRequest = 16384;
constexpr int kBacklog = 128;
constexpr unsigned kSourceInIp = 12;  // offset of the source address, RFC 791 3.1

sockaddr_in sockaddr_of(const base::IpAddress& address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(address.v4_value());
    return out;
}

/// One connection: its request is read up to the empty line, then answered when it is due.
struct Connection {
    int fd = -1;
    std::size_t port = 0;
    std::size_t octets = 0;
    unsigned line_ends = 0;  // of the empty line that ends a request
    bool complete = false;
    base::Mono due{};
};

class SiteLoop {
  public:
    SiteLoop(const SitePlan& plan, int control)
        : plan_(plan), control_(control), rng_(base::mix64(plan.seed)) {}

    bool listen();
    void run();

    void say_done() const { (void)!::send(control_, &kSiteDone, 1, MSG_NOSIGNAL); }

  private:
    [[nodiscard]] int wait_ms() const;
    bool obey();
    [[nodiscard]] bool cut(Cut what) const;
    void accept_all(std::size_t port);
    void read_from(Connection& connection);
    void answer(Connection& connection);

    static void close(Connection& connection) {
        ::close(connection.fd);
        connection = Connection{};
    }

    const SitePlan& plan_;
    int control_;
    base::Rng rng_;
    base::RealClock clock_;
    SiteBehaviour behaviour_;
    std::array<int, kMostPorts> listeners_{};
    std::size_t listener_count_ = 0;
    std::array<Connection, kMostConnections> connections_{};
    std::size_t oldest_ = 0;
};

bool SiteLoop::listen() {
    for (const SitePort& port : plan_.ports) {
        if (listener_count_ == kMostPorts) {
            return false;
        }
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const int yes = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        const sockaddr_in at = sockaddr_of(plan_.address, port.port);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
        if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
            ::listen(fd, kBacklog) != 0) {
            return false;
        }
        listeners_[listener_count_++] = fd;
    }
    return true;
}

/// A filter on a listening socket sees each packet that would begin a connection; what it refuses
/// is lost on the way, as far as the other side can tell.
bool SiteLoop::cut(Cut what) const {
    std::array<sock_filter, 4> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(SKF_NET_OFF) + kSourceInIp),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, plan_.client.v4_value(), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, what == Cut::All ? 0U : 0xFFFFFFFFU),
        BPF_STMT(BPF_RET | BPF_K, 0U),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    const int unused = 0;  // without a value, which nobody reads, nothing is detached
    for (std::size_t i = 0; i < listener_count_; ++i) {
        const int failed =
            what == Cut::None
                ? ::setsockopt(listeners_[i], SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused)
                : ::setsockopt(listeners_[i], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
        if (failed != 0) {
            return false;
        }
    }
    return true;
}

bool SiteLoop::obey() {
    SiteBehaviour next;
    const auto got = ::recv(control_, &next, sizeof next, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (got != sizeof next) {
        return false;  // the drill is gone
    }
    if (next.cut != behaviour_.cut && !cut(next.cut)) {
        return false;  // it ends, and the drill is told that it does not obey
    }
    behaviour_ = next;
    say_done();
    return true;
}

int SiteLoop::wait_ms() const {
    base::Mono next = base::kNever;
    for (const Connection& connection : connections_) {
        if (connection.fd >= 0 && connection.complete) {
            next = std::min(next, connection.due);
        }
    }
    if (next == base::kNever) {
        return -1;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock_.now().mono);
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60000));
}

void SiteLoop::accept_all(std::size_t port) {
    while (true) {
        const int fd = ::accept4(listeners_[port], nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            return;
        }
        Connection* place = std::find_if(connections_.begin(), connections_.end(),
                                         [](const Connection& one) { return one.fd < 0; });
        if (place == connections_.end()) {
            oldest_ = (oldest_ + 1) % kMostConnections;
            place = &connections_[oldest_];
            close(*place);
        }
        *place = Connection{};
        place->fd = fd;
        place->port = port;
    }
}

void SiteLoop::read_from(Connection& connection) {
    std::array<char, 2048> buffer;
    const auto got = ::recv(connection.fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    const bool http = plan_.ports[connection.port].http;
    connection.octets += static_cast<std::size_t>(std::max<ssize_t>(0, got));
    if (got <= 0 || (http && connection.octets > kMostRequest)) {
        close(connection);
        return;
    }
    for (ssize_t i = 0; http && i < got && !connection.complete; ++i) {
        const char c = buffer[static_cast<std::size_t>(i)];
        if (c != '\r') {
            connection.line_ends = c == '\n' ? connection.line_ends + 1 : 0;
        }
        if (connection.line_ends == 2) {
            connection.complete = true;
            connection.due = clock_.now().mono + std::chrono::milliseconds(behaviour_.delay_ms);
        }
    }
}

void SiteLoop::answer(Connection& connection) {
    const SitePort& port = plan_.ports[connection.port];
    const bool fails = behaviour_.fail > 0 && rng_.unit() < static_cast<double>(behaviour_.fail);
    const std::string& text = fails ? port.bad : port.good;
    (void)!::send(connection.fd, text.data(), text.size(), MSG_NOSIGNAL);
    close(connection);
}

void SiteLoop::run() {
    std::array<pollfd, 1 + kMostPorts + kMostConnections> polled{};
    std::array<Connection*, kMostConnections> owners{};
    while (true) {
        std::size_t count = 0;
        polled[count++] = {control_, POLLIN, 0};
        for (std::size_t i = 0; i < listener_count_; ++i) {
            polled[count++] = {listeners_[i], POLLIN, 0};
        }
        const std::size_t first = count;
        for (Connection& connection : connections_) {
            if (connection.fd >= 0 && !connection.complete) {
                owners[count - first] = &connection;
                polled[count++] = {connection.fd, POLLIN, 0};
            }
        }
        ::poll(polled.data(), count, wait_ms());
        if (polled[0].revents != 0 && !obey()) {
            return;
        }
        for (std::size_t i = first; i < count; ++i) {
            if (polled[i].revents != 0) {
                read_from(*owners[i - first]);
            }
        }
        for (std::size_t i = 0; i < listener_count_; ++i) {
            if (polled[1 + i].revents != 0) {
                accept_all(i);
            }
        }
        const base::Mono now = clock_.now().mono;
        for (Connection& connection : connections_) {
            if (connection.fd >= 0 && connection.complete && connection.due <= now) {
                answer(connection);
            }
        }
    }
}

}  // namespace

void run_site(const SitePlan& plan, int control) {
    // A Ctrl-C is for the drill, which then ends everything in order.
    ::setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
        std::signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
    }
    // Nothing of the drill's is held open by a child: not its pipes, not its server's.
    constexpr int kOwn = 3;
    control = ::dup2(control, kOwn);
    ::close_range(kOwn + 1, ~0U, 0);
    SiteLoop loop(plan, control);
    if (loop.listen()) {
        loop.say_done();
        loop.run();
    }
    ::_exit(0);
}

}  // namespace steerd::drill
