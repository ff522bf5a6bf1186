// Where control puts the snapshot and workers pick it up. A worker compares one counter for each
// batch of packets and takes the lock only when the counter moved; std::atomic<std::shared_ptr> is
// not lock-free on GCC 12 and costs every reader. Retired snapshots stay here until this cell alone
// holds them, so that no worker ever pays for freeing one.
// Thread rule: publish() and release_retired() from the control thread, refresh() from any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "policy/snapshot.h"

namespace steerd::server {

class SnapshotCell {
  public:
    using Pointer = std::shared_ptr<const policy::Snapshot>;

    void publish(Pointer next) {
        const std::lock_guard lock(mutex_);
        if (current_) {
            retired_.push_back(std::move(current_));
        }
        current_ = std::move(next);
        generation_.fetch_add(1, std::memory_order_release);
    }

    /// Frees what no worker looks at any more.
    void release_retired() {
        std::vector<Pointer> free_outside_the_lock;
        {
            const std::lock_guard lock(mutex_);
            const auto held = std::partition(retired_.begin(), retired_.end(),
                                             [](const Pointer& p) { return p.use_count() > 1; });
            std::move(held, retired_.end(), std::back_inserter(free_outside_the_lock));
            retired_.erase(held, retired_.end());
        }
    }

    [[nodiscard]] Pointer current() const {
        const std::lock_guard lock(mutex_);
        return current_;
    }

    /// A reader's copy with the generation it is of.
    class Reader {
      public:
        explicit Reader(const SnapshotCell& cell) : cell_(cell) {}

        /// The newest snapshot; nullptr before the first publication.
        const policy::Snapshot* refresh() {
            const auto generation = cell_.generation_.load(std::memory_order_acquire);
            if (generation != seen_) {
                local_ = cell_.current();
                seen_ = generation;
            }
            return local_.get();
        }

      private:
        const SnapshotCell& cell_;
        Pointer local_;
        std::uint64_t seen_ = 0;
    };

  private:
    mutable std::mutex mutex_;
    Pointer current_;
    std::vector<Pointer> retired_;
    std::atomic<std::uint64_t> generation_{0};
};

}  // namespace steerd::server
