// Queries over TCP (RFC 1035 §4.2.2: two octets of length before each message): a connection with
// the window of those under way on it. A connection that the server closes is an error.
// Deliberately does not say when to send. Thread rule: one thread.
#pragma once

#include "run.h"

namespace peers {

class Tcp {
  public:
    explicit Tcp(Run& run) : run_(run), fd_(connected(run.options)), window_(run.options.window) {}

    ~Tcp() { ::close(fd_); }

    Tcp(const Tcp&) = delete;
    Tcp& operator=(const Tcp&) = delete;

    [[nodiscard]] int fd() const { return fd_; }

    void receive() {
        const ssize_t n = ::recv(fd_, &in_[held_], in_.size() - held_, MSG_DONTWAIT);
        if (n == 0) {
            throw std::runtime_error("the server closed a connection");
        }
        held_ += n > 0 ? static_cast<std::size_t>(n) : 0;
        const Nanos at = now();
        std::size_t done = 0;
        while (held_ - done >= 2) {
            const std::size_t size = in_[done] * 256U + in_[done + 1];
            if (held_ - done - 2 < size) {
                break;
            }
            window_.take(run_.queries, std::span(in_).subspan(done + 2, size), at,
                         run_.options.echo, run_.tally);
            done += 2 + size;
        }
        std::memmove(in_.data(), &in_[done], held_ - done);
        held_ -= done;
    }

    /// All that the window has room for, in one call. The socket's buffer is far larger.
    void refill() {
        std::size_t filled = 0;
        const Nanos at = now();
        while (window_.free() > 0) {
            const std::uint16_t size = window_.put(run_.queries, &out_[filled + 2], at, run_.tally);
            out_[filled] = static_cast<std::uint8_t>(size >> 8);
            out_[filled + 1] = static_cast<std::uint8_t>(size);
            filled += 2U + size;
        }
        if (filled > 0 &&
            ::send(fd_, out_.data(), filled, MSG_NOSIGNAL) != static_cast<ssize_t>(filled)) {
            throw std::runtime_error("a connection took no more queries");
        }
    }

    Window& window() { return window_; }

  private:
    Run& run_;
    int fd_;
    Window window_;
    std::size_t held_ = 0;
    std::array<std::uint8_t, 1 << 17> in_{};
    std::array<std::uint8_t, 1 << 15> out_{};
};

}  // namespace peers
