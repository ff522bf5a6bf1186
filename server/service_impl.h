// The parts of the running server and how its loop moves them: service.cc runs and ends it,
// service_load.cc starts it and reloads, service_desk.cc answers those above. Internal to server/.
// Thread rule: the loop's thread, which is the main one; what other threads call says so.
#pragma once

#include <uv.h>

#include <array>
#include <deque>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "control/control.h"
#include "health/probers/prober_pool.h"
#include "server/desk.h"
#include "server/event_log.h"
#include "server/listeners.h"
#include "server/loader.h"
#include "server/log_limit.h"
#include "server/mailbox.h"
#include "server/notify.h"
#include "server/rtt_learner.h"
#include "server/snapshot_cell.h"
#include "server/state_writer.h"
#include "server/ttl_memory.h"
#include "server/worker.h"
#include "server/worker_watch.h"

namespace steerd::server {

class Service {
  public:
    Service(std::filesystem::path config, OpenUpstairs open);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    ~Service() { CHECK(uv_loop_close(&loop_) == 0); }

    int run();

  private:
    /// An order that is published and waits for the disk, or waits for its publication.
    struct PendingOrder {
        std::function<void(OrderResult)> reply;
        bool force = false;
        std::optional<control::Reply> published;
        std::optional<std::string> taken_back;  // why; told when its undoing is published
    };

    struct Written {
        std::uint64_t version = 0;
        std::optional<std::string> why;  // it was not
    };

    // service.cc
    void watch_signal(uv_signal_t& handle, int number);
    void on_checks(std::vector<std::vector<health::CheckDone>> batches);
    void on_resolved(std::vector<std::vector<probers::ResolveDone>> batches);
    void step(control::Input input);
    void carry_out(control::Effects effects);
    void log_events(const std::vector<control::Event>& events);
    void tell_suppressed();
    void start_workers();
    void stop(int status);
    void close_handles();

    // service_load.cc
    void load(bool idle_priority);
    void on_loaded(LoadedPlan loaded);
    void on_reloaded(LoadedPlan loaded);
    void bind(const config::Model& model);
    bool start(const LoadedPlan& loaded);
    void start_workers(const config::ServerConfig& server);
    void learn();
    void keep_state(const std::filesystem::path& folder);
    bool open_upstairs(const config::Model& model);
    [[noreturn]] static void cannot_start(const std::exception& error);
    void finish_reload();
    void on_housekeeping();
    void watch_workers();
    [[nodiscard]] std::size_t tcp_connections(std::size_t workers, std::size_t wanted) const;

    // service_desk.cc
    void on_requests(std::vector<DeskRequest> requests);
    void take(AskOrder request);
    void on_reply(control::Reply reply);
    void on_written(const Written& written);
    void settle(PendingOrder order);
    void give_up(const std::string& why);
    [[nodiscard]] std::shared_ptr<const ServerStatus> status();
    [[nodiscard]] std::shared_ptr<const ServerStatus> make_status() const;

    std::filesystem::path config_;
    Notifier notifier_;
    Watchdog watchdog_ = Watchdog::from_environment();
    base::RealClock clock_;
    SnapshotCell cell_;
    uv_loop_t loop_{};
    uv_timer_t timer_{};
    uv_timer_t housekeeping_{};
    std::array<uv_signal_t, 3> signals_{};
    std::unique_ptr<Mailbox<std::vector<health::CheckDone>>> checks_;
    std::unique_ptr<Mailbox<std::vector<probers::ResolveDone>>> resolves_;
    std::unique_ptr<Mailbox<LoadedPlan>> loads_;
    std::unique_ptr<Mailbox<DeskRequest>> requests_;
    std::unique_ptr<Mailbox<Written>> written_;
    EventLog events_;
    LogLimit event_limit_;
    WorkerWatch worker_watch_;
    OpenUpstairs open_;
    std::optional<Desk> desk_;
    Upstairs upstairs_;
    std::map<std::uint64_t, PendingOrder> orders_;  // by ticket
    std::uint64_t last_ticket_ = 0;
    std::uint64_t written_version_ = 0;
    std::vector<std::string> listening_;
    std::string state_problem_;  // why the last write failed
    base::Wall started_{};
    std::shared_ptr<const ServerStatus> status_made_;  // may serve again
    base::Mono status_at_{};
    base::Duration status_cost_{};
    std::shared_ptr<const policy::Plan> plan_;  // in force
    TtlMemory ttl_memory_;
    std::string geo_key_;                                // what its world was made of
    std::shared_ptr<const config::Model> started_with_;  // its [server] and [admin] are in force
    std::unique_ptr<control::Control> control_;
    std::unique_ptr<probers::ProberPool> probers_;
    std::unique_ptr<StateWriter> state_writer_;
    std::optional<base::Result<std::vector<WorkerSockets>, std::string>>
        sockets_;                    // until handed out
    std::unique_ptr<QueryTap> tap_;  // outlives the workers
    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<RttLearner> learner_;  // while [geo] learn is set
    std::thread loader_;
    std::optional<LoadReport> reloaded_;  // to be told once the new plan is published
    LoadReport last_load_;
    ReloadCounts reloads_;
    std::vector<AskReload> reload_asked_;    // wait for the load under way
    std::vector<AskReload> reload_waiting_;  // wait for the next one
    bool loading_ = false;
    bool reload_again_ = false;  // another SIGHUP came while a load was under way
    bool workers_started_ = false;
    bool stopping_ = false;
    std::size_t descriptors_ = 0;       // that the system lets us have
    std::size_t checks_in_flight_ = 0;  // at most
    int status_ = 0;
};

}  // namespace steerd::server
