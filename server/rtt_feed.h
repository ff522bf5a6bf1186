// Round trips of TCP handshakes on their way from the thread that accepts to the one that learns
// (rtt_learner.h): a ring that one thread fills and one empties, without a lock. When it is full,
// samples are dropped: of many, some are enough. The handshake is what is measured, since the
// kernel has timed it already and no answer has been sent yet whose size could disturb it. What
// this deliberately does not do: keep anything for longer than a moment. Thread rule: measure() and
// put() from the one thread that accepts; all else from the owner.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/ip.h"

namespace steerd::server {

class RttFeed {
  public:
    struct Sample {
        base::IpAddress client;
        std::uint32_t rtt_us = 0;
    };

    RttFeed() = default;
    RttFeed(const RttFeed&) = delete;
    RttFeed& operator=(const RttFeed&) = delete;
    ~RttFeed() = default;

    /// Takes the round trip of a connection that was just accepted. While off: one load, no call of
    /// the kernel.
    void measure(int fd, const base::IpAddress& client) noexcept {
        if (ring_.load(std::memory_order_acquire) != nullptr) {
            take_from_kernel(fd, client);
        }
    }

    /// Nothing while off or full.
    void put(const Sample& sample) noexcept;

    void turn_on();

    void turn_off() noexcept { ring_.store(nullptr, std::memory_order_release); }

    /// Calls `take` for each sample that waits, oldest first.
    template <typename Take>
    void drain(Take&& take) {
        if (made_ == nullptr) {
            return;
        }
        const auto end = made_->written.load(std::memory_order_acquire);
        auto at = made_->read.load(std::memory_order_relaxed);
        for (; at != end; ++at) {
            take(made_->samples[at % kSamples]);
        }
        made_->read.store(at, std::memory_order_release);
    }

  private:
    // A worker that accepts more than 16,000 connections a second drops some.
    static constexpr std::uint32_t kSamples = 4096;

    struct Ring {
        std::array<Sample, kSamples> samples;
        std::atomic<std::uint32_t> written{0};  // counts go round; their difference is the filling
        std::atomic<std::uint32_t> read{0};
    };

    void take_from_kernel(int fd, const base::IpAddress& client) noexcept;

    std::unique_ptr<Ring> made_;  // stays when turned off: the other thread may be writing in it
    std::atomic<Ring*> ring_{nullptr};
};

}  // namespace steerd::server
