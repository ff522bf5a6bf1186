// A number that one thread writes and any thread reads: a relaxed atomic without a locked
// instruction, which costs no more than a plain add.
// Thread rule: add() by the owner; load() by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace steerd::server {

class Counter {
  public:
    void add(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t load() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> value_{0};
};

}  // namespace steerd::server
