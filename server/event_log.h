// The events of this process for those who follow them from other threads: a bounded ring, each
// event kept once however many read. Control has the history; this copy spares its loop the
// readers. Thread rule: append() from the loop's thread, everything else from any.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "control/event.h"

namespace steerd::server {

class EventLog {
  public:
    using Pointer = std::shared_ptr<const control::Event>;

    explicit EventLog(std::size_t limit = 10'000) : limit_(limit) {}

    void append(const std::vector<control::Event>& events) {
        if (events.empty()) {
            return;
        }
        std::function<void()> tell;
        {
            const std::lock_guard lock(mutex_);
            for (const control::Event& event : events) {
                if (kept_.size() == limit_) {
                    kept_.pop_front();
                }
                kept_.push_back(std::make_shared<const control::Event>(event));
                last_ = event.id;
            }
            tell = tell_;
        }
        if (tell) {
            tell();
        }
    }

    /// Up to `most` kept events with an id above `after`, oldest first.
    [[nodiscard]] std::vector<Pointer> after(std::uint64_t after, std::size_t most) const {
        const std::lock_guard lock(mutex_);
        std::vector<Pointer> out;
        // Ids rise by one: the place follows from the first.
        const std::uint64_t first = kept_.empty() ? 1 : kept_.front()->id;
        for (std::size_t i = after < first ? 0 : after + 1 - first;
             i < kept_.size() && out.size() < most; ++i) {
            out.push_back(kept_[i]);
        }
        return out;
    }

    /// The id of the newest event; 0: none yet.
    [[nodiscard]] std::uint64_t last() const {
        const std::lock_guard lock(mutex_);
        return last_;
    }

    /// Called after each append on the loop's thread: must be short. Empty: nobody.
    void on_append(std::function<void()> tell) {
        const std::lock_guard lock(mutex_);
        tell_ = std::move(tell);
    }

  private:
    const std::size_t limit_;
    mutable std::mutex mutex_;
    std::deque<Pointer> kept_;
    std::uint64_t last_ = 0;
    std::function<void()> tell_;
};

}  // namespace steerd::server
