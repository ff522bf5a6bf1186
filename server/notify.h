// The service manager's notification protocol, sd_notify(3): one datagram to NOTIFY_SOCKET.
// Our own few lines, so that no library comes along. Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

namespace steerd::server {

/// Where to notify, read once from NOTIFY_SOCKET; does nothing when that is not set.
class Notifier {
  public:
    /// Takes NOTIFY_SOCKET out of the environment, so that probes do not inherit it.
    [[nodiscard]] static Notifier from_environment();

    /// "READY=1", "STATUS=..."; false when it could not be delivered (or nobody listens).
    bool send(std::string_view state) const noexcept;

  private:
    std::string socket_;
};

}  // namespace steerd::server
