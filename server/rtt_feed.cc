// Asking the kernel for the time a handshake took. The header of the kernel, not glibc's: the two
// exclude each other, and this one grows with the kernel.
#include "server/rtt_feed.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace steerd::server {

void RttFeed::put(const Sample& sample) noexcept {
    Ring* const ring = ring_.load(std::memory_order_acquire);
    if (ring == nullptr) {
        return;
    }
    const auto at = ring->written.load(std::memory_order_relaxed);
    if (at - ring->read.load(std::memory_order_acquire) >= kSamples) {
        return;
    }
    ring->samples[at % kSamples] = sample;
    ring->written.store(at + 1, std::memory_order_release);
}

void RttFeed::turn_on() {
    if (made_ == nullptr) {
        made_ = std::make_unique<Ring>();
    }
    ring_.store(made_.get(), std::memory_order_release);
}

void RttFeed::take_from_kernel(int fd, const base::IpAddress& client) noexcept {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
        return;
    }
    // From SYN-ACK to ACK: the only sample so far, so the smoothed figure is that sample. 0: the
    // SYN-ACK had to be sent again, and no one knows which of them was answered (RFC 6298 §3).
    if (info.tcpi_rtt != 0) {
        put({client, info.tcpi_rtt});
    }
}

}  // namespace steerd::server
