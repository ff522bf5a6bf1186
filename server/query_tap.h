// What of queries goes to the query log and to dnstap. A thread that answers puts what is wanted
// into a ring of its own (TapPoint), without a lock or a call of the kernel; one thread takes it
// out, makes lines and dnstap messages of it and writes them. When that one cannot keep up, or
// whoever reads is slow, the ring is full and queries are dropped from the log, counted, never from
// answering. Not made at all while both are off: then an answer costs one branch.
// Thread rule: TapPoint::offer() from the thread that answers; all else from the owner, counts()
// from any.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "config/model.h"
#include "policy/answer.h"
#include "server/counter.h"
#include "server/snapshot_cell.h"

namespace steerd::server {

/// One query with its answer. What is longer than its place is left out and its size 0.
struct TapRecord {
    static constexpr std::size_t kQuery = 512;
    static constexpr std::size_t kResponse = policy::kMaxUdpAnswer;

    bool log = false;
    bool dnstap = false;
    bool sent_short = false;  // truncated, or asked for a cookie
    policy::Transport transport{};
    dns::Rcode rcode{};
    std::uint16_t port = 0;
    std::uint16_t query_size = 0;
    std::uint16_t response_size = 0;
    std::uint64_t generation = 0;  // of the snapshot
    std::uint64_t draw = 0;
    base::Now at{};
    base::IpAddress client;
    std::array<std::uint8_t, kQuery> query;
    std::array<std::uint8_t, kResponse> response;
};

/// What is asked of a thread that answers.
struct TapOrders {
    std::vector<config::QueryLogRule> rules;  // those for names first, then zones, then all
    bool dnstap = false;
    std::uint64_t seed = 0;
};

class TapPoint {
  public:
    explicit TapPoint(const TapOrders& orders);
    TapPoint(const TapPoint&) = delete;
    TapPoint& operator=(const TapPoint&) = delete;
    ~TapPoint() = default;

    /// Takes the query if it is wanted and there is room.
    void offer(const policy::Snapshot& snapshot, const policy::Request& request,
               const policy::Outcome& outcome, const std::uint8_t* response,
               std::uint16_t port) noexcept;

    /// Calls `take` for each record that waits, oldest first; how many there were.
    template <typename Take>
    std::size_t drain(Take&& take) {
        const auto end = written_.load(std::memory_order_acquire);
        const auto begin = read_.load(std::memory_order_relaxed);
        for (auto at = begin; at != end; ++at) {
            take(ring_[at % kRecords]);
            read_.store(at + 1, std::memory_order_release);
        }
        return end - begin;
    }

    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(); }

  private:
    static constexpr std::uint32_t kRecords = 2048;  // about 4 MB

    [[nodiscard]] bool to_log(const policy::Snapshot& snapshot, const policy::Request& request,
                              const policy::Outcome& outcome) noexcept;

    const TapOrders& orders_;
    base::Rng rng_;
    std::unique_ptr<TapRecord[]> ring_;
    Counter dropped_;
    std::atomic<std::uint32_t> written_{0};
    std::atomic<std::uint32_t> read_{0};
};

struct TapCounts {
    std::uint64_t lines = 0;           // in the query log
    std::uint64_t log_dropped = 0;     // whoever reads the log does not keep up
    std::uint64_t frames = 0;          // handed to dnstap
    std::uint64_t dropped = 0;         // no room in a ring
    std::uint64_t dnstap_dropped = 0;  // libfstrm's queue was full
};

class DnstapSink;

class QueryTap {
  public:
    /// nullptr where the configuration asks for none. Throws std::runtime_error where a file cannot
    /// be opened.
    [[nodiscard]] static std::unique_ptr<QueryTap> make(const config::ServerConfig& config,
                                                        const SnapshotCell& snapshots);

    QueryTap(const config::ServerConfig& config, const SnapshotCell& snapshots);
    QueryTap(const QueryTap&) = delete;
    QueryTap& operator=(const QueryTap&) = delete;
    /// Writes what waits, then ends. REQUIRES: nobody offers any more.
    ~QueryTap();

    /// One for each thread that answers; lives as long as this. REQUIRES: before start().
    [[nodiscard]] TapPoint& add_point();
    void start();

    [[nodiscard]] TapCounts counts() const;

  private:
    void run();
    std::size_t drain();

    TapOrders orders_;
    SnapshotCell::Reader snapshots_;
    std::unique_ptr<DnstapSink> dnstap_;
    std::vector<std::unique_ptr<TapPoint>> points_;
    Counter lines_;
    Counter log_dropped_;
    Counter frames_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

/// A line of the query log: `query client=203.0.113.0/24 name=www.example.com. type=A ...`.
/// `snapshot` is the newest; the decision is made once more from it, for its reason.
[[nodiscard]] std::string query_line(const TapRecord& record, const policy::Snapshot& snapshot);

}  // namespace steerd::server
