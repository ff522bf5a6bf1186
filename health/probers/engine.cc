#include "health/probers/engine.h"

#include <iterator>
#include <random>
#include <utility>

#include "base/text.h"
#include "health/probers/dns_job.h"
#include "health/probers/exec_job.h"
#include "health/probers/http_job.h"
#include "health/probers/tcp_job.h"

namespace steerd::probers {

namespace {

/// Starts in one turn of the loop, so that a thousand at once do not spoil each other's latencies.
constexpr std::size_t kStartsPerTurn = 64;
constexpr std::size_t kMaxResolving = 64;
/// A loop that comes this late to a deadline was held up itself: it looks at its sockets once more
/// before it blames the endpoint.
constexpr base::Duration kLate = std::chrono::milliseconds(20);
constexpr base::Duration kTick = std::chrono::milliseconds(1);

std::uint64_t random_seed() {
    std::random_device source;
    return static_cast<std::uint64_t>(source()) << 32 | source();
}

template <typename Handle>
UvPtr<Handle> make_handle(uv_loop_t* loop, int (*init)(uv_loop_t*, Handle*), void* data) {
    auto handle = std::make_unique<Handle>();
    CHECK(init(loop, handle.get()) == 0);
    handle->data = data;
    return UvPtr<Handle>(handle.release());
}

}  // namespace

Engine::Engine(uv_loop_t* loop, std::size_t max_concurrent, const base::Clock& clock, Sinks sinks)
    : loop_(loop),
      max_concurrent_(max_concurrent > 0 ? max_concurrent : 1),
      clock_(clock),
      sinks_(std::move(sinks)),
      rng_(random_seed()),
      curl_(loop),
      children_(loop),
      each_turn_(make_handle(loop, &uv_prepare_init, this)),
      do_not_wait_(make_handle(loop, &uv_idle_init, this)) {
    uv_prepare_start(each_turn_.get(),
                     [](uv_prepare_t* handle) { static_cast<Engine*>(handle->data)->turn(); });
}

void Engine::add(std::vector<health::StartCheck> checks) {
    for (health::StartCheck& check : checks) {
        CHECK(check.spec != nullptr);
        waiting_.push_back(std::move(check));
    }
}

void Engine::add(std::vector<ResolveRequest> requests) {
    for (ResolveRequest& request : requests) {
        unresolved_.push_back(std::move(request));
    }
}

void Engine::turn() {
    curl_.run_due();
    start_waiting();
    start_resolving();
    deliver();
    const bool more = (!waiting_.empty() && running_.size() < max_concurrent_) ||
                      (!unresolved_.empty() && resolving_.size() < kMaxResolving) || curl_.due();
    if (more) {
        uv_idle_start(do_not_wait_.get(), [](uv_idle_t*) {});
    } else {
        uv_idle_stop(do_not_wait_.get());
    }
}

void Engine::start_waiting() {
    for (std::size_t n = 0; n < kStartsPerTurn && !waiting_.empty(); ++n) {
        if (running_.size() >= max_concurrent_) {
            break;
        }
        health::StartCheck check = std::move(waiting_.front());
        waiting_.pop_front();
        start_one(std::move(check));
    }
}

void Engine::start_one(health::StartCheck check) {
    Running& running = running_.emplace_back(*this, std::move(check));
    running.self = std::prev(running_.end());
    running.result.check = running.check.check;
    running.result.run = running.check.run;
    running.result.started = clock_.now().mono;
    uv_update_time(loop_);
    // A millisecond more: the loop counts in whole ones, and a timeout must not come early.
    running.deadline.start(running.check.spec->timeout + kTick);
    running.job = make_job(running.check, [this, &running](Judgement judgement) {
        finish(running, std::move(judgement));
    });
    running.job->begin();
}

std::unique_ptr<Job> Engine::make_job(const health::StartCheck& check, Job::Done done) {
    const base::SocketAddress target{check.address, check.spec->port};
    switch (check.spec->type) {
        case health::ProbeType::Http:
        case health::ProbeType::Https:
            return std::make_unique<HttpJob>(curl_, trust_, check.address, check.spec,
                                             std::move(done));
        case health::ProbeType::Tcp:
            return std::make_unique<TcpJob>(loop_, target, std::move(done));
        case health::ProbeType::Dns:
            return std::make_unique<DnsJob>(loop_, rng_, target, check.spec, std::move(done));
        case health::ProbeType::Exec:
            return std::make_unique<ExecJob>(loop_, children_, check.address, check.spec,
                                             std::move(done));
    }
    CHECK(false);
}

void Engine::finish(Running& running, Judgement judgement) {
    if (running.done) {
        return;
    }
    running.done = true;
    running.deadline.stop();
    health::CheckDone& result = running.result;
    result.ended = clock_.now().mono;
    result.verdict.latency = result.ended - result.started;
    const auto& slow_after = running.check.spec->slow_after;
    const bool slow = slow_after && result.verdict.latency > *slow_after;
    result.verdict.outcome = judgement.outcome == health::Outcome::Pass && slow
                                 ? health::Outcome::Slow
                                 : judgement.outcome;
    result.verdict.reason = std::move(judgement.reason);
    result.verdict.certificate_expires = running.job->certificate_expires();
    finished_.push_back(&running);
}

void Engine::on_deadline(Running& running) {
    const base::Duration timeout = running.check.spec->timeout;
    const base::Duration late = clock_.now().mono - running.result.started - timeout;
    if (late > kLate && !running.second_look) {
        running.second_look = true;
        running.deadline.start(kTick);
        return;
    }
    finish(running, {health::Outcome::Fail, "timeout after " + base::format_duration(timeout)});
}

void Engine::start_resolving() {
    while (!unresolved_.empty() && resolving_.size() < kMaxResolving) {
        const ResolveRequest request = std::move(unresolved_.front());
        unresolved_.pop_front();
        Resolving& resolving = resolving_.emplace_back();
        resolving.resolution = std::make_unique<Resolution>(loop_, rng_, request,
                                                            [this, &resolving](ResolveDone done) {
                                                                resolving.result = std::move(done);
                                                                some_resolved_ = true;
                                                            });
        uv_update_time(loop_);
        resolving.resolution->begin();
    }
}

void Engine::deliver() {
    if (!finished_.empty()) {
        std::vector<health::CheckDone> batch;
        batch.reserve(finished_.size());
        for (Running* running : finished_) {
            batch.push_back(std::move(running->result));
            running_.erase(running->self);
        }
        finished_.clear();
        sinks_.checks(std::move(batch));
    }
    if (some_resolved_) {
        some_resolved_ = false;
        std::vector<ResolveDone> batch;
        for (auto at = resolving_.begin(); at != resolving_.end();) {
            if (at->result) {
                batch.push_back(std::move(*at->result));
                at = resolving_.erase(at);
            } else {
                ++at;
            }
        }
        sinks_.resolutions(std::move(batch));
    }
}

}  // namespace steerd::probers
