// What the threads that answer counted of themselves, added up. Thread rule: pure.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include "server/answer_book.h"
#include "server/counters.h"

namespace steerd::admin {

struct WorkerSums {
    std::array<std::uint64_t, 2> unanswered{};  // by policy::Transport
    std::array<std::uint64_t, server::kRcodeSlots> rare_rcodes{};
    std::array<std::uint64_t, 4> cookies{};  // by dns::CookieState, 0 for None: see cookie_counts()
    std::uint64_t no_port = 0;
    std::uint64_t truncated = 0;
    std::uint64_t send_failures = 0;
    std::uint64_t tcp_accepted = 0;
    std::uint64_t tcp_refused = 0;
    std::uint64_t tcp_timeouts = 0;
    std::array<std::uint64_t, server::kRateKinds> limited_dropped{};
    std::array<std::uint64_t, server::kRateKinds> limited_slipped{};
    std::uint64_t unproven = 0;
    std::uint64_t tcp_no_descriptor = 0;
};

/// Of server::RateKind.
inline constexpr std::array<std::string_view, server::kRateKinds> kRateKindWords{
    "response", "nxdomain", "nodata", "referral", "error"};

[[nodiscard]] inline std::uint64_t not_queries(const WorkerSums& sums) {
    return sums.unanswered[0] + sums.unanswered[1];
}

/// Messages that were looked at, answered or not.
[[nodiscard]] inline std::uint64_t received(const server::AnswerTotals& totals,
                                            const WorkerSums& sums, policy::Transport transport) {
    std::uint64_t sum = sums.unanswered[static_cast<std::size_t>(transport)];
    if (transport == policy::Transport::Udp) {
        sum += std::accumulate(sums.limited_dropped.begin(), sums.limited_dropped.end(),
                               std::uint64_t{0});
    }
    for (std::size_t row = 0; row < totals.layout().zone_rows(); ++row) {
        for (std::size_t rcode = 0; rcode < server::AnswerLayout::kRcodes; ++rcode) {
            sum += totals.zone(row, transport, rcode);
        }
    }
    return sum;
}

/// By dns::CookieState, of the queries answered. Those without a cookie are what the others leave;
/// counts are read while they rise, so that this may fall: no counter for Prometheus.
[[nodiscard]] inline std::array<std::uint64_t, 4> cookie_counts(const server::AnswerTotals& totals,
                                                                const WorkerSums& sums) {
    auto counts = sums.cookies;
    const auto dropped = std::accumulate(sums.limited_dropped.begin(), sums.limited_dropped.end(),
                                         not_queries(sums));
    const auto answered = received(totals, sums, policy::Transport::Udp) +
                          received(totals, sums, policy::Transport::Tcp) - dropped;
    const auto with = counts[1] + counts[2] + counts[3];
    counts[0] = answered > with ? answered - with : 0;
    return counts;
}

inline constexpr std::array<std::string_view, 4> kCookieWords{"none", "client_only", "bad",
                                                              "valid"};

[[nodiscard]] inline WorkerSums sum_of(const std::vector<const server::WorkerCounters*>& workers) {
    WorkerSums sums;
    for (const auto* one : workers) {
        for (std::size_t i = 0; i < sums.unanswered.size(); ++i) {
            sums.unanswered[i] += one->unanswered[i].load();
        }
        for (std::size_t i = 0; i < sums.rare_rcodes.size(); ++i) {
            sums.rare_rcodes[i] += one->rcodes[i].load();
        }
        for (std::size_t i = 0; i < sums.cookies.size(); ++i) {
            sums.cookies[i] += one->cookies[i].load();
        }
        sums.no_port += one->no_port.load();
        sums.truncated += one->truncated.load();
        sums.send_failures += one->send_failures.load();
        sums.tcp_accepted += one->tcp_accepted.load();
        sums.tcp_refused += one->tcp_refused.load();
        sums.tcp_timeouts += one->tcp_timeouts.load();
        for (std::size_t i = 0; i < server::kRateKinds; ++i) {
            sums.limited_dropped[i] += one->limited_dropped[i].load();
            sums.limited_slipped[i] += one->limited_slipped[i].load();
        }
        sums.unproven += one->unproven.load();
        sums.tcp_no_descriptor += one->tcp_no_descriptor.load();
    }
    return sums;
}

}  // namespace steerd::admin
