// See worker_watch.h. Thread rule: one owner.
#include "server/worker_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace steerd::server {

namespace {

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

std::vector<WorkerWatch::Line> WorkerWatch::look(base::Mono now,
                                                 std::span<const std::uint64_t> beats,
                                                 std::uint64_t no_descriptor) {
    CHECK(beats.size() == names_.size());
    // We were held up ourselves (a suspended machine, a stopped process): they had no chance
    // either.
    const bool late = now - last_look_ >= kStill;
    last_look_ = now;
    std::vector<Line> out;
    threads_.resize(beats.size());
    for (std::size_t i = 0; i < beats.size(); ++i) {
        Thread& thread = threads_[i];
        const bool moved = thread.beats != beats[i];
        if (!moved && !(late && !thread.told)) {
            look_at(thread, names_[i], now, out);
            continue;
        }
        if (thread.told) {
            out.push_back(
                {LogLevel::Notice, fmt::format("the thread for {} moves again after {:.1f} s",
                                               names_[i], seconds(now - thread.moved))});
            thread.told.reset();
        }
        thread.beats = beats[i];
        thread.moved = now;
    }
    look_at_accepting(now, no_descriptor, out);
    return out;
}

void WorkerWatch::look_at(Thread& thread, const std::string& name, base::Mono now,
                          std::vector<Line>& out) {
    const auto still = now - thread.moved;
    if (still < kStill || (thread.told && now - *thread.told < kTellAgain)) {
        return;
    }
    thread.told = now;
    out.push_back({LogLevel::Error,
                   fmt::format("the thread for {} has not moved for {:.1f} s: its queries wait",
                               name, seconds(still))});
}

void WorkerWatch::look_at_accepting(base::Mono now, std::uint64_t count, std::vector<Line>& out) {
    if (count != no_descriptor_) {
        no_descriptor_ = count;
        last_failure_ = now;
        if (!accepting_told_ || now - *accepting_told_ >= kTellAgain) {
            out.push_back({LogLevel::Error,
                           fmt::format("TCP connections wait for a descriptor ({} times since it "
                                       "was last told): clients that are idle give theirs back; "
                                       "raise the limit of open files (LimitNOFILE)",
                                       count - no_descriptor_told_)});
            no_descriptor_told_ = count;
            accepting_told_ = now;
        }
    } else if (accepting_told_ && now - last_failure_ >= kCalm) {
        out.push_back({LogLevel::Notice, "TCP connections are accepted again"});
        no_descriptor_told_ = count;
        accepting_told_.reset();
    }
}

std::size_t WorkerWatch::stalled() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        threads_, [](const Thread& thread) { return thread.told.has_value(); }));
}

}  // namespace steerd::server
