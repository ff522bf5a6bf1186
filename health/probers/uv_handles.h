// libuv timers and polls as values: what is destroyed never calls back, and the C handle frees
// itself in its close callback, the one place where libuv allows it.
// Thread rule: the loop's thread.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/clock.h"

namespace steerd::probers {

/// Closes a handle; its memory goes when libuv is done with it.
template <typename Handle>
struct UvClose {
    void operator()(Handle* handle) const noexcept {
        uv_close(reinterpret_cast<uv_handle_t*>(handle),
                 [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
    }
};

template <typename Handle>
using UvPtr = std::unique_ptr<Handle, UvClose<Handle>>;

/// Calls once, some time after start().
class UvTimer {
  public:
    UvTimer(uv_loop_t* loop, std::function<void()> fn) : fn_(std::move(fn)) {
        auto handle = std::make_unique<uv_timer_t>();
        CHECK(uv_timer_init(loop, handle.get()) == 0);
        handle_.reset(handle.release());
        handle_->data = this;
    }

    UvTimer(const UvTimer&) = delete;
    UvTimer& operator=(const UvTimer&) = delete;
    ~UvTimer() = default;

    /// Not earlier than `after` from the loop's idea of now, rounded up to whole milliseconds.
    void start(base::Duration after) {
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(after).count();
        const auto call = [](uv_timer_t* timer) {
            const auto fn = static_cast<UvTimer*>(timer->data)->fn_;  // it may destroy the timer
            fn();
        };
        CHECK(uv_timer_start(handle_.get(), call, ms > 0 ? static_cast<std::uint64_t>(ms) : 0, 0) ==
              0);
    }

    void stop() { uv_timer_stop(handle_.get()); }

  private:
    std::function<void()> fn_;
    UvPtr<uv_timer_t> handle_;
};

/// Watches a descriptor that it does not own; destroy it before the descriptor is closed.
class UvPoll {
  public:
    /// `ready` gets UV_READABLE and UV_WRITABLE bits; both when the descriptor has an error, so
    /// that the next call on it says which. libuv stops watching after an error.
    explicit UvPoll(std::function<void(int ready)> fn) : fn_(std::move(fn)) {}

    UvPoll(const UvPoll&) = delete;
    UvPoll& operator=(const UvPoll&) = delete;
    ~UvPoll() = default;

    /// 0, or a libuv error.
    [[nodiscard]] int open(uv_loop_t* loop, int fd) {
        auto handle = std::make_unique<uv_poll_t>();
        const int error = uv_poll_init(loop, handle.get(), fd);
        if (error == 0) {
            handle_.reset(handle.release());
            handle_->data = this;
        }
        return error;
    }

    /// Watches for these events from now on. REQUIRES: opened.
    void watch(int events) {
        const auto call = [](uv_poll_t* poll, int status, int ready) {
            const auto fn = static_cast<UvPoll*>(poll->data)->fn_;  // it may destroy the poll
            fn(status < 0 ? UV_READABLE | UV_WRITABLE : ready);
        };
        CHECK(uv_poll_start(handle_.get(), events, call) == 0);
    }

    void stop() { uv_poll_stop(handle_.get()); }

  private:
    std::function<void(int)> fn_;
    UvPtr<uv_poll_t> handle_;
};

}  // namespace steerd::probers
