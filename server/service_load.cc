// How the server starts, and how a reload takes its place: reading happens on a thread of its own,
// everything else on the loop. Whoever asked for a reload is told once the new plan is published.
// Thread rule: the loop's thread.
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "server/listeners_kept.h"
#include "server/log.h"
#include "server/process.h"
#include "server/restore.h"
#include "server/service_impl.h"

namespace steerd::server {

namespace {

constexpr base::Duration kTellFailureAgain = std::chrono::minutes(1);
// Admin, state, the files of a load, the sockets and loop of a worker.
constexpr std::size_t kDescriptorsOfOurOwn = 48;
constexpr std::size_t kForWorker = 8;
constexpr std::size_t kLeastConnections = 8;

LoadReport report_of(const LoadedPlan& loaded, base::Wall at) {
    LoadReport report;
    report.at = at;
    report.ok = loaded.plan != nullptr && !loaded.partly_refused;
    report.partly_refused = loaded.plan != nullptr && loaded.partly_refused;
    report.message = "started";
    report.problems = loaded.problems.all();
    report.wait_for_restart = loaded.wait_for_restart;
    return report;
}

}  // namespace

/// Reads everything on a thread of its own; a reload at idle priority, so that answers and probes
/// do not feel it.
void Service::load(bool idle_priority) {
    if (loading_ || reloaded_) {
        reload_again_ = idle_priority;
        return;
    }
    if (idle_priority) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(
                            clock_.now().mono.time_since_epoch())
                            .count();
        notifier_.send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", us));
    }
    loading_ = true;
    if (loader_.joinable()) {
        loader_.join();
    }
    LoadOptions options;
    options.previous = plan_;
    options.previous_geo_key = geo_key_;
    options.use_state_dir = true;
    options.running = started_with_;
    if (plan_ == nullptr) {
        options.on_config = [this](const config::Model& model) { bind(model); };
    }
    const auto work = [this, options, idle_priority] {
        pthread_setname_np(pthread_self(), "steerd-loader");
        if (idle_priority) {
            const sched_param param{};
            (void)::pthread_setschedparam(pthread_self(), SCHED_IDLE, &param);
        }
        loads_->put(load_plan(config_, options));
    };
    try {
        loader_ = std::thread(work);
    } catch (const std::system_error& error) {  // no memory for its stack, too many threads
        LoadedPlan none;
        none.problems.error({}, fmt::format("no thread to load with: {}", error.what()));
        loads_->put(std::move(none));
    }
}

void Service::on_loaded(LoadedPlan loaded) {
    loading_ = false;
    if (stopping_) {
        return;
    }
    for (const auto& problem : loaded.problems.all()) {
        log(problem.severity == base::Severity::Error ? LogLevel::Error : LogLevel::Warning,
            problem.at.text().empty() ? problem.message
                                      : problem.at.text() + ": " + problem.message);
    }
    for (const auto& note : loaded.notes) {
        log(LogLevel::Notice, note);
    }
    if (plan_ == nullptr) {
        last_load_ = report_of(loaded, clock_.now().wall);
        try {
            if (loaded.plan == nullptr || !start(loaded)) {
                stop(1);
            }
        } catch (const std::exception& error) {
            cannot_start(error);
        }
    } else {
        on_reloaded(std::move(loaded));
    }
}

/// A thread or memory that the system refuses before anything is served: told, and over. Half of
/// what a stop takes down is not there.
void Service::cannot_start(const std::exception& error) {
    log(LogLevel::Error, fmt::format("cannot start: {} (threads, memory: TasksMax, MemoryMax, "
                                     "ulimit -u, -v)",
                                     error.what()));
    std::_Exit(1);
}

void Service::on_reloaded(LoadedPlan loaded) {
    auto report = report_of(loaded, clock_.now().wall);
    if (loaded.plan == nullptr) {
        report.message = "reload refused: everything stays as it was";
        log(LogLevel::Error, report.message);
        last_load_ = std::move(report);
        finish_reload();
        return;
    }
    for (const auto& table : loaded.wait_for_restart) {
        log(LogLevel::Warning, fmt::format("changed {} keys wait for a restart", table));
    }
    ttl_memory_.turn(*plan_, *loaded.plan, clock_.now().wall);
    plan_ = loaded.plan;
    geo_key_ = loaded.geo_key;
    learn();
    report.message = loaded.partly_refused
                         ? "reloaded, but what is named above kept its last good copy"
                         : "reloaded";
    reloaded_ = std::move(report);
    step(control::NewPlan{plan_, std::nullopt});
}

