#include "server/tcp.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/sockaddr.h"

namespace steerd::server {

namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kMaxMessage = 2 + 65535;
constexpr int kMaxAcceptsAtOnce = 64;
constexpr int kMaxReadsAtOnce = 4;  // then the other connections get their turn
constexpr unsigned kPrefixV4 = 24;
constexpr unsigned kPrefixV6 = 56;

/// Whose connections count together: one host has all addresses of its prefix.
base::IpPrefix prefix_of(const base::IpAddress& client) noexcept {
    return {client, client.is_v4() ? kPrefixV4 : kPrefixV6};
}

}  // namespace

struct TcpServer::Connection {
    TcpServer* server = nullptr;
    Fd fd;
    base::IpAddress client;
    std::uint16_t port = 0;
    uv_poll_t poll{};
    int watched = 0;  // events that `poll` waits for
    Age::iterator age;
    base::Mono last_query{};
    std::vector<std::uint8_t> in;   // an incomplete message
    std::vector<std::uint8_t> out;  // answers the client has not taken yet
    std::size_t out_sent = 0;
    std::size_t queries = 0;
    bool had_all = false;           // as many queries as one connection may have
    bool finished_sending = false;  // the client half-closed: answer what came, then close
};

TcpServer::TcpServer(uv_loop_t& loop, Deps deps, TcpLimits limits)
    : loop_(loop),
      deps_(deps),
      limits_(limits),
      scratch_in_(kReadSize),
      scratch_out_(limits.pending_write + kMaxMessage) {}

TcpServer::~TcpServer() = default;

/// After an accept that failed: whether the next one may go better at once.
bool TcpServer::make_room(int listener, int error) noexcept {
    if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM) {
        return true;  // nobody waits, or who waited has gone
    }
    // Linux looks for a descriptor before it looks who waits: with the last one in use it fails
    // although nobody does, and whom we would drop may be the one just accepted.
    pollfd waiting{listener, POLLIN, 0};
    if (::poll(&waiting, 1, 0) != 1) {
        return true;
    }
    deps_.counters.tcp_no_descriptor.add();
    if (by_age_.empty()) {
        return false;
    }
    drop(*by_age_.front());  // the longest idle client gives its descriptor back
    return true;
}

bool TcpServer::accept_from(int listener) noexcept {
    for (int i = 0; i < kMaxAcceptsAtOnce; ++i) {
        sockaddr_storage storage{};
        socklen_t length = sizeof storage;
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
        Fd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&storage), &length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd) {
            return make_room(listener, errno);
        }
        const auto peer = from_sockaddr(storage);
        if (!peer) {
            continue;
        }
        const auto prefix = prefix_of(peer->address);
        if (const auto same = per_prefix_.find(prefix);
            same != per_prefix_.end() && same->second >= limits_.connections_per_prefix) {
            deps_.counters.tcp_refused.add();
            continue;
        }
        if (by_age_.size() >= limits_.connections) {
            deps_.counters.tcp_refused.add();
            drop(*by_age_.front());
        }
        ++per_prefix_[prefix];
        const int one = 1;
        (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        deps_.rtts.measure(fd.get(), peer->address);
        auto connection = std::make_unique<Connection>();
        auto& c = *connection;
        c.server = this;
        c.fd = std::move(fd);
        c.client = peer->address;
        c.port = peer->port;
        c.last_query = deps_.clock.now().mono;
        c.age = by_age_.insert(by_age_.end(), std::move(connection));
        uv_poll_init(&loop_, &c.poll, c.fd.get());
        c.poll.data = &c;
        deps_.counters.tcp_accepted.add();
        watch(c);
    }
    return true;
}

void TcpServer::watch(Connection& c) noexcept {
    // A client that does not read its answers is not read from either: that is the back-pressure.
    const int events = c.out.empty() ? UV_READABLE : UV_WRITABLE;
    if (events != c.watched) {  // starting anew what goes on costs two calls of the kernel
        c.watched = events;
        uv_poll_start(&c.poll, events, &TcpServer::on_poll);
    }
}

void TcpServer::on_poll(uv_poll_t* handle, int status, int events) noexcept {
    auto& c = *static_cast<Connection*>(handle->data);
    auto& self = *c.server;
    bool alive = status == 0;
    if (alive && (events & UV_WRITABLE) != 0) {
        alive = self.flush(c);
    }
    if (alive && (events & UV_READABLE) != 0) {
        alive = self.read_and_answer(c);
    }
    if (alive && c.had_all && c.out.empty()) {
        (void)::shutdown(c.fd.get(), SHUT_WR);  // the client sees that there is no more
    }
    if (alive && c.finished_sending && c.out.empty()) {
        alive = false;  // everything that was asked is answered
    }
    if (!alive) {
        self.drop(c);
        return;
    }
    self.watch(c);
}

bool TcpServer::read_and_answer(Connection& c) noexcept {
    for (int round = 0; round < kMaxReadsAtOnce; ++round) {
        const auto n = ::recv(c.fd.get(), scratch_in_.data(), scratch_in_.size(), 0);
        if (n < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        }
        if (n == 0) {
            c.finished_sending = true;
            return true;
        }
        const std::span<const std::uint8_t> fresh(scratch_in_.data(), static_cast<std::size_t>(n));
        if (c.had_all) {
            continue;  // read and left: to close with octets unread would take answers away
        }
        bool alive = true;
        if (c.in.empty()) {
            std::size_t used = 0;
            alive = answer_complete(c, fresh, used);
            c.in.assign(fresh.begin() + static_cast<std::ptrdiff_t>(used), fresh.end());
        } else {
            c.in.insert(c.in.end(), fresh.begin(), fresh.end());
            alive = resume(c);
        }
        if (!alive || !c.out.empty()) {
            return alive;
        }
        if (static_cast<std::size_t>(n) < scratch_in_.size()) {
            return true;
        }
    }
    return true;
}

