#include "server/service.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include "control/control.h"
#include "health/probers/prober_pool.h"
#include "server/event_text.h"
#include "server/listeners.h"
#include "server/listeners_kept.h"
#include "server/loader.h"
#include "server/log.h"
#include "server/mailbox.h"
#include "server/notify.h"
#include "server/process.h"
#include "server/resolving.h"
#include "server/restore.h"
#include "server/snapshot_cell.h"
#include "server/state_writer.h"
#include "server/worker.h"

namespace steerd::server {

namespace {

// A check takes up to two descriptors; half of them are left to clients.
constexpr std::size_t kMaxChecksInFlight = 4000;
constexpr std::size_t kDescriptorsForCheck = 4;

class Service {
  public:
    explicit Service(std::filesystem::path config)
        : config_(std::move(config)), notifier_(Notifier::from_environment()) {
        CHECK(uv_loop_init(&loop_) == 0);
        checks_ = std::make_unique<Mailbox<std::vector<health::CheckDone>>>(
            loop_, [this](auto batches) { on_checks(std::move(batches)); });
        resolves_ = std::make_unique<Mailbox<std::vector<probers::ResolveDone>>>(
            loop_, [this](auto batches) { on_resolved(std::move(batches)); });
        loads_ = std::make_unique<Mailbox<LoadedPlan>>(loop_, [this](auto loads) {
            for (auto& loaded : loads) {
                on_loaded(std::move(loaded));
            }
        });
        uv_timer_init(&loop_, &timer_);
        timer_.data = this;
        uv_timer_init(&loop_, &housekeeping_);
        housekeeping_.data = this;
    }

    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    ~Service() { CHECK(uv_loop_close(&loop_) == 0); }

    int run();

