#include "server/udp.h"

#include <cerrno>
#include <cstring>

#include "server/sockaddr.h"

namespace steerd::server {

UdpReceiver::UdpReceiver(SnapshotCell::Reader& snapshots, const base::Clock& clock, base::Rng& rng,
                         WorkerCounters& counters)
    : snapshots_(snapshots),
      clock_(clock),
      rng_(rng),
      counters_(counters),
      b_(std::make_unique<Buffers>()) {
    for (std::size_t i = 0; i < kBatch; ++i) {
        b_->in_iov[i] = {b_->in[i].data(), kQuerySize};
    }
}

void UdpReceiver::prepare(bool wildcard) noexcept {
    for (std::size_t i = 0; i < kBatch; ++i) {
        auto& header = b_->in_msgs[i].msg_hdr;
        header.msg_name = &b_->peers[i];
        header.msg_namelen = sizeof(sockaddr_storage);
        header.msg_iov = &b_->in_iov[i];
        header.msg_iovlen = 1;
        header.msg_control = wildcard ? b_->control[i].data() : nullptr;
        header.msg_controllen = wildcard ? b_->control[i].size() : 0;
        header.msg_flags = 0;
    }
}

void UdpReceiver::drain(int fd, bool wildcard) noexcept {
    for (int round = 0; round < kMaxBatches; ++round) {
        prepare(wildcard);
        const int received = ::recvmmsg(fd, b_->in_msgs.data(), kBatch, MSG_DONTWAIT, nullptr);
        if (received <= 0) {
            return;  // empty, interrupted, or an ICMP error of an earlier answer: poll tells again
        }
        // Only now, so that a snapshot published before the query was sent is the one it sees.
        const auto* snapshot = snapshots_.refresh();
        if (snapshot == nullptr) {
            return;
        }
        const unsigned answers = answer_batch(*snapshot, static_cast<unsigned>(received));
        send_batch(fd, answers);
        if (static_cast<std::size_t>(received) < kBatch) {
            return;
        }
    }
}

namespace {

/// What must not be answered, whatever it says: no real client sends from port 0.
bool answerable(const base::SocketAddress& peer) noexcept { return peer.port != 0; }

}  // namespace

unsigned UdpReceiver::answer_batch(const policy::Snapshot& snapshot, unsigned received) noexcept {
    policy::Request request;
    request.transport = policy::Transport::Udp;
    request.now = clock_.now();
    unsigned answers = 0;
    for (unsigned i = 0; i < received; ++i) {
        const auto& in = b_->in_msgs[i];
        const auto peer = from_sockaddr(b_->peers[i]);
        if (!peer || !answerable(*peer)) {
            continue;
        }
        request.query = {b_->in[i].data(), in.msg_len};
        request.client = peer->address;
        request.draw = rng_.next();
        const auto outcome = policy::answer(snapshot, request, b_->out[answers]);
        counters_.count(outcome, policy::Transport::Udp);
        if (outcome.size == 0) {
            continue;
        }
        b_->out_iov[answers] = {b_->out[answers].data(), outcome.size};
        auto& header = b_->out_msgs[answers].msg_hdr;
        header.msg_name = in.msg_hdr.msg_name;
        header.msg_namelen = in.msg_hdr.msg_namelen;
        header.msg_iov = &b_->out_iov[answers];
        header.msg_iovlen = 1;
        // The IP_PKTINFO message that came in, sent back as it is, makes the kernel answer from the
        // address that was asked.
        header.msg_control = in.msg_hdr.msg_controllen > 0 ? in.msg_hdr.msg_control : nullptr;
        header.msg_controllen = in.msg_hdr.msg_controllen;
        header.msg_flags = 0;
        ++answers;
    }
    return answers;
}

void UdpReceiver::send_batch(int fd, unsigned count) noexcept {
    unsigned sent = 0;
    while (sent < count) {
        const int n = ::sendmmsg(fd, &b_->out_msgs[sent], count - sent, 0);
        if (n > 0) {
            sent += static_cast<unsigned>(n);
        } else if (errno == EINTR) {
            continue;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            // The send buffer is full; UDP may lose, a worker may not wait.
            counters_.send_failures.add(count - sent);
            return;
        } else {
            counters_.send_failures.add();  // this one cannot be sent (no route back, ...); go on
            ++sent;
        }
    }
}

}  // namespace steerd::server
