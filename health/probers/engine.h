// What runs on the pool's thread: checks with their deadlines, the queue before them, resolutions,
// and once in each turn of the loop the delivery of what ended. The one place where a judgement
// becomes a verdict, with latency, slowness and time.
// A job that is done is destroyed between two turns of the loop, never inside one of its callbacks.
// Thread rule: the pool's thread.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "health/prober.h"
#include "health/probers/child.h"
#include "health/probers/curl_driver.h"
#include "health/probers/job.h"
#include "health/probers/prober_pool.h"
#include "health/probers/resolver.h"
#include "health/probers/trust_store.h"
#include "health/probers/uv_handles.h"

namespace steerd::probers {

class Engine {
  public:
    struct Sinks {
        ProberPool::CheckSink checks;
        ProberPool::ResolveSink resolutions;
    };

    Engine(uv_loop_t* loop, std::size_t max_concurrent, const base::Clock& clock, Sinks sinks);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    /// Drops what runs and waits.
    ~Engine() = default;

    void add(std::vector<health::StartCheck> checks);
    void add(std::vector<ResolveRequest> requests);

  private:
    /// One check in flight.
    struct Running {
        Running(Engine& engine, health::StartCheck what)
            : check(std::move(what)),
              deadline(engine.loop_, [this, &engine] { engine.on_deadline(*this); }) {}

        health::StartCheck check;
        std::list<Running>::iterator self;
        bool done = false;
        bool second_look = false;
        health::CheckDone result;
        UvTimer deadline;
        std::unique_ptr<Job> job;
    };

    struct Resolving {
        std::unique_ptr<Resolution> resolution;
        std::optional<ResolveDone> result;
    };

    void turn();
    void start_waiting();
    void start_one(health::StartCheck check);
    [[nodiscard]] std::unique_ptr<Job> make_job(const health::StartCheck& check, Job::Done done);
    void finish(Running& running, Judgement judgement);
    void on_deadline(Running& running);
    void start_resolving();
    void deliver();

    uv_loop_t* loop_;
    std::size_t max_concurrent_;
    const base::Clock& clock_;
    Sinks sinks_;
    base::Rng rng_;
    // Before the jobs, which use them.
    TrustStores trust_;
    CurlDriver curl_;
    Children children_;

    std::deque<health::StartCheck> waiting_;
    std::list<Running> running_;
    std::vector<Running*> finished_;
    std::deque<ResolveRequest> unresolved_;
    std::list<Resolving> resolving_;
    bool some_resolved_ = false;

    UvPtr<uv_prepare_t> each_turn_;
    UvPtr<uv_idle_t> do_not_wait_;  // active: the loop does not sleep before the next turn
};

}  // namespace steerd::probers
