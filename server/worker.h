// One thread that answers: UDP in batches, TCP connections, all on one loop of its own. It shares
// nothing that is written with other workers.
// Thread rule: start() and stop() from the owner; counters() from any thread.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "server/counters.h"
#include "server/listeners.h"
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
    };

    Worker(WorkerSockets sockets, Options options);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    /// Stops and joins.
    ~Worker();

    /// Begins to read the sockets. Queries that came before wait in the kernel's buffers.
    /// REQUIRES: a snapshot was published.
    void start();
    /// Answers what has arrived, closes the connections, ends the thread. At once, twice is fine.
    void stop();

    [[nodiscard]] const WorkerCounters& counters() const noexcept { return counters_; }
    /// One count for each of its threads, which moves a few times a second while it works.
    void append_beats(std::vector<std::uint64_t>& out) const;

  private:
    struct Loop;
    void run();

    WorkerSockets sockets_;
    Options options_;
    WorkerCounters counters_;
    std::unique_ptr<Loop> loop_;
    std::thread thread_;
};

}  // namespace steerd::server