/// What an edns-tcp-keepalive says: 0, "close when you are done", where others wait for the place
/// (RFC 7828 §3.3.2).
std::uint16_t TcpServer::told_idle() const noexcept {
    using Units = std::chrono::duration<std::int64_t, std::deci>;
    if (by_age_.size() >= limits_.connections) {
        return 0;
    }
    const auto idle = std::chrono::duration_cast<Units>(limits_.idle);
    return static_cast<std::uint16_t>(std::clamp(idle, Units(1), Units(0xFFFF)).count());
}

/// Answers every complete message in `data` and sends the answers in one write. `used`: the octets
/// that were answered; fewer than are complete when the client does not take its answers.
/// REQUIRES: nothing waits to be written.
bool TcpServer::answer_complete(Connection& c, std::span<const std::uint8_t> data,
                                std::size_t& used) noexcept {
    const auto* snapshot = deps_.snapshots.refresh();
    if (snapshot == nullptr) {
        return false;
    }
    policy::Request request;
    request.client = c.client;
    request.transport = policy::Transport::Tcp;
    request.now = deps_.clock.now();
    request.idle_100ms = told_idle();
    const std::span<std::uint8_t> out(scratch_out_);
    std::size_t filled = 0;
    while (data.size() - used >= 2 && !c.had_all) {
        const std::size_t length = static_cast<std::size_t>(data[used]) << 8 | data[used + 1];
        if (data.size() - used < 2 + length) {
            break;
        }
        request.query = data.subspan(used + 2, length);
        request.draw = deps_.rng.next();
        used += 2 + length;
        c.last_query = request.now.mono;
        if (++c.queries == limits_.queries) {
            c.had_all = true;
            request.idle_100ms = 0;
        }
        const auto outcome =
            policy::answer(*snapshot, request, out.subspan(filled + 2, policy::kMaxTcpAnswer));
        deps_.counters.count(outcome, policy::Transport::Tcp, deps_.snapshots.answers());
        if (outcome.size == 0) {
            continue;  // a response or less than a header: silence, as over UDP, and on to the next
        }
        if (deps_.tap != nullptr) {
            deps_.tap->offer(*snapshot, request, outcome, &out[filled + 2], c.port);
        }
        out[filled] = static_cast<std::uint8_t>(outcome.size >> 8);
        out[filled + 1] = static_cast<std::uint8_t>(outcome.size);
        filled += 2 + outcome.size;
        if (filled >= limits_.pending_write) {
            if (!send_all(c, out.first(filled))) {
                return false;
            }
            filled = 0;
            if (!c.out.empty()) {
                break;  // the rest of the questions waits until the client reads
            }
        }
    }
    if (c.last_query == request.now.mono) {
        by_age_.splice(by_age_.end(), by_age_, c.age);
    }
    return send_all(c, out.first(filled));
}

/// Writes what the socket takes and keeps the rest. False when the connection is dead.
bool TcpServer::send_all(Connection& c, std::span<const std::uint8_t> octets) noexcept {
    while (!octets.empty()) {
        const auto n = ::send(c.fd.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
                return false;
            }
            c.out.assign(octets.begin(), octets.end());
            c.out_sent = 0;
            return true;
        }
        octets = octets.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

/// Goes on with what waits to be written, then with questions that waited for that.
bool TcpServer::flush(Connection& c) noexcept {
    const auto waiting = std::move(c.out);
    c.out.clear();
    const auto sent = std::exchange(c.out_sent, 0);
    if (!send_all(c, std::span(waiting).subspan(sent))) {
        return false;
    }
    return c.out.empty() ? resume(c) : true;
}

bool TcpServer::resume(Connection& c) noexcept {
    std::size_t used = 0;
    const bool alive = answer_complete(c, c.in, used);
    c.in.erase(c.in.begin(), c.in.begin() + static_cast<std::ptrdiff_t>(used));
    return alive;
}

void TcpServer::drop(Connection& c) noexcept {
    const auto same = per_prefix_.find(prefix_of(c.client));
    if (same != per_prefix_.end() && --same->second == 0) {
        per_prefix_.erase(same);
    }
    auto owned = std::move(*c.age);
    by_age_.erase(c.age);
    uv_poll_stop(&c.poll);
    // The handle lives until its close callback; the descriptor must outlive the handle's stop
    // only.
    uv_close(reinterpret_cast<uv_handle_t*>(&owned.release()->poll),  // NOLINT: libuv's inheritance
             [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
}

void TcpServer::expire() noexcept {
    const auto now = deps_.clock.now().mono;
    while (!by_age_.empty() && now - by_age_.front()->last_query >= limits_.idle) {
        deps_.counters.tcp_timeouts.add();
        drop(*by_age_.front());
    }
}

void TcpServer::close() noexcept {
    while (!by_age_.empty()) {
        drop(*by_age_.front());
    }
}

}  // namespace steerd::server
