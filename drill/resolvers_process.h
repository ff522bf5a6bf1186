// A program that somebody else wrote, as a child process in a process group of its own: what it
// says is kept, up to a bound, for the message that tells why it did not work. It dies with
// whoever started it (parent death signal). Thread rule: one owner, always the same thread, which
// must outlive it: the parent death signal follows the thread that forked.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "drill/live_fd.h"

namespace steerd::drill {

class ResolverProcess {
  public:
    ResolverProcess(std::filesystem::path program, std::vector<std::string> arguments,
                    std::filesystem::path folder);
    ResolverProcess(const ResolverProcess&) = delete;
    ResolverProcess& operator=(const ResolverProcess&) = delete;
    /// SIGKILL to what still runs.
    ~ResolverProcess();

    /// Starts it in its folder; what went wrong, or nothing.
    [[nodiscard]] std::optional<std::string> start();
    /// Takes what it has said since; never blocks. To be called now and then, or it will stand
    /// still once the pipe is full.
    void read();
    /// SIGKILL, and it is gone when this returns.
    void kill() noexcept;
    /// False once it has ended by itself.
    [[nodiscard]] bool running() noexcept;

    /// The end of what it said.
    [[nodiscard]] const std::string& said() const noexcept { return said_; }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  private:
    std::filesystem::path program_;
    std::vector<std::string> arguments_;
    std::filesystem::path folder_;
    pid_t pid_ = -1;
    LiveFd output_;
    std::string said_;
};

/// What a program says when it is run to its end; empty where it cannot be run within `seconds`.
[[nodiscard]] std::string output_of(const std::filesystem::path& program,
                                    std::vector<std::string> arguments, int seconds);

}  // namespace steerd::drill
