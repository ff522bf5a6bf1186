#include "health/probers/prober_pool.h"

#include <curl/curl.h>
#include <pthread.h>
#include <uv.h>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "health/probers/engine.h"

namespace steerd::probers {

namespace {

/// libcurl counts its users itself (curl_global_init(3)).
class CurlLibrary {
  public:
    CurlLibrary() {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
            throw std::runtime_error("probers: libcurl cannot be initialised");
        }
    }

    CurlLibrary(const CurlLibrary&) = delete;
    CurlLibrary& operator=(const CurlLibrary&) = delete;

    ~CurlLibrary() { curl_global_cleanup(); }
};

/// The loop, closed when all its handles are.
class Loop {
  public:
    Loop() {
        if (const int error = uv_loop_init(&loop_); error != 0) {
            throw std::runtime_error(std::string("probers: ") + uv_strerror(error));
        }
    }

    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    ~Loop() {
        uv_run(&loop_, UV_RUN_DEFAULT);  // the close callbacks
        CHECK(uv_loop_close(&loop_) == 0);
    }

    [[nodiscard]] uv_loop_t* get() noexcept { return &loop_; }

  private:
    uv_loop_t loop_{};
};

/// While a thread is made, so that it is born with all signals blocked: they are for others, and a
/// peer that hangs up must not kill us by SIGPIPE.
class AllSignalsBlocked {
  public:
    AllSignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

    ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

}  // namespace

/// One thread and what both sides of it touch: the inbox under its lock, and the bell that wakes
/// it.
class ProberPool::Lane {
  public:
    Lane(std::size_t max_concurrent, const base::Clock& clock, Engine::Sinks sinks)
        : engine_(std::in_place, loop_.get(), max_concurrent, clock, std::move(sinks)) {
        auto bell = std::make_unique<uv_async_t>();
        const int error = uv_async_init(loop_.get(), bell.get(), [](uv_async_t* handle) {
            static_cast<Lane*>(handle->data)->on_bell();
        });
        if (error != 0) {
            throw std::runtime_error(std::string("probers: ") + uv_strerror(error));
        }
        bell->data = this;
        bell_.reset(bell.release());
        const AllSignalsBlocked blocked;
        thread_ = std::thread([this] {
            pthread_setname_np(pthread_self(), "probers");
            uv_run(loop_.get(), UV_RUN_DEFAULT);
            engine_.reset();
        });
    }

    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    ~Lane() {
        ask_to_stop();
        thread_.join();
    }

    void ask_to_stop() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        uv_async_send(bell_.get());
    }

    void add(std::vector<health::StartCheck> checks) {
        {
            const std::lock_guard lock(mutex_);
            for (health::StartCheck& check : checks) {
                checks_.push_back(std::move(check));
            }
        }
        uv_async_send(bell_.get());
    }

    void add(ResolveRequest request) {
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(std::move(request));
        }
        uv_async_send(bell_.get());
    }

  private:
    void on_bell() {
        std::vector<health::StartCheck> checks;
        std::vector<ResolveRequest> requests;
        bool stop = false;
        {
            const std::lock_guard lock(mutex_);
            checks.swap(checks_);
            requests.swap(requests_);
            stop = stop_;
        }
        if (stop) {
            uv_stop(loop_.get());
            return;
        }
        engine_->add(std::move(checks));
        engine_->add(std::move(requests));
    }

    CurlLibrary curl_;
    Loop loop_;  // outlives every handle; its destructor runs in the destroying thread, alone
    std::optional<Engine> engine_;
    UvPtr<uv_async_t> bell_;
    std::mutex mutex_;
    std::vector<health::StartCheck> checks_;
    std::vector<ResolveRequest> requests_;
    bool stop_ = false;
    std::thread thread_;
};

ProberPool::ProberPool(ProberOptions options, const base::Clock& clock, CheckSink check_sink,
                       ResolveSink resolve_sink) {
    const std::size_t bound = std::max<std::size_t>(options.max_concurrent, 1);
    const std::size_t threads = std::clamp<std::size_t>(options.threads, 1, bound);
    const auto one_at_a_time = std::make_shared<std::mutex>();
    const Engine::Sinks sinks{
        [one_at_a_time, sink = std::move(check_sink)](std::vector<health::CheckDone> batch) {
            const std::lock_guard lock(*one_at_a_time);
            sink(std::move(batch));
        },
        [one_at_a_time, sink = std::move(resolve_sink)](std::vector<ResolveDone> batch) {
            const std::lock_guard lock(*one_at_a_time);
            sink(std::move(batch));
        }};
    for (std::size_t i = 0; i < threads; ++i) {
        const std::size_t share = bound / threads + (i < bound % threads ? 1 : 0);
        lanes_.push_back(std::make_unique<Lane>(share, clock, sinks));
    }
}

ProberPool::~ProberPool() {
    for (const auto& lane : lanes_) {
        lane->ask_to_stop();
    }
}

void ProberPool::start(std::vector<health::StartCheck> checks) {
    std::vector<std::vector<health::StartCheck>> shares(lanes_.size());
    for (health::StartCheck& check : checks) {
        const auto lane = static_cast<std::size_t>(check.check) % lanes_.size();
        shares[lane].push_back(std::move(check));
    }
    for (std::size_t i = 0; i < shares.size(); ++i) {
        if (!shares[i].empty()) {
            lanes_[i]->add(std::move(shares[i]));
        }
    }
}

void ProberPool::resolve(ResolveRequest request) {
    lanes_[request.id % lanes_.size()]->add(std::move(request));
}

}  // namespace steerd::probers
