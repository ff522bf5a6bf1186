// How often each endpoint was handed out over the last ten minutes, so that who opens the dashboard
// in the middle of an outage sees what led to it. A sample is a list of totals; names are kept once
// for all samples of one configuration, and a server with very many endpoints keeps none, so the
// memory is bounded (2 MiB). Thread rule: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "admin/json.h"
#include "base/clock.h"
#include "server/answer_book.h"

namespace steerd::admin {

class AnswerHistory {
  public:
    static constexpr base::Duration kEvery = std::chrono::seconds(5);
    static constexpr std::size_t kKept = 120;
    static constexpr std::size_t kMaxEndpoints = 2048;

    void add(base::Mono at, const server::AnswerTotals& totals);
    /// {"ages_s": [...], "endpoints": {"tokyo": [...]}}: totals, the oldest first; null where an
    /// endpoint was not configured yet. Endpoints that were never handed out are left out.
    [[nodiscard]] Json json(base::Mono now) const;

  private:
    using Names = std::shared_ptr<const std::vector<std::string>>;

    struct Sample {
        base::Mono at{};
        Names names;
        std::vector<std::uint64_t> totals;  // as names
    };

    [[nodiscard]] std::deque<Sample> copy() const;

    mutable std::mutex mutex_;
    std::deque<Sample> samples_;
};

}  // namespace steerd::admin
