// Who was told what, counted where it is told: queries by zone, transport and RCODE; decisions by
// steered name and endpoint; answers that were given although all was down. What is counted where
// is laid out when a plan is published (AnswerLayout), so that an answer costs two or three adds
// (AnswerBlock, one for each thread that answers, on lines of its own). At most 1,000 zones and
// names get rows of their own, the rest share one row; so no configuration makes them grow.
// Deliberately no words and no sums: answer_book.h has them.
// Thread rule: a layout is immutable; a block is written by one thread and read by any.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "policy/answer.h"
#include "server/counter.h"

namespace steerd::server {

/// Octets that one thread writes are never on a line of another's.
struct alignas(64) CounterLine {
    static constexpr std::size_t kCounters = 8;
    std::array<Counter, kCounters> counters;
};

class AnswerLayout {
  public:
    static constexpr std::size_t kMaxZones = 1000;
    static constexpr std::size_t kMaxNames = 1000;
    /// Pairs of name and endpoint; a name that finds no room any more shares the last row.
    static constexpr std::size_t kMaxPairs = 20'000;
    /// RCODEs below 7 have a place of their own in a row, all others share the last one.
    static constexpr std::size_t kRcodes = CounterLine::kCounters;

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
        // kNone + 1 is 0: the row of what is in no zone of ours.
        const std::size_t row = std::min(outcome.zone + 1U, zone_rows_ - 1U);
        const auto rcode = std::min<std::size_t>(static_cast<std::size_t>(outcome.rcode),
                                                 AnswerLayout::kRcodes - 1);
        zones_[row * 2 + static_cast<std::size_t>(transport)].counters[rcode].add();
        if (outcome.steered != policy::kNone) {
            count_decision(outcome);
        }
    }

    [[nodiscard]] std::uint64_t zone(std::size_t row, policy::Transport transport,
                                     std::size_t rcode) const noexcept {
        return zones_[row * 2 + static_cast<std::size_t>(transport)].counters[rcode].load();
    }

    [[nodiscard]] std::uint64_t name_cell(std::size_t cell) const noexcept {
        return lines_[cell / CounterLine::kCounters].counters[cell % CounterLine::kCounters].load();
    }

  private:
    [[nodiscard]] Counter& at(std::uint32_t cell) noexcept {
        return lines_[cell / CounterLine::kCounters].counters[cell % CounterLine::kCounters];
    }

    void count_decision(const policy::Outcome& outcome) noexcept {
        const auto& decision = outcome.decision;
        const auto row = rows_[std::min(outcome.steered, last_row_)];
        const std::uint32_t first = row.first + AnswerLayout::kHeadSize;
        for (std::size_t i = 0; i < decision.endpoint_count; ++i) {
            const auto endpoint = static_cast<std::uint32_t>(decision.endpoints[i]);
            at(first + ordinals_[row.at + endpoint]).add();
        }
        if (decision.fail_open || decision.endpoint_count != 1) {
            count_odd(decision, row.first);
        }
    }

    void count_odd(const policy::Decision& decision, std::uint32_t head) noexcept;

    // Pointers of our own: one step less on the way than by way of the layout.
    std::uint32_t zone_rows_;
    std::uint32_t last_row_;
    const AnswerLayout::Row* rows_;
    const std::uint32_t* ordinals_;
    std::unique_ptr<CounterLine[]> zones_;  // row * 2 + transport
    std::unique_ptr<CounterLine[]> lines_;  // name cells, in lines
};

}  // namespace steerd::server
