// What the threads that answer counted of themselves, added up. Thread rule: pure.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "server/counters.h"

namespace steerd::admin {

struct WorkerSums {
    std::array<std::uint64_t, 2> queries{};  // by policy::Transport
    std::array<std::uint64_t, server::kRcodeSlots> rare_rcodes{};
    std::uint64_t not_a_query = 0;
    std::uint64_t no_port = 0;
    std::uint64_t truncated = 0;
    std::uint64_t send_failures = 0;
    std::uint64_t tcp_accepted = 0;
    std::uint64_t tcp_refused = 0;
    std::uint64_t tcp_timeouts = 0;
};

[[nodiscard]] inline WorkerSums sum_of(const std::vector<const server::WorkerCounters*>& workers) {
    WorkerSums sums;
    for (const auto* one : workers) {
        for (std::size_t i = 0; i < sums.queries.size(); ++i) {
            sums.queries[i] += one->queries[i].load();
        }
        for (std::size_t i = 0; i < sums.rare_rcodes.size(); ++i) {
            sums.rare_rcodes[i] += one->rcodes[i].load();
        }
        sums.not_a_query +=
            one->kinds[static_cast<std::size_t>(policy::AnswerKind::Dropped)].load();
        sums.no_port += one->no_port.load();
        sums.truncated += one->truncated.load();
        sums.send_failures += one->send_failures.load();
        sums.tcp_accepted += one->tcp_accepted.load();
        sums.tcp_refused += one->tcp_refused.load();
        sums.tcp_timeouts += one->tcp_timeouts.load();
    }
    return sums;
}

}  // namespace steerd::admin
