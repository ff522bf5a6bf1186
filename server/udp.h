// Receives datagrams in batches, answers each by the one door, sends the answers in one call.
// Snapshot and time are taken once for a batch, after it was received, so that no answer is older
// than its query. Small batches win: the kernel's buffers stay warm.
// Thread rule: one worker owns it. No allocation after construction.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/rng.h"
#include "policy/answer.h"
#include "server/counters.h"
#include "server/snapshot_cell.h"

namespace steerd::server {

class UdpReceiver {
  public:
    static constexpr std::size_t kBatch = 16;
    /// A longer query is cut by the kernel and then malformed; real ones are below 512 octets.
    static constexpr std::size_t kQuerySize = 4096;
    /// After so many batches the loop looks after its other descriptors.
    static constexpr int kMaxBatches = 64;

    UdpReceiver(SnapshotCell::Reader& snapshots, const base::Clock& clock, base::Rng& rng,
                WorkerCounters& counters);
    UdpReceiver(const UdpReceiver&) = delete;
    UdpReceiver& operator=(const UdpReceiver&) = delete;
    ~UdpReceiver() = default;

    /// Reads `fd` until it is empty (or kMaxBatches). `wildcard`: the answer must leave from the
    /// address that was asked, which the packet's control message tells.
    void drain(int fd, bool wildcard) noexcept;

  private:
    void prepare(bool wildcard) noexcept;
    unsigned answer_batch(const policy::Snapshot& snapshot, unsigned received) noexcept;
    void send_batch(int fd, unsigned count) noexcept;

    SnapshotCell::Reader& snapshots_;
    const base::Clock& clock_;
    base::Rng& rng_;
    WorkerCounters& counters_;

    struct Buffers {
        std::array<std::array<std::uint8_t, kQuerySize>, kBatch> in;
        std::array<std::array<std::uint8_t, policy::kMaxUdpAnswer>, kBatch> out;
        std::array<std::array<std::uint8_t, 64>, kBatch> control;
        std::array<sockaddr_storage, kBatch> peers;
        std::array<iovec, kBatch> in_iov;
        std::array<iovec, kBatch> out_iov;
        std::array<mmsghdr, kBatch> in_msgs;
        std::array<mmsghdr, kBatch> out_msgs;
    };

    std::unique_ptr<Buffers> b_;
};

}  // namespace steerd::server