  private:
    void watch_signal(uv_signal_t& handle, int number);
    void load(bool idle_priority);
    void on_loaded(LoadedPlan loaded);
    void bind(const config::Model& model);
    bool start(const LoadedPlan& loaded);
    void finish_reload();
    void on_housekeeping();
    void on_checks(std::vector<std::vector<health::CheckDone>> batches);
    void on_resolved(std::vector<std::vector<probers::ResolveDone>> batches);
    void step(control::Input input);
    void carry_out(control::Effects effects);
    void start_workers();
    void stop(int status);
    void close_handles();

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
    std::shared_ptr<const policy::Plan> plan_;           // in force
    std::string geo_key_;                                // what its world was made of
    std::shared_ptr<const config::Model> started_with_;  // its [server] and [admin] are in force
    std::unique_ptr<control::Control> control_;
    std::unique_ptr<probers::ProberPool> probers_;
    std::unique_ptr<StateWriter> state_writer_;
    std::optional<base::Result<std::vector<WorkerSockets>, std::string>>
        sockets_;  // until handed out
    std::vector<std::unique_ptr<Worker>> workers_;
    std::thread loader_;
    std::string_view reloaded_;  // what to say once the new plan is published
    bool loading_ = false;
    bool reload_again_ = false;  // another SIGHUP came while a load was under way
    bool workers_started_ = false;
    bool stopping_ = false;
    std::size_t checks_in_flight_ = kMaxChecksInFlight;
    int status_ = 0;
};

int Service::run() {
    std::signal(SIGPIPE, SIG_IGN);
    checks_in_flight_ =
        std::min(kMaxChecksInFlight, raise_descriptor_limit() / kDescriptorsForCheck);
    watch_signal(signals_[0], SIGTERM);
    watch_signal(signals_[1], SIGINT);
    watch_signal(signals_[2], SIGHUP);
    load(false);
    uv_run(&loop_, UV_RUN_DEFAULT);
    if (loading_) {
        // A load cannot be broken off, and nothing waits for its outcome any more.
        std::_Exit(status_);
    }
    if (loader_.joinable()) {
        loader_.join();
    }
    return status_;
}

void Service::watch_signal(uv_signal_t& handle, int number) {
    uv_signal_init(&loop_, &handle);
    handle.data = this;
    uv_signal_start(
        &handle,
        [](uv_signal_t* signal, int signum) {
            auto& self = *static_cast<Service*>(signal->data);
            if (signum == SIGHUP) {
                self.load(true);
            } else {
                log(LogLevel::Notice, fmt::format("signal {}: stopping", signum));
                self.stop(0);
            }
        },
        number);
}

/// Reads everything on a thread of its own; a reload at idle priority, so that answers and probes
/// do not feel it.
void Service::load(bool idle_priority) {
    if (loading_) {
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
    loader_ = std::thread([this, options, idle_priority] {
        pthread_setname_np(pthread_self(), "steerd-loader");
        if (idle_priority) {
            const sched_param param{};
            (void)::pthread_setschedparam(pthread_self(), SCHED_IDLE, &param);
        }
        loads_->put(load_plan(config_, options));
    });
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
        if (loaded.plan == nullptr || !start(loaded)) {
            stop(1);
        }
        return;
    }
    if (loaded.plan == nullptr) {
        log(LogLevel::Error, "reload refused: everything stays as it was");
    } else {
        for (const auto& table : loaded.wait_for_restart) {
            log(LogLevel::Warning, fmt::format("changed {} keys wait for a restart", table));
        }
        plan_ = loaded.plan;
        geo_key_ = loaded.geo_key;
        reloaded_ = loaded.partly_refused
                        ? "reloaded, but what is named above kept its last good copy"
                        : "reloaded";
        step(control::NewPlan{plan_, std::nullopt});
        return;
    }
    finish_reload();
}

void Service::finish_reload() {
    if (workers_started_) {
        notifier_.send("READY=1");
    }
    if (std::exchange(reload_again_, false)) {
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
    }
}

/// First load: the sockets are read once the first round of checks is in.
bool Service::start(const LoadedPlan& loaded) {
    const auto& server = loaded.model->server;
    if (!sockets_ || !*sockets_) {
        return false;  // said when it happened
    }
    for (auto& mine : **sockets_) {
        workers_.push_back(std::make_unique<Worker>(
            std::move(mine), Worker::Options{clock_, cell_, random_seed(), {}}));
    }
    std::optional<control::State> restored;
    if (server.state_dir) {
        restored = restore_state(*server.state_dir);
    }
    std::error_code ignored;
    if (server.state_dir && std::filesystem::is_directory(*server.state_dir, ignored)) {
        state_writer_ = std::make_unique<StateWriter>(
            state_file(*server.state_dir),
            [](const std::string& why) { log(LogLevel::Error, why); });
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
    uv_timer_start(
        &housekeeping_,
        [](uv_timer_t* timer) { static_cast<Service*>(timer->data)->on_housekeeping(); }, 250, 250);
    step(control::NewPlan{plan_, std::move(restored)});
    if (std::exchange(reload_again_, false)) {
        load(true);
    }
    return true;
}

/// A few times a second.
void Service::on_housekeeping() {
    cell_.release_retired();
    std::vector<std::uint64_t> beats;
    if (workers_started_) {
        for (const auto& worker : workers_) {
            worker->append_beats(beats);
        }
    }
    watchdog_.feed(notifier_, clock_.now().mono, beats);
}

void Service::on_checks(std::vector<std::vector<health::CheckDone>> batches) {
    control::ChecksDone input;
    for (auto& batch : batches) {
        std::move(batch.begin(), batch.end(), std::back_inserter(input.checks));
    }
    step(std::move(input));
}

void Service::on_resolved(std::vector<std::vector<probers::ResolveDone>> batches) {
    for (auto& batch : batches) {
        for (auto& done : batch) {
            step(to_input(std::move(done)));
        }
    }
}

void Service::step(control::Input input) {
    if (control_ != nullptr && !stopping_) {
        carry_out(control_->step(clock_.now(), std::move(input)));
    }
}

void Service::carry_out(control::Effects effects) {
    if (effects.snapshot != nullptr) {
        const bool of_this_plan = effects.snapshot->plan == plan_;
        cell_.publish(std::move(effects.snapshot));
        if (of_this_plan && !reloaded_.empty()) {
            // Said only now: whoever reads it may rely on the next answer being a new one.
            log(LogLevel::Notice, std::exchange(reloaded_, {}));
            finish_reload();
        }
    }
    if (!effects.start.empty()) {
        probers_->start(std::move(effects.start));
    }
    for (const auto& target : effects.resolve) {
        const auto& server = started_with_->server.resolver;
        probers_->resolve(to_request(target, server));
    }
    for (const auto& event : effects.events) {
        log(LogLevel::Notice, event_text(event));
    }
    if (effects.state && state_writer_ != nullptr) {
        state_writer_->write(
            [state = effects.state->state] { return control::state_to_json(*state); });
    }
    if (effects.first_round_done && !workers_started_) {
        start_workers();
    }
    // Rounded up: a step before its time would do nothing and be asked again.
    std::uint64_t wait_ms = 1000;
    if (effects.next != base::kNever) {
        const auto left = effects.next - clock_.now().mono;
        wait_ms = static_cast<std::uint64_t>(std::clamp<std::int64_t>(
            std::chrono::ceil<std::chrono::milliseconds>(left).count(), 0, 1000));
    }
    uv_update_time(&loop_);
    uv_timer_start(
        &timer_,
        [](uv_timer_t* timer) { static_cast<Service*>(timer->data)->step(control::Tick{}); },
        wait_ms, 0);
}

void Service::start_workers() {
    workers_started_ = true;
    for (const auto& worker : workers_) {
        worker->start();
    }
    notifier_.send("READY=1\nSTATUS=serving");
    log(LogLevel::Notice, "ready");
}

void Service::stop(int status) {
    if (std::exchange(stopping_, true)) {
        return;
    }
    status_ = status;
    notifier_.send("STOPPING=1");
    for (const auto& worker : workers_) {
        worker->stop();
    }
    probers_.reset();
    if (control_ != nullptr && state_writer_ != nullptr) {
        auto last = std::make_shared<const control::State>(control_->state(clock_.now()));
        state_writer_->write([last] { return control::state_to_json(*last); });
    }
    state_writer_.reset();
    close_handles();
}

void Service::close_handles() {
    checks_->close();
    resolves_->close();
    loads_->close();
    const auto close = [](auto& handle) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
        uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
    };
    close(timer_);
    close(housekeeping_);
    std::for_each(signals_.begin(), signals_.end(), close);
}

}  // namespace

int serve(const std::filesystem::path& config) {
    Service service(config);
    return service.run();
}

}  // namespace steerd::server
