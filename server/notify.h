// The service manager's notification protocol, sd_notify(3): one datagram to NOTIFY_SOCKET, with a
// descriptor where the manager shall keep it; and its watchdog, sd_watchdog_enabled(3).
// Our own few lines, so that no library comes along. It does not wait for the manager's answer
// (BARRIER), and a manager that does not read is given up on after a second.
// Thread rule: Notifier by any thread; Watchdog by the one that made it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace steerd::server {

/// Where to notify, read once from NOTIFY_SOCKET; does nothing when that is not set.
class Notifier {
  public:
    /// Takes NOTIFY_SOCKET out of the environment, so that probes do not inherit it.
    [[nodiscard]] static Notifier from_environment();

    /// "READY=1", "STATUS=..."; false when it could not be delivered (or nobody listens).
    bool send(std::string_view state) const noexcept;
    /// The same with a copy of a descriptor: "FDSTORE=1\nFDNAME=...".
    bool send_with(std::string_view state, int fd) const noexcept;

    [[nodiscard]] explicit operator bool() const noexcept { return !socket_.empty(); }

  private:
    std::string socket_;
};

/// Tells the manager that we are alive, as long as everything in us is.
class Watchdog {
  public:
    /// Takes WATCHDOG_USEC and WATCHDOG_PID out of the environment; idle when they are not for us.
    [[nodiscard]] static Watchdog from_environment();

    /// To be called a few times a second: WATCHDOG=1 twice an interval, but only if each of `beats`
    /// (a count that its thread moves while it works) has moved since the last time. A thread that
    /// hangs for the interval thus brings the manager's verdict on all of us.
    void feed(const Notifier& notifier, base::Mono now, std::span<const std::uint64_t> beats);

  private:
    std::optional<base::Duration> every_;
    std::optional<base::Mono> fed_;
    std::vector<std::uint64_t> seen_;
};

}  // namespace steerd::server
