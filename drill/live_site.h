// One real endpoint of a live drill: a child process that listens on one loopback address and
// answers checks as they expect, until it is killed, stopped, slowed or cut off. A process of its
// own for each, so that SIGKILL and SIGSTOP do what they do in earnest. What is cut off is dropped
// in the kernel by a filter on the listening sockets, before a connection exists, since a stopped
// process would still accept. The child dies with whoever started it (parent death signal, and the
// end of its control socket). Only loopback addresses are ever bound.
// Deliberately not here: when anything happens (live_world.h). Thread rule: one owner, always the
// same thread: the parent death signal follows the thread that forked.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "drill/live_fd.h"

namespace steerd::drill {

struct SitePort {
    std::uint16_t port = 0;
    bool http = true;  // else a connection is all that is asked
    std::string good;  // the whole response
    std::string bad;   // the same of a failing one; empty: closed without a word
};

enum class Cut : std::uint32_t { None, Probes, All };

/// How the child behaves while it runs.
struct SiteBehaviour {
    std::uint32_t delay_ms = 0;
    float fail = 0;  // share of requests that get `bad`
    Cut cut = Cut::None;
};

struct SitePlan {
    base::IpAddress address;
    base::IpAddress client;  // who is no probe
    std::vector<SitePort> ports;
    std::uint64_t seed = 1;
};

class LiveSite {
  public:
    explicit LiveSite(SitePlan plan);
    LiveSite(const LiveSite&) = delete;
    LiveSite& operator=(const LiveSite&) = delete;
    /// Kills the child.
    ~LiveSite();

    /// Forks and waits until it listens; what went wrong, or nothing. Nothing to do while it runs.
    [[nodiscard]] std::optional<std::string> start();
    /// SIGKILL: connections are refused from then on.
    void kill() noexcept;
    /// Drops everything that comes and stops the process: no answer to anything.
    void freeze();
    /// Back to the plain behaviour, started anew if it was killed.
    [[nodiscard]] std::optional<std::string> recover();
    [[nodiscard]] std::optional<std::string> behave(const SiteBehaviour& behaviour);

    [[nodiscard]] bool running() const noexcept { return pid_ > 0; }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    [[nodiscard]] const SitePlan& plan() const noexcept { return plan_; }

  private:
    [[nodiscard]] bool heard() const noexcept;

    SitePlan plan_;
    LiveFd control_;
    pid_t pid_ = -1;
    bool frozen_ = false;
};

}  // namespace steerd::drill
