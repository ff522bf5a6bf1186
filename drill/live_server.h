// The real server of a live drill: `steerd serve` as a child process in a process group of its own,
// its log read line by line as it comes. What it believes is taken from its own words (transitions,
// orders, reloads), with the moment at which the line arrived. Orders go through its admin socket.
// It dies with whoever started it (parent death signal). Deliberately not here: what the words mean
// for a drill. Thread rule: one owner, always the same thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "drill/live_fd.h"

namespace steerd::drill {

/// One line of its log.
struct ServerWord {
    base::Mono at{};  // when it arrived
    std::string text;
};

/// "transition tokyo 127.0.0.1: up -> down (cause)" taken apart.
struct TransitionWord {
    std::string endpoint, address, from, to;
};

[[nodiscard]] std::optional<TransitionWord> parse_transition(std::string_view line);

class LiveServer {
  public:
    LiveServer(std::filesystem::path program, std::filesystem::path folder);
    LiveServer(const LiveServer&) = delete;
    LiveServer& operator=(const LiveServer&) = delete;
    /// SIGKILL to what still runs.
    ~LiveServer();

    /// Starts on `folder`/steerd.toml; what went wrong, or nothing.
    [[nodiscard]] std::optional<std::string> start();
    void signal(int number) noexcept;
    /// SIGKILL, and it is gone when this returns.
    void kill() noexcept;

    /// Lines that have arrived; never blocks.
    void read(base::Mono now);

    /// To be waited on for more lines; -1: none.
    [[nodiscard]] int log_fd() const noexcept { return log_.get(); }

    /// In the order of arrival, over all its lives; bounded, what comes later is then dropped.
    [[nodiscard]] const std::vector<ServerWord>& words() const noexcept { return words_; }

    /// The first line from number `from` on with `part` in it.
    [[nodiscard]] const ServerWord* find(std::string_view part, std::size_t from) const;

    [[nodiscard]] bool running() const noexcept { return pid_ > 0; }

    /// Not running any more although nobody ended it.
    [[nodiscard]] bool ended_by_itself() noexcept;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// The last lines, for messages about what went wrong.
    [[nodiscard]] std::string last_words() const;

  private:
    std::filesystem::path program_, folder_;
    pid_t pid_ = -1;
    LiveFd log_;
    std::string partial_;
    std::vector<ServerWord> words_;
};

/// A change of orders over HTTP on a Unix socket, as product.md §7 says; nothing where it was done,
/// else why not. Waits up to `timeout` for each step.
struct AdminCall {
    std::filesystem::path socket;
    std::string method;  // PUT, DELETE
    std::string target;  // "/api/v1/overrides/tokyo"
    std::string body;
};

[[nodiscard]] std::optional<std::string> call_admin(const AdminCall& call, base::Duration timeout);

}  // namespace steerd::drill
