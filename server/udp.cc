#include "server/udp.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "policy/ahead.h"
#include "policy/turn_away.h"
#include "server/sockaddr.h"

namespace steerd::server {

namespace {

// About what fits into the socket's buffer: under steady load it never runs empty.
constexpr int kLastBatches = 512;

}  // namespace

UdpReceiver::UdpReceiver(Deps deps)
    : snapshots_(deps.snapshots),
      clock_(deps.clock),
      rng_(deps.rng),
      counters_(deps.counters),
      tap_(deps.tap),
      b_(std::make_unique<Buffers>()) {
    if (deps.limits != nullptr) {
        limiter_.emplace(std::move(deps.limits));
    }
}

/// What stays as it is from batch to batch.
void UdpReceiver::prepare(bool wildcard) noexcept {
    for (std::size_t i = 0; i < kBatch; ++i) {
        b_->in_iov[i] = {b_->in[i].data(), kQuerySize};
        auto& header = b_->in_msgs[i].msg_hdr;
        header.msg_name = &b_->peers[i];
        header.msg_iov = &b_->in_iov[i];
        header.msg_iovlen = 1;
        header.msg_control = wildcard ? b_->control[i].data() : nullptr;
        b_->out_msgs[i].msg_hdr.msg_iov = &b_->out_iov[i];
        b_->out_msgs[i].msg_hdr.msg_iovlen = 1;
        b_->out_iov[i].iov_base = b_->out[i].data();
    }
    renew(kBatch, wildcard);
}

/// What the kernel overwrote in the headers of messages it received.
void UdpReceiver::renew(unsigned used, bool wildcard) noexcept {
    for (std::size_t i = 0; i < used; ++i) {
        auto& header = b_->in_msgs[i].msg_hdr;
        header.msg_namelen = sizeof(sockaddr_storage);
        header.msg_controllen = wildcard ? b_->control[i].size() : 0;
        header.msg_flags = 0;
    }
}

void UdpReceiver::serve(int fd, bool wildcard, const std::atomic<bool>& stop) noexcept {
    prepare(wildcard);
    while (!stop.load(std::memory_order_relaxed)) {
        counters_.beats.add();
        if (!batch(fd, wildcard, MSG_WAITFORONE)) {
            (void)snapshots_.refresh();
        }
    }
    int last = 0;
    while (last < kLastBatches && batch(fd, wildcard, MSG_DONTWAIT)) {
        ++last;
    }
}

bool UdpReceiver::batch(int fd, bool wildcard, int flags) noexcept {
    const int result = ::recvmmsg(fd, b_->in_msgs.data(), kBatch, flags, nullptr);
    if (result <= 0) {
        return false;  // nothing for a while, interrupted, or an ICMP error of an earlier answer
    }
    const auto received = static_cast<unsigned>(result);
    // Only now, so that a snapshot published before the query was sent is the one it sees.
    const auto* snapshot = snapshots_.refresh();
    if (snapshot != nullptr) {
        send_batch(fd, answer_batch(*snapshot, received));
    }
    renew(received, wildcard);
    return true;
}

namespace {

/// Whom to answer; nullopt: nobody, whatever it says, since no real client sends from port 0.
std::optional<base::SocketAddress> client_of(const sockaddr_storage& peer) noexcept {
    const auto from = from_sockaddr(peer);
    if (!from || from->port == 0) {
        return std::nullopt;
    }
    return from;
}

}  // namespace

/// False: nothing is sent, and that is counted. What is too much is answered short.
bool UdpReceiver::pass(const policy::Snapshot& snapshot, const policy::Request& request,
                       std::span<std::uint8_t> out, policy::Outcome& outcome) noexcept {
    if (outcome.size == 0) {
        return true;  // no answer to be limited
    }
    const auto kind = static_cast<std::size_t>(rate_kind_of(outcome));
    switch (limiter_->judge(request, outcome)) {
        case RateLimiter::Verdict::Pass:
            return true;
        case RateLimiter::Verdict::Drop:
            counters_.limited_dropped[kind].add();
            return false;
        case RateLimiter::Verdict::Slip:
            counters_.limited_slipped[kind].add();
            break;
        case RateLimiter::Verdict::TooLarge:
            counters_.unproven.add();
            break;
    }
    policy::turn_away(snapshot, request, out, outcome);
    return true;
}

/// Whom to answer what; the time is the same for all of them.
unsigned UdpReceiver::gather(unsigned received) noexcept {
    const base::Now now = clock_.now();
    unsigned asked = 0;
    for (unsigned i = 0; i < received; ++i) {
        const auto client = client_of(b_->peers[i]);
        if (!client) {
            counters_.no_port.add();
            continue;
        }
        policy::Request& request = b_->requests[asked];
        request.transport = policy::Transport::Udp;
        request.now = now;
        request.query = {b_->in[i].data(), b_->in_msgs[i].msg_len};
        request.client = client->address;
        request.draw = rng_.next();
        b_->from[asked++] = {i, client->port};
    }
    return asked;
}

unsigned UdpReceiver::answer_batch(const policy::Snapshot& snapshot, unsigned received) noexcept {
    const unsigned asked = gather(received);
    if (asked > 1) {  // alone there is nothing to wait for together
        policy::read_ahead(snapshot, std::span(b_->requests).first(asked));
    }
    unsigned count = 0;
    AnswerBlock& answers = snapshots_.answers();
    for (unsigned i = 0; i < asked; ++i) {
        const policy::Request& request = b_->requests[i];
        const From from = b_->from[i];
        const auto& in = b_->in_msgs[from.message];
        auto outcome = policy::answer(snapshot, request, b_->out[count]);
        if (limiter_ && !pass(snapshot, request, b_->out[count], outcome)) [[unlikely]] {
            continue;
        }
        counters_.count(outcome, policy::Transport::Udp, answers);
        if (outcome.size == 0) {
            continue;
        }
        if (tap_ != nullptr) {
            tap_->offer(snapshot, request, outcome, b_->out[count].data(), from.port);
        }
        b_->out_iov[count].iov_len = outcome.size;
        auto& header = b_->out_msgs[count].msg_hdr;
        header.msg_name = in.msg_hdr.msg_name;
        header.msg_namelen = in.msg_hdr.msg_namelen;
        // The IP_PKTINFO message that came in, sent back as it is, makes the kernel answer from the
        // address that was asked.
        header.msg_control = in.msg_hdr.msg_controllen > 0 ? in.msg_hdr.msg_control : nullptr;
        header.msg_controllen = in.msg_hdr.msg_controllen;
        ++count;
    }
    return count;
}

void UdpReceiver::send_batch(int fd, unsigned count) noexcept {
    unsigned sent = 0;
    while (sent < count) {
        // A blocking descriptor, but a worker may not wait: UDP may lose.
        const int n = ::sendmmsg(fd, &b_->out_msgs[sent], count - sent, MSG_DONTWAIT);
        if (n > 0) {
            sent += static_cast<unsigned>(n);
        } else if (errno == EINTR) {
            continue;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            counters_.send_failures.add(count - sent);  // the send buffer is full
            return;
        } else {
            counters_.send_failures.add();  // this one cannot be sent (no route back, ...); go on
            ++sent;
        }
    }
}

}  // namespace steerd::server
