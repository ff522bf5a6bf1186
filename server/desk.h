// What the running server offers to those above it (admin/): its snapshots and events to read, and
// a counter to hand requests over: status, orders, reloads. Answers come by callback on the loop's
// thread, which must be short; nothing here waits, so that whoever asks cannot hold up a probe.
// An order is answered once the snapshot with it is published and the state is on disk.
// Thread rule: everything may be used from any thread until the server says it stops.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/problem.h"
#include "base/result.h"
#include "control/input.h"
#include "control/status.h"
#include "policy/plan.h"
#include "server/counters.h"
#include "server/event_log.h"
#include "server/query_tap.h"
#include "server/snapshot_cell.h"
#include "server/ttl_memory.h"

namespace steerd::server {

/// What came of a start or reload.
struct LoadReport {
    base::Wall at{};
    bool ok = false;              // nothing was refused
    bool partly_refused = false;  // the rest was swapped in
    std::string message;
    std::vector<base::Problem> problems;
    std::vector<std::string> wait_for_restart;  // "[server]"
};

struct ReloadCounts {
    std::uint64_t ok = 0;
    std::uint64_t partly_refused = 0;
    std::uint64_t refused = 0;
};

struct ServerStatus {
    control::Status control;
    std::shared_ptr<const policy::Plan> plan;  // in force, or about to be
    EarlierTtls earlier_ttls;                  // longer ones, of earlier plans
    LoadReport load;                           // the last one
    ReloadCounts reloads;                      // since the start
    TapCounts tap;                             // of the query log and dnstap
    std::uint64_t log_suppressed = 0;          // lines about events that were too many
    std::size_t stalled_threads = 0;           // that answer queries, and do not move
    base::Wall started{};
    bool ready = false;  // answering queries
    std::vector<std::string> listening;
    bool keeps_state = false;   // orders survive a restart
    std::string state_problem;  // why the last write failed; empty: it did not
};

enum class OrderOutcome : std::uint8_t { Done, UnknownName, Refused, NotWritten };

struct OrderResult {
    OrderOutcome outcome = OrderOutcome::Done;
    std::string message;               // for people
    std::vector<std::string> steered;  // Refused: the names that would have no candidate
};

struct AskStatus {
    std::function<void(std::shared_ptr<const ServerStatus>)> reply;
};

/// Whether queries are answered; that the answer comes at all says that the loop runs.
struct AskReady {
    std::function<void(bool)> reply;
};

/// Tickets in `order` are the server's own business.
struct AskOrder {
    std::variant<control::SetOrder, control::ReleaseOrder> order;
    std::function<void(OrderResult)> reply;
};

struct AskReload {
    std::function<void(LoadReport)> reply;
};

using DeskRequest = std::variant<AskReady, AskStatus, AskOrder, AskReload>;

struct Desk {
    const base::Clock& clock;
    const SnapshotCell& snapshots;
    EventLog& events;
    std::function<void(DeskRequest)> ask;
    /// Counters of each thread that answers, once all are made; they live as long as the server.
    std::function<std::vector<const WorkerCounters*>()> counters;
};

/// Opens what is above the server; the handle closes it, on the loop's thread, before the server
/// goes. The error ends the start.
using Upstairs = std::shared_ptr<void>;
using OpenUpstairs =
    std::function<base::Result<Upstairs, std::string>(const Desk&, const config::Model&)>;

}  // namespace steerd::server
