// Child processes of exec probes: started in a session of their own with our descriptors closed and
// our signal mask undone, watched by a pidfd (no SIGCHLD handler, which a process has only one of),
// and always reaped: a child that is let go is killed with its group and waited for in the
// background. posix_spawn(3) does not copy the page tables of a large server as fork(2) does.
// Thread rule: the pool's thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "health/probers/socket.h"
#include "health/probers/uv_handles.h"

namespace steerd::probers {

class Children;

class Child {
  public:
    struct Exit {
        bool signalled = false;
        bool lost = false;  // somebody else in this process waited for it
        int code = 0;       // exit status, or the signal
    };

    Child(pid_t pid, Fd pidfd, Fd output) noexcept;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() = default;

    /// SIGKILL to the whole group.
    void kill_group() const noexcept;
    /// Reaps the child if it has ended; whatever it left in its group is killed first.
    [[nodiscard]] bool try_reap(Exit& exit) noexcept;

    [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }

    /// Its standard output and error, non-blocking.
    [[nodiscard]] int output() const noexcept { return output_.get(); }

    void close_output() noexcept { output_ = Fd(); }

    [[nodiscard]] bool reaped() const noexcept { return reaped_; }

  private:
    pid_t pid_;
    Fd pidfd_;
    Fd output_;
    bool reaped_ = false;
};

/// Starts children and sees the last of those nobody wants any more.
class Children {
  public:
    explicit Children(uv_loop_t* loop) : loop_(loop) {}

    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;
    /// Kills those that are left and waits for them, half a second at most.
    ~Children();

    /// The error says why nothing was started. REQUIRES: `command` is not empty.
    [[nodiscard]] static base::Result<std::unique_ptr<Child>, std::string> start(
        const std::vector<std::string>& command);

    /// Kills the child's group and reaps it when it is gone. No poll may watch it any more.
    void let_go(std::unique_ptr<Child> child);

  private:
    struct Going {
        std::unique_ptr<Child> child;  // before the poll, so that its descriptor is closed after it
        std::unique_ptr<UvPoll> poll;  // none where the kernel had no memory for it
    };

    void reap_unwatched();

    uv_loop_t* loop_;
    std::list<Going> going_;
};

}  // namespace steerd::probers
