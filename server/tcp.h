// DNS over TCP (RFC 7766): any split of the stream, several queries on one connection, pipelining,
// half-close. Read all, answer all, write once. Everything is bounded: connections in total and for
// each client's prefix, queries on one, octets waiting to be read or written, time without a
// complete query, which is told to clients that ask for it (RFC 7828, RFC 9210 §4.2).
// Thread rule: one worker owns it, on that worker's loop.
#pragma once

#include <uv.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "policy/answer.h"
#include "server/counters.h"
#include "server/fd.h"
#include "server/query_tap.h"
#include "server/rtt_feed.h"
#include "server/snapshot_cell.h"

namespace steerd::server {

struct TcpLimits {
    std::size_t connections = 1024;            // for each worker; the longest idle one makes room
    std::size_t connections_per_prefix = 128;  // of a client's /24 or /56
    std::size_t queries = 0;                   // on one connection; 0: any number
    base::Duration idle = std::chrono::seconds(10);  // RFC 7766 §6.2.3: a few seconds
    std::size_t pending_write = 256 * 1024;          // octets of answers a client may leave unread
};

class TcpServer {
  public:
    struct Deps {
        SnapshotCell::Reader& snapshots;
        const base::Clock& clock;
        base::Rng& rng;
        WorkerCounters& counters;
        RttFeed& rtts;  // of each handshake
        TapPoint* tap;  // none: no query is logged
    };

    TcpServer(uv_loop_t& loop, Deps deps, TcpLimits limits);
    TcpServer(const TcpServer&) = delete;
    TcpServer& operator=(const TcpServer&) = delete;
    /// REQUIRES: close() was called and the loop ran until its handles were gone.
    ~TcpServer();

    /// Accepts all that waits on a listening socket. False: it cannot go on for now, since the
    /// process or the system has nothing left to accept with; to be asked again a little later.
    [[nodiscard]] bool accept_from(int listener) noexcept;
    /// Closes connections that were idle too long; called about once a second.
    void expire() noexcept;
    /// Closes every connection.
    void close() noexcept;

    [[nodiscard]] std::size_t connection_count() const noexcept { return by_age_.size(); }

  private:
    struct Connection;
    bool make_room(int listener, int error) noexcept;
    using Age = std::list<std::unique_ptr<Connection>>;

    static void on_poll(uv_poll_t* handle, int status, int events) noexcept;
    bool read_and_answer(Connection& c) noexcept;
    bool answer_complete(Connection& c, std::span<const std::uint8_t> data,
                         std::size_t& used) noexcept;
    [[nodiscard]] std::uint16_t told_idle() const noexcept;
    bool send_all(Connection& c, std::span<const std::uint8_t> octets) noexcept;
    bool flush(Connection& c) noexcept;
    bool resume(Connection& c) noexcept;
    void watch(Connection& c) noexcept;
    void drop(Connection& c) noexcept;

    uv_loop_t& loop_;
    Deps deps_;
    TcpLimits limits_;
    Age by_age_;  // longest idle first
    std::map<base::IpPrefix, std::size_t> per_prefix_;
    std::vector<std::uint8_t> scratch_in_;
    std::vector<std::uint8_t> scratch_out_;
};

}  // namespace steerd::server
