// What a worker counts of itself, beside who was told what (answer_counts.h): written by one worker
// alone, read by whoever asks, on lines of its own.
// Thread rule: add() by the owning worker; load() by any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "policy/answer.h"
#include "server/answer_counts.h"
#include "server/counter.h"
#include "server/rate_limiter.h"

namespace steerd::server {

inline constexpr std::size_t kRcodeSlots = 24;  // the named RCODEs lie below

struct alignas(64) WorkerCounters {
    std::array<Counter, 2> unanswered;        // by policy::Transport: what is no query
    std::array<Counter, kRcodeSlots> rcodes;  // those that have no place in a zone's row
    Counter no_port;                          // dropped: nobody sends from port 0
    std::array<Counter, 4> cookies;           // by dns::CookieState; None follows from all answers
    Counter truncated;
    Counter send_failures;
    Counter tcp_accepted;
    Counter tcp_refused;  // over a limit
    Counter tcp_timeouts;
    std::array<Counter, kRateKinds> limited_dropped;  // by RateKind: over the limit, not answered
    std::array<Counter, kRateKinds> limited_slipped;  // over the limit, answered short
    Counter unproven;           // answered short: too large for who does not prove his address
    Counter tcp_no_descriptor;  // connections that could not be accepted, or at another's cost
    Counter beats;              // moves a few times a second as long as the thread does its rounds

    void count(const policy::Outcome& outcome, policy::Transport transport,
               AnswerBlock& answers) noexcept {
        if (outcome.size == 0) [[unlikely]] {
            unanswered[static_cast<std::size_t>(transport)].add();
            return;
        }
        answers.count(outcome, transport);
        const auto rcode = static_cast<std::size_t>(outcome.rcode);
        if (rcode >= AnswerLayout::kRcodes - 1) [[unlikely]] {
            rcodes[rcode < kRcodeSlots ? rcode : kRcodeSlots - 1].add();
        }
        if (outcome.cookie != dns::CookieState::None) [[unlikely]] {
            cookies[static_cast<std::size_t>(outcome.cookie)].add();
        }
        if (outcome.truncated) [[unlikely]] {
            truncated.add();
        }
    }
};

}  // namespace steerd::server
