// Receives datagrams in batches, answers each by the one door, sends the answers in one call.
// Snapshot and time are taken once for a batch, after it was received, so that no answer is older
// than its query. Small batches win: the kernel's buffers stay warm. The receiver blocks in the
// call that receives: an event loop beside it would cost a call more for each batch, so TCP and
// timers live on a thread of their own (worker.h).
// Thread rule: one thread owns it. No allocation after construction.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/rng.h"
#include "policy/answer.h"
#include "server/counters.h"
#include "server/query_tap.h"
#include "server/rate_limiter.h"
#include "server/snapshot_cell.h"

namespace steerd::server {

class UdpReceiver {
  public:
    static constexpr std::size_t kBatch = 8;
    /// A longer query is cut by the kernel and then malformed; real ones are below 512 octets.
    static constexpr std::size_t kQuerySize = 4096;

    struct Deps {
        SnapshotCell::Reader& snapshots;
        const base::Clock& clock;
        base::Rng& rng;
        WorkerCounters& counters;
        TapPoint* tap = nullptr;                             // none: no query is logged
        std::shared_ptr<const RateLimits> limits = nullptr;  // null: answers are not limited
    };

    explicit UdpReceiver(Deps deps);
    UdpReceiver(const UdpReceiver&) = delete;
    UdpReceiver& operator=(const UdpReceiver&) = delete;
    ~UdpReceiver() = default;

    /// Answers what comes in on `fd` until `stop`, then what has arrived by then. `wildcard`: the
    /// answer must leave from the address that was asked, which the packet's control message tells.
    /// A receive that times out or is interrupted lets go of an old snapshot and looks at `stop`.
    void serve(int fd, bool wildcard, const std::atomic<bool>& stop) noexcept;

  private:
    // A step of 4096 octets from buffer to buffer would put all of them into one set of the cache.
    static constexpr std::size_t kLine = 64;
    static constexpr std::size_t kInStep = kQuerySize + kLine;
    static constexpr std::size_t kOutStep = (policy::kMaxUdpAnswer / kLine + 2) * kLine;

    void prepare(bool wildcard) noexcept;
    void renew(unsigned used, bool wildcard) noexcept;
    /// True when there was something to receive.
    bool batch(int fd, bool wildcard, int flags) noexcept;
    unsigned gather(unsigned received) noexcept;
    unsigned answer_batch(const policy::Snapshot& snapshot, unsigned received) noexcept;
    [[nodiscard]] bool pass(const policy::Snapshot& snapshot, const policy::Request& request,
                            std::span<std::uint8_t> out, policy::Outcome& outcome) noexcept;
    void send_batch(int fd, unsigned count) noexcept;

    SnapshotCell::Reader& snapshots_;
    const base::Clock& clock_;
    base::Rng& rng_;
    WorkerCounters& counters_;
    TapPoint* tap_;  // none: no query is logged
    std::optional<RateLimiter> limiter_;

    struct From {
        unsigned message;
        std::uint16_t port;
    };

    struct Buffers {
        alignas(kLine) std::array<std::array<std::uint8_t, kInStep>, kBatch> in;
        alignas(kLine) std::array<std::array<std::uint8_t, kOutStep>, kBatch> out;
        std::array<std::array<std::uint8_t, 64>, kBatch> control;
        std::array<sockaddr_storage, kBatch> peers;
        std::array<iovec, kBatch> in_iov;
        std::array<iovec, kBatch> out_iov;
        std::array<mmsghdr, kBatch> in_msgs;
        std::array<mmsghdr, kBatch> out_msgs;
        std::array<policy::Request, kBatch> requests;
        std::array<From, kBatch> from;  // of the requests
    };

    std::unique_ptr<Buffers> b_;
};

}  // namespace steerd::server
