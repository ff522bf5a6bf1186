// A network of our own for tests that need a router: two namespaces, joined by a cable, that go
// away with the processes in them. Needs root.
#pragma once

#include <sys/types.h>

#include <string>

namespace steerd::probers::test {

/// Runs a command by the shell; true when it succeeded.
bool run_command(const std::string& command);

/// To be made in a process of its own, which it moves into a new network namespace: this machine is
/// 10.77.0.1 and fd77::1, the router behind the cable 10.77.0.2 and fd77::2. The router rejects
/// 198.51.100.0/24 and 2001:db8:66::/48 as unreachable and 203.0.113.0/24 as prohibited; there is
/// no route to anything else.
class RejectingRouter {
  public:
    RejectingRouter();
    RejectingRouter(const RejectingRouter&) = delete;
    RejectingRouter& operator=(const RejectingRouter&) = delete;
    ~RejectingRouter();

    /// False: the namespaces could not be made.
    [[nodiscard]] bool ready() const { return ready_; }

  private:
    pid_t router_ = -1;
    int stop_ = -1;  // the router ends when this closes
    bool ready_ = false;
};

}  // namespace steerd::probers::test
