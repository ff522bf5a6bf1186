// A descriptor that closes itself. Thread rule: one owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace steerd::drill {

class LiveFd {
  public:
    LiveFd() = default;

    explicit LiveFd(int fd) noexcept : fd_(fd) {}

    LiveFd(LiveFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

    LiveFd& operator=(LiveFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

    LiveFd(const LiveFd&) = delete;
    LiveFd& operator=(const LiveFd&) = delete;

    ~LiveFd() { reset(); }

    void reset() noexcept {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

    [[nodiscard]] int get() const noexcept { return fd_; }

    explicit operator bool() const noexcept { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

}  // namespace steerd::drill
