// What a worker counts: written by one worker alone, read by whoever asks, so a relaxed atomic on a
// line of its own is enough and costs no more than a plain add.
// Thread rule: add() by the owning worker; load() by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "policy/answer.h"

namespace steerd::server {

/// A counter with one writer.
class Counter {
  public:
    void add(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t load() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> value_{0};
};

inline constexpr std::size_t kRcodeSlots = 24;  // the named RCODEs lie below
inline constexpr std::size_t kKindSlots = 16;
static_assert(static_cast<std::size_t>(policy::AnswerKind::Chaos) < kKindSlots);

struct alignas(64) WorkerCounters {
    std::array<Counter, 2> queries;  // by policy::Transport
    std::array<Counter, kRcodeSlots> rcodes;
    std::array<Counter, kKindSlots> kinds;
    Counter truncated;
    Counter send_failures;
    Counter tcp_accepted;
    Counter tcp_refused;  // over a limit
    Counter tcp_timeouts;
    Counter beats;  // moves a few times a second as long as the thread does its rounds

    void count(const policy::Outcome& outcome, policy::Transport transport) noexcept {
        queries[static_cast<std::size_t>(transport)].add();
        kinds[static_cast<std::size_t>(outcome.kind)].add();
        if (outcome.size == 0) {
            return;
        }
        const auto rcode = static_cast<std::size_t>(outcome.rcode);
        rcodes[rcode < kRcodeSlots ? rcode : kRcodeSlots - 1].add();
        if (outcome.truncated) {
            truncated.add();
        }
    }
};

}  // namespace steerd::server
