// Sums of what the threads that answer have counted, carried from plan to plan: what keeps its name
// keeps its count over a reload, and none is lost while threads still answer from the old plan.
// Labels that are gone are forgotten, as their series should be.
// Thread rule: turn_to() and settle() from the control thread, AnswerCounts::block() from any,
// totals() from any; a thread that answers waits for none of the sums.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "server/answer_counts.h"

namespace steerd::server {

/// Counts at one moment, with the layout that says what they are of.
class AnswerTotals {
  public:
    explicit AnswerTotals(std::shared_ptr<const AnswerLayout> layout);

    [[nodiscard]] const AnswerLayout& layout() const noexcept { return *layout_; }

    [[nodiscard]] std::uint64_t zone(std::size_t row, policy::Transport transport,
                                     std::size_t rcode) const {
        return zones_[zone_cell(row, transport, rcode)];
    }

    [[nodiscard]] std::uint64_t head(std::size_t name, AnswerLayout::Head which) const {
        return names_[layout_->rows()[name].first + which];
    }

    /// Of the `i`-th endpoint of the row.
    [[nodiscard]] std::uint64_t endpoint(std::size_t name, std::size_t i) const {
        return names_[layout_->rows()[name].first + AnswerLayout::kHeadSize + i];
    }

    /// How often something was decided for a name.
    [[nodiscard]] std::uint64_t decisions(std::size_t name) const;

    /// How often each endpoint was chosen, by EndpointId.
    [[nodiscard]] std::vector<std::uint64_t> by_endpoint() const;

    void add(const AnswerBlock& block);
    /// Adds what carries a label that stands here too; the rest is dropped.
    void carry(const AnswerTotals& from);

  private:
    [[nodiscard]] static std::size_t zone_cell(std::size_t row, policy::Transport transport,
                                               std::size_t rcode) noexcept {
        return (row * 2 + static_cast<std::size_t>(transport)) * AnswerLayout::kRcodes + rcode;
    }

    void carry_zone(const AnswerTotals& from, std::size_t from_row, std::size_t row);
    void carry_name(const AnswerTotals& from, std::size_t from_row, std::size_t row);

    std::shared_ptr<const AnswerLayout> layout_;
    std::vector<std::uint64_t> zones_;
    std::vector<std::uint64_t> names_;
};

/// Where the answers from one plan are counted.
class AnswerCounts {
  public:
    AnswerCounts(std::shared_ptr<const AnswerLayout> layout, std::size_t readers);

    /// The block of a reader; made before it is asked for, except for readers that came late.
    [[nodiscard]] AnswerBlock& block(std::size_t reader);
    /// What the blocks hold, without what was carried.
    [[nodiscard]] AnswerTotals counted() const;

    [[nodiscard]] const std::shared_ptr<const AnswerLayout>& layout() const noexcept {
        return layout_;
    }

  private:
    const std::shared_ptr<const AnswerLayout> layout_;
    mutable std::mutex mutex_;  // of the list; what the blocks hold needs none
    std::vector<std::unique_ptr<AnswerBlock>> blocks_;
};

class AnswerBook {
  public:
    /// The counts of this plan: those in use, or new ones.
    [[nodiscard]] std::shared_ptr<AnswerCounts> turn_to(
        const std::shared_ptr<const policy::Plan>& plan, std::size_t readers);
    /// Carries over what was counted for earlier plans, once no thread counts there any more.
    void settle();
    [[nodiscard]] AnswerTotals totals() const;

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const policy::Plan> plan_;
    std::shared_ptr<AnswerCounts> current_;
    std::unique_ptr<AnswerTotals> carried_;  // laid out as current_
    std::vector<std::shared_ptr<AnswerCounts>> retired_;
};

}  // namespace steerd::server
