#include "servers.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <list>

namespace steerd::probers::test {

namespace {

using SteadyClock = std::chrono::steady_clock;

Fd make_stop() { return Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

void ring(const Fd& stop) {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(stop.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
}

/// Waits for `fd` or the stop; false when it is time to end.
bool wait_readable(int fd, const Fd& stop) {
    pollfd both[2] = {{fd, POLLIN, 0}, {stop.get(), POLLIN, 0}};
    return ::poll(both, 2, -1) > 0 && both[1].revents == 0;
}

void set_patience(int fd) {
    const timeval patience{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

}  // namespace

Listening listen_on(const std::string& address, int type, int backlog, std::uint16_t port) {
    const bool v4 = address.find(':') == std::string::npos;
    Fd fd(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto octets = base::IpAddress::parse(address).value();
    sockaddr_in in4{};
    sockaddr_in6 in6{};
    in4.sin_family = AF_INET;
    in4.sin_port = htons(port);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    if (v4) {  // sizes that the compiler can see
        std::memcpy(&in4.sin_addr, octets.octets().data(), sizeof in4.sin_addr);
    } else {
        std::memcpy(&in6.sin6_addr, octets.octets().data(), sizeof in6.sin6_addr);
    }
    auto* bound = v4 ? reinterpret_cast<sockaddr*>(&in4) : reinterpret_cast<sockaddr*>(&in6);
    socklen_t size = v4 ? sizeof in4 : sizeof in6;
    if (::bind(fd.get(), bound, size) != 0) {
        EXPECT_NE(port, 0) << std::strerror(errno);
        return {};
    }
    if (type == SOCK_STREAM && backlog >= 0) {
        EXPECT_EQ(::listen(fd.get(), backlog), 0);
    }
    EXPECT_EQ(::getsockname(fd.get(), bound, &size), 0);
    return {std::move(fd), ntohs(v4 ? in4.sin_port : in6.sin6_port)};
}

Listening refusing(int type) {
    Listening out = listen_on("127.0.0.1", type, -1);  // bound but not listening
    if (type == SOCK_DGRAM) {  // connected elsewhere, it takes datagrams from there only
        const base::SocketAddress elsewhere{base::IpAddress::v4(0x7F000001), 1};
        EXPECT_EQ(connect_socket(out.fd.get(), elsewhere), 0);
    }
    return out;
}

struct StreamServer::Connection {
    Fd fd;
    std::string in;
    bool answering = false;
    bool finished = false;  // nothing more to send
    bool dead = false;
    std::size_t part = 0;
    std::size_t at = 0;  // in the part
    SteadyClock::time_point next{};
};

StreamServer::StreamServer(Script script, const std::string& address)
    : script_(std::move(script)),
      listening_(listen_on(address, SOCK_STREAM, 128)),
      stop_(make_stop()),
      thread_([this] { run(); }) {}

StreamServer::~StreamServer() {
    ring(stop_);
    thread_.join();
}

std::string StreamServer::request() const {
    const std::lock_guard lock(mutex_);
    return request_;
}

void StreamServer::run() {
    std::list<Connection> connections;
    while (true) {
        std::vector<pollfd> polled = {{stop_.get(), POLLIN, 0}, {listening_.fd.get(), POLLIN, 0}};
        int wait_ms = -1;
        for (const Connection& connection : connections) {
            short events = POLLIN;
            if (connection.answering && !connection.finished) {
                const auto left = std::chrono::ceil<std::chrono::milliseconds>(connection.next -
                                                                               SteadyClock::now());
                if (left.count() <= 0) {
                    events |= POLLOUT;
                } else {
                    wait_ms = wait_ms < 0 ? static_cast<int>(left.count())
                                          : std::min(wait_ms, static_cast<int>(left.count()));
                }
            }
            polled.push_back({connection.fd.get(), events, 0});
        }
        ::poll(polled.data(), polled.size(), wait_ms);
        if (polled[0].revents != 0) {
            return;
        }
        std::size_t i = 2;
        for (Connection& connection : connections) {
            step(connection, polled[i++].revents);
        }
        connections.remove_if([](const Connection& connection) { return connection.dead; });
        if (polled[1].revents != 0) {
            Fd fd(::accept4(listening_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (fd.valid()) {
                Connection& connection = connections.emplace_back();
                connection.fd = std::move(fd);
                connection.answering = !script_.wait_for_request;
                ++connections_;
            }
        }
    }
}

void StreamServer::step(Connection& connection, short ready) {
    if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0) {
        char buffer[4096];
        const ssize_t got = ::recv(connection.fd.get(), buffer, sizeof buffer, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            connection.dead = true;
            return;
        }
        if (got > 0) {
            connection.in.append(buffer, static_cast<std::size_t>(got));
        }
        if (!connection.answering && connection.in.find("\r\n\r\n") != std::string::npos) {
            connection.answering = true;
            const std::lock_guard lock(mutex_);
            request_ = connection.in;
        }
    }
    if (connection.answering && !connection.finished && SteadyClock::now() >= connection.next) {
        send_some(connection);
    }
}

void StreamServer::send_some(Connection& connection) {
    const bool in_parts = connection.part < script_.parts.size();
    if (!in_parts && script_.endless.empty()) {
        connection.finished = true;
        if (script_.end == Script::End::Close) {
            connection.dead = true;
        } else if (script_.end == Script::End::HalfClose) {
            ::shutdown(connection.fd.get(), SHUT_WR);
        }
        return;
    }
    const std::string& text = in_parts ? script_.parts[connection.part] : script_.endless;
    const ssize_t sent = ::send(connection.fd.get(), text.data() + connection.at,
                                text.size() - connection.at, MSG_NOSIGNAL);
    if (sent < 0) {
        connection.dead = errno != EAGAIN;
        return;
    }
    octets_sent_ += static_cast<std::size_t>(sent);
    connection.at += static_cast<std::size_t>(sent);
    if (connection.at == text.size()) {
        connection.at = 0;
        connection.part += in_parts ? 1 : 0;
        connection.next = SteadyClock::now() + script_.gap;
    }
}

TlsServer::TlsServer(const std::string& certificate_file, const std::string& key_file,
                     std::string answer)
    : answer_(std::move(answer)),
      listening_(listen_on("127.0.0.1", SOCK_STREAM, 128)),
      stop_(make_stop()),
      context_(SSL_CTX_new(TLS_server_method())) {
    auto* context = static_cast<SSL_CTX*>(context_);
    EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM), 1);
    thread_ = std::thread([this] { run(); });
}

TlsServer::~TlsServer() {
    ring(stop_);
    thread_.join();
    SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

std::string TlsServer::server_name() const {
    const std::lock_guard lock(mutex_);
    return server_name_;
}

std::string TlsServer::request() const {
    const std::lock_guard lock(mutex_);
    return request_;
}

void TlsServer::run() {
    sigset_t pipe;  // OpenSSL writes without MSG_NOSIGNAL
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (wait_readable(listening_.fd.get(), stop_)) {
        const Fd fd(::accept4(listening_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (fd.valid()) {
            set_patience(fd.get());
            serve(fd.get());
        }
    }
}

void TlsServer::serve(int fd) {
    SSL* tls = SSL_new(static_cast<SSL_CTX*>(context_));
    SSL_set_fd(tls, fd);
    if (SSL_accept(tls) == 1) {
        char buffer[4096];
        const int got = SSL_read(tls, buffer, sizeof buffer);
        const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
        {
            const std::lock_guard lock(mutex_);
            server_name_ = name != nullptr ? name : "";
            request_.assign(buffer, static_cast<std::size_t>(std::max(got, 0)));
        }
        if (got > 0) {
            SSL_write(tls, answer_.data(), static_cast<int>(answer_.size()));
            SSL_shutdown(tls);
        }
    }
    SSL_free(tls);
}

DnsServer::DnsServer(Answer answer) : answer_(std::move(answer)), stop_(make_stop()) {
    while (!tcp_.fd.valid()) {  // both on one port that nobody else has
        udp_ = listen_on("127.0.0.1", SOCK_DGRAM, 0);
        tcp_ = listen_on("127.0.0.1", SOCK_STREAM, 16, udp_.port);
    }
    thread_ = std::thread([this] { run(); });
}

DnsServer::~DnsServer() {
    ring(stop_);
    thread_.join();
}

void DnsServer::run() {
    while (true) {
        pollfd polled[3] = {
            {stop_.get(), POLLIN, 0}, {udp_.fd.get(), POLLIN, 0}, {tcp_.fd.get(), POLLIN, 0}};
        ::poll(polled, 3, -1);
        if (polled[0].revents != 0) {
            return;
        }
        if (polled[1].revents != 0) {
            on_udp();
        }
        if (polled[2].revents != 0) {
            on_tcp();
        }
    }
}

void DnsServer::on_udp() {
    Octets query(4096);
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(udp_.fd.get(), query.data(), query.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got <= 0) {
        return;
    }
    query.resize(static_cast<std::size_t>(got));
    ++queries_;
    for (const Octets& answer : answer_(query, false)) {
        ::sendto(udp_.fd.get(), answer.data(), answer.size(), 0,
                 reinterpret_cast<const sockaddr*>(&from), size);
    }
}

void DnsServer::on_tcp() {
    const Fd fd(::accept4(tcp_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd.valid()) {
        return;
    }
    set_patience(fd.get());
    std::uint8_t length[2] = {};
    Octets query;
    if (::recv(fd.get(), length, 2, MSG_WAITALL) == 2) {
        query.resize(std::size_t{length[0]} << 8 | length[1]);
        ::recv(fd.get(), query.data(), query.size(), MSG_WAITALL);
    }
    ++queries_;
    for (const Octets& answer : answer_(query, true)) {
        Octets framed = {static_cast<std::uint8_t>(answer.size() >> 8),
                         static_cast<std::uint8_t>(answer.size())};
        framed.insert(framed.end(), answer.begin(), answer.end());
        for (const std::uint8_t octet : framed) {  // each octet a segment of its own, at the worst
            ::send(fd.get(), &octet, 1, MSG_NOSIGNAL);
        }
    }
}

}  // namespace steerd::probers::test
