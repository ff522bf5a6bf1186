// Hands values from other threads to a loop's thread: a queue behind a mutex and one uv_async,
// which coalesces, so that a burst wakes the loop once. Thread rule: put() from any thread,
// everything else from the loop's.
#pragma once

#include <uv.h>

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"

namespace steerd::server {

template <typename T>
class Mailbox {
  public:
    using Handler = std::function<void(std::vector<T>)>;

    Mailbox(uv_loop_t& loop, Handler handler) : handler_(std::move(handler)) {
        CHECK(uv_async_init(&loop, &async_, [](uv_async_t* handle) {
                  static_cast<Mailbox*>(handle->data)->deliver();
              }) == 0);
        async_.data = this;
    }

    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;
    ~Mailbox() = default;

    void put(T value) {
        const std::lock_guard lock(mutex_);
        if (closed_) {
            return;
        }
        waiting_.push_back(std::move(value));
        uv_async_send(&async_);
    }

    /// No more deliveries; the loop must run once more to let go of the handle.
    void close() {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(closed_, true)) {
            // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
            uv_close(reinterpret_cast<uv_handle_t*>(&async_), nullptr);
        }
    }

  private:
    void deliver() {
        std::vector<T> taken;
        {
            const std::lock_guard lock(mutex_);
            taken.swap(waiting_);
        }
        if (!taken.empty()) {
            handler_(std::move(taken));
        }
    }

    Handler handler_;
    std::mutex mutex_;
    std::vector<T> waiting_;
    bool closed_ = false;
    uv_async_t async_{};
};

}  // namespace steerd::server
