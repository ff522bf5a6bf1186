// Sockets of the probers: opened non-blocking and close-on-exec, and one place that says whether an
// error is our own fault (nothing was sent: inconclusive) or the path's and the endpoint's (a
// fail). What connect() returns at once comes from this machine: no descriptor, no port, no route.
// What comes later (SO_ERROR) was said by the network, an ICMP unreachable included (RFC 1122
// §4.2.3.9). Thread rule: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/ip.h"
#include "health/probers/job.h"

namespace steerd::probers {

/// Owns a descriptor.
class Fd {
  public:
    Fd() = default;

    explicit Fd(int fd) noexcept : fd_(fd) {}

    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

    Fd& operator=(Fd&& other) noexcept;
    ~Fd();

    [[nodiscard]] int get() const noexcept { return fd_; }

    [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

enum class Transport : std::uint8_t { Udp, Tcp };

/// A non-blocking socket; invalid with errno set when there is none.
[[nodiscard]] Fd open_socket(base::IpFamily family, Transport transport) noexcept;

/// 0, EINPROGRESS or the errno of connect(2).
[[nodiscard]] int connect_socket(int fd, const base::SocketAddress& to) noexcept;

/// SO_ERROR, 0 when there is none.
[[nodiscard]] int pending_error(int fd) noexcept;

/// Why this machine would send nothing there (no route, forbidden by it); 0 when it would. Asks the
/// kernel with an unsent datagram.
[[nodiscard]] int local_route_error(const base::SocketAddress& to) noexcept;

/// When an error was reported.
enum class Reported : std::uint8_t {
    AtOnce,  // by the call itself
    Later    // after something was sent
};

/// "connection refused", "no local route".
[[nodiscard]] std::string error_words(int error, Reported reported);
[[nodiscard]] Judgement judge_error(int error, Reported reported);

}  // namespace steerd::probers
