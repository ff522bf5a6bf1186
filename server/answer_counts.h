// Who was told what, counted where it is told: queries by zone, transport and RCODE; decisions by
// steered name and endpoint; answers that were given although all was down. What is counted where
// is laid out when a plan is published (AnswerLayout), so that an answer costs two or three adds
// (AnswerBlock, one for each thread that answers, on lines of its own). At most 1,000 zones and
// names get rows of their own, the rest share one row; so no configuration makes them grow.
// Deliberately no words and no sums: answer_book.h has them.
// Thread rule: a layout is immutable; a block is written by one thread and read by any.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "policy/answer.h"
#include "server/counter.h"

namespace steerd::server {

/// Counters on lines of their own: what one thread writes is never on a line of another's.
class CounterLines {
  public:
    static constexpr std::size_t kLine = 64;

    explicit CounterLines(std::size_t counters)
        : counters_(new (std::align_val_t{kLine}) Counter[rounded(counters)]) {}

    /// REQUIRES: `i` is below the number it was made with.
    [[nodiscard]] Counter& operator[](std::size_t i) const noexcept { return counters_.get()[i]; }

  private:
    struct Delete {
        void operator()(Counter* counters) const noexcept {
            ::operator delete[](counters, std::align_val_t{kLine});
        }
    };

    static std::size_t rounded(std::size_t counters) noexcept {
        constexpr std::size_t kEach = kLine / sizeof(Counter);
        return (counters + kEach - 1) / kEach * kEach;
    }

    std::unique_ptr<Counter, Delete> counters_;
};

class AnswerLayout {
  public:
    static constexpr std::size_t kMaxZones = 1000;
    static constexpr std::size_t kMaxNames = 1000;
    /// Pairs of name and endpoint; a name that finds no room any more shares the last row.
    static constexpr std::size_t kMaxPairs = 20'000;
    /// RCODEs below 7 have a place of their own in a row, all others share the last one.
    static constexpr std::size_t kRcodes = CounterLines::kLine / sizeof(Counter);

    /// What stands in a name's row before its endpoints.
    enum Head : std::uint32_t {
        FailOpen,  // all were down, and it answered
        Nobody,    // decided for no endpoint: NODATA or SERVFAIL
        Further,   // endpoints beyond the first, so that decisions = all in the row less these
        kHeadSize
    };

    /// A name's counters: `first` is that of Head{0}; its endpoint e stands at
    /// first + kHeadSize + ordinals[at + e], where the sum wraps.
    struct Row {
        std::uint32_t first = 0;
        std::uint32_t at = 0;
    };

    struct NameLabel {
        std::string name;                      // "other" is none's: an owner ends in a dot
        std::vector<std::uint32_t> endpoints;  // EndpointId, in the order of the row
    };

    AnswerLayout() : AnswerLayout(policy::Plan{}) {}

    explicit AnswerLayout(const policy::Plan& plan);

    /// Labels; row 0 of zones is "none of ours", row i + 1 that of zones()[i], the last "other".
    [[nodiscard]] const std::vector<std::string>& zones() const noexcept { return zones_; }

    [[nodiscard]] std::size_t zone_rows() const noexcept { return zones_.size() + 2; }

    /// Labels of rows(); the last is "other", with every endpoint.
    [[nodiscard]] const std::vector<NameLabel>& names() const noexcept { return names_; }

    [[nodiscard]] const std::vector<std::string>& endpoints() const noexcept { return endpoints_; }

    [[nodiscard]] std::span<const Row> rows() const noexcept { return rows_; }

    [[nodiscard]] std::span<const std::uint32_t> ordinals() const noexcept { return ordinals_; }

    /// Counters of all names together.
    [[nodiscard]] std::size_t name_cells() const noexcept { return cells_; }

  private:
    Row add_row(std::size_t endpoints, std::uint32_t at);

    std::vector<std::string> zones_;
    std::vector<std::string> endpoints_;
    std::vector<NameLabel> names_;
    std::vector<Row> rows_;                // as names_; those that share the last are not in it
    std::vector<std::uint32_t> ordinals_;  // of a tree's endpoints by EndpointId, tree after tree
    std::size_t cells_ = 0;
};

class AnswerBlock {
  public:
    explicit AnswerBlock(const AnswerLayout& layout);
    AnswerBlock(const AnswerBlock&) = delete;
    AnswerBlock& operator=(const AnswerBlock&) = delete;
    ~AnswerBlock() = default;

    /// The owner's alone. Queries without an answer are not counted here.
    void count(const policy::Outcome& outcome, policy::Transport transport) noexcept {
        const auto rcode = std::min<std::size_t>(static_cast<std::size_t>(outcome.rcode),
                                                 AnswerLayout::kRcodes - 1);
        // kNone + 1 is 0: the row of what is in no zone of ours.
        zones_[zone_cell(std::min(outcome.zone + 1U, last_zone_row_), transport, rcode)].add();
        if (outcome.steered != policy::kNone) {
            count_decision(outcome);
        }
    }

    [[nodiscard]] std::uint64_t zone(std::size_t row, policy::Transport transport,
                                     std::size_t rcode) const noexcept {
        return zones_[zone_cell(row, transport, rcode)].load();
    }

    [[nodiscard]] std::uint64_t name_cell(std::size_t cell) const noexcept {
        return names_[cell].load();
    }

  private:
    /// A row of a zone has a line for each transport.
    [[nodiscard]] static std::size_t zone_cell(std::size_t row, policy::Transport transport,
                                               std::size_t rcode) noexcept {
        return (row * 2 + static_cast<std::size_t>(transport)) * AnswerLayout::kRcodes + rcode;
    }

    void count_decision(const policy::Outcome& outcome) noexcept {
        const auto& decision = outcome.decision;
        const auto row = rows_[std::min(outcome.steered, last_row_)];
        if (decision.endpoint_count == 1 && !decision.fail_open) [[likely]] {
            count_endpoint(row, *decision.endpoints.data());
        } else {
            count_odd(decision, row);
        }
    }

    void count_endpoint(const AnswerLayout::Row& row, policy::EndpointId endpoint) noexcept {
        const auto ordinal = ordinals_[row.at + static_cast<std::uint32_t>(endpoint)];
        names_[row.first + AnswerLayout::kHeadSize + ordinal].add();
    }

    void count_odd(const policy::Decision& decision, const AnswerLayout::Row& row) noexcept;

    // Pointers of our own: one step less on the way than by way of the layout.
    std::uint32_t last_zone_row_;
    std::uint32_t last_row_;
    const AnswerLayout::Row* rows_;
    const std::uint32_t* ordinals_;
    CounterLines zones_;
    CounterLines names_;
};

}  // namespace steerd::server
