// The threads that answer on one worker's sockets: one for each UDP socket, which blocks in
// receiving, and one for TCP, on a loop of its own. None shares anything that is written with
// another. Why not one thread for all: waiting in the receiving call itself is the cheapest way to
// get datagrams, and so a burst of connections never delays them.
// Thread rule: start() and stop() from the owner; counters() from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "server/counters.h"
#include "server/listeners.h"
#include "server/query_tap.h"
#include "server/rate_limiter.h"
#include "server/rtt_feed.h"
#include "server/snapshot_cell.h"
#include "server/tcp.h"

namespace steerd::server {

class Worker {
  public:
    struct Options {
        const base::Clock& clock;
        const SnapshotCell& snapshots;
        std::uint64_t seed = 0;  // of the draws; from the system's randomness
        TcpLimits tcp;
        QueryTap* tap = nullptr;  // gets queries; none: the logs are off. Must outlive the worker
        std::shared_ptr<const RateLimits> rate_limits = nullptr;  // null: none
    };

    Worker(WorkerSockets sockets, Options options);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    /// Stops and joins.
    ~Worker();

    /// Begins to read the sockets. Queries that came before wait in the kernel's buffers.
    /// REQUIRES: a snapshot was published.
    void start();
    /// Answers what has arrived, closes the connections, ends the threads. At once, twice is fine.
    void stop();

    /// Those of each thread: what a worker counted is their sum.
    [[nodiscard]] std::vector<const WorkerCounters*> counters() const;

    /// Off at first. Turned on and off, and emptied, by one owner.
    [[nodiscard]] RttFeed& rtts() noexcept { return rtts_; }

    /// One count for each of its threads, which moves a few times a second while it works.
    void append_beats(std::vector<std::uint64_t>& out) const;
    /// What each of them does, in the same order, for people.
    void append_names(std::vector<std::string>& out) const;

  private:
    struct Loop;
    struct Receiver;

    Options options_;
    WorkerSockets sockets_;
    WorkerCounters tcp_counters_;
    TapPoint* tcp_tap_;
    RttFeed rtts_;
    std::vector<std::unique_ptr<Receiver>> receivers_;
    std::atomic<bool> stopping_{false};
    std::unique_ptr<Loop> loop_;
    std::thread loop_thread_;
};

}  // namespace steerd::server
