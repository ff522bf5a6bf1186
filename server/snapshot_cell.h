// Where control puts the snapshot and workers pick it up. A worker compares one counter for each
// batch of packets and takes the lock only when the counter moved; std::atomic<std::shared_ptr> is
// not lock-free on GCC 12 and costs every reader. Retired snapshots stay here until this cell alone
// holds them, so that no worker ever pays for freeing one. With a snapshot comes the place where a
// reader counts its answers.
// Thread rule: publish() and release_retired() from the control thread, a Reader is its thread's,
// all else from any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "policy/snapshot.h"
#include "server/answer_book.h"

namespace steerd::server {

class SnapshotCell {
  public:
    using Pointer = std::shared_ptr<const policy::Snapshot>;

    void publish(Pointer next) {
        auto counts = book_.turn_to(next->plan, readers_.load(std::memory_order_relaxed));
        const std::lock_guard lock(mutex_);
        if (current_) {
            retired_.push_back({std::move(current_), next->published.mono});
        }
        current_ = std::move(next);
        counts_ = std::move(counts);
        generation_.fetch_add(1, std::memory_order_release);
    }

    /// Frees what no worker looks at any more.
    void release_retired() {
        std::vector<Retired> free_outside_the_lock;
        {
            const std::lock_guard lock(mutex_);
            const auto held = std::partition(retired_.begin(), retired_.end(),
                                             [](const Retired& r) { return r.held(); });
            std::move(held, retired_.end(), std::back_inserter(free_outside_the_lock));
            retired_.erase(held, retired_.end());
        }
        book_.settle();
    }

    /// How long a snapshot that was replaced has been in use since; 0: none is.
    [[nodiscard]] base::Duration lag(base::Mono now) const {
        base::Duration longest{};
        const std::lock_guard lock(mutex_);
        for (const Retired& retired : retired_) {
            if (retired.held()) {
                longest = std::max(longest, now - retired.replaced);
            }
        }
        return longest;
    }

    /// What all readers have counted.
    [[nodiscard]] AnswerTotals answers() const { return book_.totals(); }

    [[nodiscard]] Pointer current() const {
        const std::lock_guard lock(mutex_);
        return current_;
    }

    /// A reader's copy with the generation it is of.
    class Reader {
      public:
        explicit Reader(const SnapshotCell& cell) : cell_(cell), number_(cell.readers_++) {}

        /// The newest snapshot; nullptr before the first publication.
        const policy::Snapshot* refresh() {
            const auto generation = cell_.generation_.load(std::memory_order_acquire);
            if (generation != seen_) {
                renew();
                seen_ = generation;
            }
            return local_.get();
        }

        /// Where to count what was answered from the snapshot of the last refresh().
        /// REQUIRES: that was one.
        [[nodiscard]] AnswerBlock& answers() noexcept { return *block_; }

      private:
        void renew() {
            std::shared_ptr<AnswerCounts> counts;
            {
                const std::lock_guard lock(cell_.mutex_);
                local_ = cell_.current_;
                counts = cell_.counts_;
            }
            if (counts != counts_) {  // another plan
                block_ = &counts->block(number_);
                counts_ = std::move(counts);
            }
        }

        const SnapshotCell& cell_;
        std::size_t number_;
        Pointer local_;
        std::shared_ptr<AnswerCounts> counts_;
        AnswerBlock* block_ = nullptr;  // in counts_
        std::uint64_t seen_ = 0;
    };

  private:
    struct Retired {
        Pointer snapshot;
        base::Mono replaced;

        [[nodiscard]] bool held() const noexcept { return snapshot.use_count() > 1; }
    };

    AnswerBook book_;
    mutable std::atomic<std::size_t> readers_{0};
    mutable std::mutex mutex_;
    Pointer current_;
    std::shared_ptr<AnswerCounts> counts_;  // of current_'s plan
    std::vector<Retired> retired_;
    std::atomic<std::uint64_t> generation_{0};
};

}  // namespace steerd::server
