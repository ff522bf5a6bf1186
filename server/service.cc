#include "server/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <utility>

#include "server/event_text.h"
#include "server/log.h"
#include "server/process.h"
#include "server/resolving.h"
#include "server/service_impl.h"

namespace steerd::server {

namespace {

// A check takes up to two descriptors; half of them are left to clients.
constexpr std::size_t kMaxChecksInFlight = 4000;
constexpr std::size_t kDescriptorsForCheck = 4;

}  // namespace

Service::Service(std::filesystem::path config, OpenUpstairs open)
    : config_(std::move(config)), notifier_(Notifier::from_environment()), open_(std::move(open)) {
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
    requests_ = std::make_unique<Mailbox<DeskRequest>>(
        loop_, [this](auto requests) { on_requests(std::move(requests)); });
    written_ = std::make_unique<Mailbox<Written>>(loop_, [this](auto all) {
        for (const auto& written : all) {
            on_written(written);
        }
    });
    uv_timer_init(&loop_, &timer_);
    timer_.data = this;
    uv_timer_init(&loop_, &housekeeping_);
    housekeeping_.data = this;
}

int Service::run() {
    started_ = clock_.now().wall;
    std::signal(SIGPIPE, SIG_IGN);
    descriptors_ = raise_descriptor_limit();
    checks_in_flight_ = std::min(kMaxChecksInFlight, descriptors_ / kDescriptorsForCheck);
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
        if (of_this_plan && reloaded_) {
            // Said only now: whoever reads it may rely on the next answer being a new one.
            log(LogLevel::Notice, reloaded_->message);
            last_load_ = *std::exchange(reloaded_, std::nullopt);
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
    log_events(effects.events);
    events_.append(effects.events);
    for (auto& reply : effects.replies) {
        on_reply(std::move(reply));
    }
    if (effects.state && state_writer_ != nullptr) {
        state_writer_->write(effects.state->version, [state = effects.state->state] {
            return control::state_to_json(*state);
        });
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

/// Each with its cause, and orders with who gave them. Transitions of thousands of addresses at
/// once are cut down; how many lines are missing is said, and the events have them all.
void Service::log_events(const std::vector<control::Event>& events) {
    const auto now = clock_.now().mono;
    for (const auto& event : events) {
        const bool may_be_many = event.kind == control::EventKind::Transition ||
                                 event.kind == control::EventKind::RouteMoved;
        if (!may_be_many || event_limit_.take(now)) {
            log_event(event);
        }
    }
    tell_suppressed();
}

void Service::tell_suppressed() {
    if (const auto missing = event_limit_.untold(clock_.now().mono)) {
        log(LogLevel::Warning,
            fmt::format("{} lines about transitions were suppressed; steerd events has the newest",
                        missing));
    }
}

void Service::start_workers() {
    workers_started_ = true;
    std::vector<std::string> names;
    try {
        for (const auto& worker : workers_) {
            worker->start();
            worker->append_names(names);
        }
    } catch (const std::exception& error) {
        cannot_start(error);
    }
    worker_watch_ = WorkerWatch(std::move(names));
    notifier_.send("READY=1\nSTATUS=serving");
    log(LogLevel::Notice, "ready");
}

void Service::stop(int status) {
    if (std::exchange(stopping_, true)) {
        return;
    }
    status_ = status;
    notifier_.send("STOPPING=1");
    upstairs_.reset();
    for (const auto& worker : workers_) {
        worker->stop();
    }
    tap_.reset();
    learner_.reset();
    probers_.reset();
    // Before the first snapshot nothing was restored, and what is on disk stays.
    if (cell_.current() != nullptr && state_writer_ != nullptr) {
        auto last = std::make_shared<const control::State>(control_->state(clock_.now()));
        state_writer_->write(std::numeric_limits<std::uint64_t>::max(),
                             [last] { return control::state_to_json(*last); });
    }
    state_writer_.reset();
    close_handles();
}

void Service::close_handles() {
    checks_->close();
    resolves_->close();
    loads_->close();
    requests_->close();
    written_->close();
    const auto close = [](auto& handle) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
        uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
    };
    close(timer_);
    close(housekeeping_);
    std::for_each(signals_.begin(), signals_.end(), close);
}

int serve(const std::filesystem::path& config, OpenUpstairs open) {
    Service service(config, std::move(open));
    return service.run();
}

}  // namespace steerd::server
