// Looks at the threads that answer, a few times a second, and finds words for what an operator
// should know and the packet path may not say: a thread that does not move, TCP connections that
// cannot be accepted. What lasts is told again once a minute, and its end is told.
// It mends nothing: workers go on by themselves as soon as they can, and a service manager's
// watchdog (notify.h) is the one that restarts.
// Thread rule: one owner; time is handed in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/log.h"

namespace steerd::server {

class WorkerWatch {
  public:
    /// A thread moves several times a second; one that was still for so long is held up.
    static constexpr base::Duration kStill = std::chrono::seconds(3);
    static constexpr base::Duration kTellAgain = std::chrono::minutes(1);
    /// Connections were accepted for so long: it is over.
    static constexpr base::Duration kCalm = std::chrono::seconds(5);

    struct Line {
        LogLevel level = LogLevel::Warning;
        std::string text;

        friend bool operator==(const Line&, const Line&) = default;
    };

    /// `names`: what each thread does, for people.
    explicit WorkerWatch(std::vector<std::string> names = {}) : names_(std::move(names)) {}

    /// What to log now. `beats`: one count for each thread; `no_descriptor`: how many connections
    /// were not accepted since the start. REQUIRES: as many beats as names.
    [[nodiscard]] std::vector<Line> look(base::Mono now, std::span<const std::uint64_t> beats,
                                         std::uint64_t no_descriptor);

    /// Threads that are still.
    [[nodiscard]] std::size_t stalled() const noexcept;

  private:
    struct Thread {
        std::uint64_t beats = 0;
        base::Mono moved{};
        std::optional<base::Mono> told;  // while it is still
    };

    void look_at(Thread& thread, const std::string& name, base::Mono now, std::vector<Line>& out);
    void look_at_accepting(base::Mono now, std::uint64_t count, std::vector<Line>& out);

    std::vector<std::string> names_;
    std::vector<Thread> threads_;
    std::uint64_t no_descriptor_ = 0;
    std::uint64_t no_descriptor_told_ = 0;
    base::Mono last_failure_{};
    std::optional<base::Mono> accepting_told_;  // while it lasts
    base::Mono last_look_{};
};

}  // namespace steerd::server