void Service::finish_reload() {
    ++(last_load_.ok               ? reloads_.ok
       : last_load_.partly_refused ? reloads_.partly_refused
                                   : reloads_.refused);
    if (workers_started_) {
        notifier_.send("READY=1");
    }
    status_made_.reset();
    for (auto& asked : std::exchange(reload_asked_, {})) {
        asked.reply(last_load_);
    }
    if (std::exchange(reload_again_, false)) {
        reload_asked_ = std::exchange(reload_waiting_, {});
        load(true);
    }
}

/// At once when the configuration is read, on the loader's thread, which hands them over with the
/// plan.
void Service::bind(const config::Model& model) {
    const auto& server = model.server;
    const std::size_t workers =
        server.workers > 0 ? server.workers : std::max(1U, std::thread::hardware_concurrency());
    auto inherited = inherited_sockets();
    for (const auto& unwanted : release_unwanted(notifier_, server.listen, inherited)) {
        log(LogLevel::Warning, unwanted);
    }
    sockets_ = open_listeners(server.listen, workers, std::move(inherited));
    if (!*sockets_) {
        log(LogLevel::Error, sockets_->error());
        return;
    }
    keep_sockets(notifier_, **sockets_);
    for (const auto& socket : (*sockets_)->front().udp) {
        log(LogLevel::Notice, fmt::format("listening on {}", socket.address.text()));
        if (socket.absent) {
            log(LogLevel::Warning,
                fmt::format("no interface has {} yet: it is answered as soon as one has it",
                            socket.address.address.text()));
        }
    }
}

/// A few times a second.
void Service::on_housekeeping() {
    cell_.release_retired();
    tell_suppressed();
    if (learner_ != nullptr) {
        learner_->collect();
    }
    watch_workers();
}

/// The service manager's watchdog is fed while all of them move; what is wrong with one is said.
void Service::watch_workers() {
    std::vector<std::uint64_t> beats;
    std::uint64_t no_descriptor = 0;
    if (workers_started_) {
        for (const auto& worker : workers_) {
            worker->append_beats(beats);
            for (const auto* counters : worker->counters()) {
                no_descriptor += counters->tcp_no_descriptor.load();
            }
        }
    }
    const auto now = clock_.now().mono;
    watchdog_.feed(notifier_, now, beats);
    for (const auto& line : worker_watch_.look(now, beats, no_descriptor)) {
        log(line.level, line.text);
    }
}

/// For each worker. Checks may take half of the descriptors (service.cc); clients get what is left
/// of the other half, so that they can never take those of the checks: an outage would go unseen.
std::size_t Service::tcp_connections(std::size_t workers, std::size_t wanted) const {
    const std::size_t half = descriptors_ / 2;
    const std::size_t left = half - std::min(half, kDescriptorsOfOurOwn + workers * kForWorker);
    const std::size_t each = std::min(wanted, std::max(left / workers, kLeastConnections));
    if (each < wanted) {
        log(LogLevel::Notice,
            fmt::format("{} open files allow for {} TCP connections for each worker and {} checks "
                        "at a time (LimitNOFILE)",
                        descriptors_, each, checks_in_flight_));
    }
    return each;
}

void Service::start_workers(const config::ServerConfig& server) {
    std::shared_ptr<const RateLimits> limits;
    if (server.rate_limit) {
        limits = std::make_shared<RateLimits>(
            *server.rate_limit, static_cast<std::uint32_t>((*sockets_)->size()), random_seed());
    }
    // Where descriptors allow fewer than was configured, one prefix must not get them all.
    const auto connections = tcp_connections((*sockets_)->size(), server.tcp.connections);
    const auto of_one = connections < server.tcp.connections
                            ? std::max<std::size_t>(connections / 4, 1)
                            : server.tcp.connections_per_prefix;
    const TcpLimits tcp{
        .connections = connections,
        .connections_per_prefix = std::min<std::size_t>(server.tcp.connections_per_prefix, of_one),
        .queries = server.tcp.queries_per_connection,
        .idle = server.tcp.idle};
    for (auto& mine : **sockets_) {
        workers_.push_back(std::make_unique<Worker>(
            std::move(mine),
            Worker::Options{clock_, cell_, random_seed(), tcp, tap_.get(), limits}));
    }
}

