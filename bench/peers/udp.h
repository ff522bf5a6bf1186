// Queries over UDP: a socket with the window of those under way on it. They leave in bundles of one
// size each by GSO, so that sending costs less than any server. Deliberately does not say when to
// send. Thread rule: one thread.
#pragma once

#include <netinet/udp.h>

#include <algorithm>

#include "run.h"

namespace peers {

class Udp {
  public:
    explicit Udp(Run& run) : run_(run), fd_(connected(run.options)), window_(run.options.window) {
        for (std::size_t i = 0; i < kBatch; ++i) {
            iov_[i] = {in_[i].data(), in_[i].size()};
            messages_[i].msg_hdr.msg_iov = &iov_[i];
            messages_[i].msg_hdr.msg_iovlen = 1;
        }
    }

    ~Udp() { ::close(fd_); }

    Udp(const Udp&) = delete;
    Udp& operator=(const Udp&) = delete;

    bool receive() {
        const int count = ::recvmmsg(fd_, messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
        const Nanos at = count > 0 ? now() : 0;
        for (int i = 0; i < count; ++i) {
            window_.take(run_.queries, std::span(in_[i]).first(messages_[i].msg_len), at,
                         run_.options.echo, run_.tally);
        }
        return count > 0;
    }

    /// Refills when half of the window is free, in bundles of one size each.
    bool refill() {
        if (window_.free() * 2 < run_.options.window) {
            return false;
        }
        for (std::size_t left = std::min<std::size_t>(window_.free(), kBatch); left > 0;) {
            left -= send_bundle(left);
        }
        return true;
    }

    bool send_one() {
        if (window_.free() == 0) {
            return false;
        }
        const std::uint16_t size = window_.put(run_.queries, out_.data(), now(), run_.tally);
        return ::send(fd_, out_.data(), size, 0) == size;
    }

    Window& window() { return window_; }

  private:
    static constexpr std::size_t kBatch = 64;

    std::size_t send_bundle(std::size_t limit) {
        const std::uint16_t size = run_.queries.peek().size;
        const Nanos at = now();
        std::size_t count = 0;
        std::size_t filled = 0;
        do {
            filled += window_.put(run_.queries, &out_[filled], at, run_.tally);
            ++count;
        } while (count < limit && run_.queries.peek().size == size);
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof size)> control{};
        iovec iov{out_.data(), filled};
        msghdr message{};
        message.msg_iov = &iov;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* const segment = CMSG_FIRSTHDR(&message);
        segment->cmsg_level = SOL_UDP;
        segment->cmsg_type = UDP_SEGMENT;
        segment->cmsg_len = CMSG_LEN(sizeof size);
        std::memcpy(CMSG_DATA(segment), &size, sizeof size);
        // What does not leave is counted as lost when its time is over.
        static_cast<void>(::sendmsg(fd_, &message, 0));
        return count;
    }

    Run& run_;
    int fd_;
    Window window_;
    std::array<std::array<std::uint8_t, 4096>, kBatch> in_{};
    std::array<std::uint8_t, kBatch * 512> out_{};
    std::array<mmsghdr, kBatch> messages_{};
    std::array<iovec, kBatch> iov_{};
};

}  // namespace peers
