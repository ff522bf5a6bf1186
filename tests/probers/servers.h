// Small servers on loopback for the tests, each on a thread of its own, port 0, ended by the
// destructor: a stream server that plays a script to each connection, one that speaks TLS, and a
// DNS server that answers by a function, over UDP and TCP on one port.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "health/probers/socket.h"

namespace steerd::probers::test {

/// What a connection gets once its request (up to an empty line) is there.
struct Script {
    enum class End : std::uint8_t { Close, HalfClose, Stay };

    std::vector<std::string> parts;
    std::chrono::milliseconds gap{0};  // between the parts, and between repetitions
    std::string endless;               // then this, again and again
    End end = End::Close;
    bool wait_for_request = true;
};

/// A listening socket on port 0 of a loopback address.
struct Listening {
    Fd fd;
    std::uint16_t port = 0;
};

/// Invalid when a port was asked for and is taken.
Listening listen_on(const std::string& address, int type, int backlog, std::uint16_t port = 0);

/// A port of 127.0.0.1 that is kept and refuses: connections (SOCK_STREAM) or datagrams.
Listening refusing(int type);

class StreamServer {
  public:
    explicit StreamServer(Script script, const std::string& address = "127.0.0.1");
    StreamServer(const StreamServer&) = delete;
    StreamServer& operator=(const StreamServer&) = delete;
    ~StreamServer();

    [[nodiscard]] std::uint16_t port() const { return listening_.port; }

    [[nodiscard]] std::size_t connections() const { return connections_; }

    [[nodiscard]] std::size_t octets_sent() const { return octets_sent_; }

    /// The last request that came.
    [[nodiscard]] std::string request() const;

  private:
    struct Connection;

    void run();
    void step(Connection& connection, short ready);
    void send_some(Connection& connection);

    Script script_;
    Listening listening_;
    Fd stop_;
    std::atomic<std::size_t> connections_ = 0;
    std::atomic<std::size_t> octets_sent_ = 0;
    mutable std::mutex mutex_;
    std::string request_;
    std::thread thread_;
};

/// Says `answer` to each request over TLS, one connection after the other.
class TlsServer {
  public:
    TlsServer(const std::string& certificate_file, const std::string& key_file, std::string answer);
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    ~TlsServer();

    [[nodiscard]] std::uint16_t port() const { return listening_.port; }

    /// The server name of the last handshake; empty: none was sent.
    [[nodiscard]] std::string server_name() const;
    [[nodiscard]] std::string request() const;

  private:
    void run();
    void serve(int fd);

    std::string answer_;
    Listening listening_;
    Fd stop_;
    void* context_;
    mutable std::mutex mutex_;
    std::string server_name_;
    std::string request_;
    std::thread thread_;
};

/// Answers each query with what the function makes of it; nothing for an empty answer.
class DnsServer {
  public:
    using Octets = std::vector<std::uint8_t>;
    using Answer = std::function<std::vector<Octets>(const Octets& query, bool tcp)>;

    explicit DnsServer(Answer answer);
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;
    ~DnsServer();

    [[nodiscard]] std::uint16_t port() const { return udp_.port; }

    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(udp_.port); }

    [[nodiscard]] std::size_t queries() const { return queries_; }

  private:
    void run();
    void on_udp();
    void on_tcp();

    Answer answer_;
    Listening udp_;
    Listening tcp_;
    Fd stop_;
    std::atomic<std::size_t> queries_ = 0;
    std::thread thread_;
};

}  // namespace steerd::probers::test