/// First load: the sockets are read once the first round of checks is in.
bool Service::start(const LoadedPlan& loaded) {
    const auto& server = loaded.model->server;
    if (!sockets_ || !*sockets_) {
        return false;  // said when it happened
    }
    for (const auto& socket : (*sockets_)->front().udp) {
        listening_.push_back(socket.address.text());
    }
    try {
        tap_ = QueryTap::make(server, cell_);
    } catch (const std::runtime_error& error) {
        log(LogLevel::Error, error.what());
        return false;
    }
    start_workers(server);
    if (tap_ != nullptr) {
        tap_->start();
    }
    std::optional<control::State> restored;
    if (server.state_dir) {
        restored = restore_state(*server.state_dir);
        keep_state(*server.state_dir);
    }
    probers::ProberOptions prober_options;
    prober_options.max_concurrent = checks_in_flight_;
    probers_ = std::make_unique<probers::ProberPool>(
        prober_options, clock_, [this](auto done) { checks_->put(std::move(done)); },
        [this](auto done) { resolves_->put(std::move(done)); });
    control::Options options;
    options.seed = random_seed();
    options.max_in_flight = checks_in_flight_;
    options.keep_state = state_writer_ != nullptr;
    control_ = std::make_unique<control::Control>(options);
    started_with_ = loaded.model;
    plan_ = loaded.plan;
    geo_key_ = loaded.geo_key;
    learn();
    if (!open_upstairs(*loaded.model)) {
        return false;
    }
    uv_timer_start(
        &housekeeping_,
        [](uv_timer_t* timer) { static_cast<Service*>(timer->data)->on_housekeeping(); }, 250, 250);
    step(control::NewPlan{plan_, std::move(restored)});
    if (std::exchange(reload_again_, false)) {
        load(true);
    }
    return true;
}

/// At the start and after each reload: [geo] learn may have come, gone or changed.
void Service::learn() {
    auto options = learn_options(*plan_->model, *started_with_);
    if (plan_->model->geo.learn && !options) {
        log(LogLevel::Warning,
            "learn waits for a restart: [server] region and state_dir are those of the start");
    }
    if (learner_ != nullptr && options && learner_->options() == *options) {
        return;
    }
    learner_.reset();  // writes what the next one reads
    if (options) {
        std::vector<RttFeed*> feeds;
        for (const auto& worker : workers_) {
            feeds.push_back(&worker->rtts());
        }
        learner_ = std::make_unique<RttLearner>(clock_, std::move(*options), std::move(feeds));
    }
}

/// Where the folder cannot be used, writes fail and say so, and orders are refused: better than
/// orders that a restart forgets.
void Service::keep_state(const std::filesystem::path& folder) {
    // On the writer's thread. A failure that lasts is told once a minute.
    auto told = std::make_shared<std::pair<std::string, base::Mono>>();
    state_writer_ = std::make_unique<StateWriter>(
        state_file(folder),
        [this, told](std::uint64_t version, const std::optional<std::string>& why) {
            const auto now = clock_.now().mono;
            if (why && (*why != told->first || now - told->second >= kTellFailureAgain)) {
                log(LogLevel::Error, *why);
                *told = {*why, now};
            } else if (!why && !told->first.empty()) {
                log(LogLevel::Notice, "state is written again");
                told->first.clear();
            }
            written_->put({version, why});
        });
}

bool Service::open_upstairs(const config::Model& model) {
    desk_.emplace(Desk{clock_, cell_, events_,
                       [this](DeskRequest request) { requests_->put(std::move(request)); },
                       [this] {
                           std::vector<const WorkerCounters*> counters;
                           for (const auto& worker : workers_) {
                               std::ranges::copy(worker->counters(), std::back_inserter(counters));
                           }
                           return counters;
                       }});
    if (!open_) {
        return true;
    }
    auto opened = open_(*desk_, model);
    if (!opened) {
        log(LogLevel::Error, opened.error());
        return false;
    }
    upstairs_ = std::move(*opened);
    return true;
}

}  // namespace steerd::server
