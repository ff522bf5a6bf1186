#include "server/worker.h"

#include <pthread.h>
#include <uv.h>

#include <chrono>
#include <csignal>

#include "base/check.h"
#include "server/udp.h"

namespace steerd::server {

namespace {

// An idle worker lets go of an old snapshot this often, and looks for idle connections. A UDP
// receiver wakes as often by the timeout of its socket (listeners.cc).
constexpr std::chrono::milliseconds kHousekeeping{250};

// Ends a receiving call that blocks. By default it is ignored, and then ends nothing.
constexpr int kWakeSignal = SIGURG;

void handle_wake_signal() noexcept {
    struct sigaction action {};

    action.sa_handler = [](int) {};  // without SA_RESTART: the call that waits returns
    CHECK(::sigaction(kWakeSignal, &action, nullptr) == 0);
}

TapPoint* tap_of(const Worker::Options& options) {
    return options.tap != nullptr ? &options.tap->add_point() : nullptr;
}

}  // namespace

/// One UDP socket with what its thread needs.
struct Worker::Receiver {
    Receiver(const Socket& from, const Options& options, std::uint64_t seed)
        : socket(from),
          rng(seed),
          reader(options.snapshots),
          udp({reader, options.clock, rng, counters, tap_of(options), options.rate_limits}) {}

    const Socket& socket;
    WorkerCounters counters;
    base::Rng rng;
    SnapshotCell::Reader reader;
    UdpReceiver udp;
    std::thread thread;
};

struct Worker::Loop {
    explicit Loop(Worker& worker)
        : beats(worker.tcp_counters_.beats),
          rng(worker.options_.seed),
          reader(worker.options_.snapshots) {
        CHECK(uv_loop_init(&loop) == 0);
        tcp = std::make_unique<TcpServer>(
            loop,
            TcpServer::Deps{reader, worker.options_.clock, rng, worker.tcp_counters_, worker.rtts_,
                            worker.tcp_tap_},
            worker.options_.tcp);
    }

    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    ~Loop() {
        tcp.reset();
        CHECK(uv_loop_close(&loop) == 0);
    }

    struct Source {
        uv_poll_t poll{};
        Loop* owner = nullptr;
        int fd = -1;
        bool paused = false;
    };

    Counter& beats;
    uv_loop_t loop{};
    base::Rng rng;
    SnapshotCell::Reader reader;
    std::unique_ptr<TcpServer> tcp;
    std::vector<std::unique_ptr<Source>> sources;
    uv_timer_t housekeeping{};
    uv_async_t wake{};

    void listen_on(const Socket& socket) {
        auto& source = *sources.emplace_back(std::make_unique<Source>());
        source.owner = this;
        source.fd = socket.fd.get();
        CHECK(uv_poll_init(&loop, &source.poll, source.fd) == 0);
        source.poll.data = &source;
        accept_on(source);
    }

    /// Who waits stays in the kernel's queue while nothing can be accepted; the next housekeeping
    /// asks again. Without that pause the loop would turn as fast as it can.
    static void accept_on(Source& source) {
        source.paused = false;
        const auto accept = [](uv_poll_t* handle, int, int) {
            auto& from = *static_cast<Source*>(handle->data);
            if (!from.owner->tcp->accept_from(from.fd)) {
                from.paused = true;
                uv_poll_stop(handle);
            }
        };
        CHECK(uv_poll_start(&source.poll, UV_READABLE, accept) == 0);
    }

    void close_all() {
        for (auto& source : sources) {
            uv_poll_stop(&source->poll);
            // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
            uv_close(reinterpret_cast<uv_handle_t*>(&source->poll), nullptr);
        }
        tcp->close();
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
        uv_close(reinterpret_cast<uv_handle_t*>(&housekeeping), nullptr);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
        uv_close(reinterpret_cast<uv_handle_t*>(&wake), nullptr);
    }

    void prepare() {
        uv_async_init(&loop, &wake,
                      [](uv_async_t* handle) { static_cast<Loop*>(handle->data)->close_all(); });
        wake.data = this;
        uv_timer_init(&loop, &housekeeping);
        housekeeping.data = this;
        uv_timer_start(
            &housekeeping,
            [](uv_timer_t* handle) {
                auto& self = *static_cast<Loop*>(handle->data);
                self.beats.add();
                (void)self.reader.refresh();
                self.tcp->expire();
                for (auto& source : self.sources) {
                    if (source->paused) {
                        accept_on(*source);
                    }
                }
            },
            kHousekeeping.count(), kHousekeeping.count());
    }
};

Worker::Worker(WorkerSockets sockets, Options options)
    : options_(options), sockets_(std::move(sockets)), tcp_tap_(tap_of(options)) {
    base::Rng seeds(options.seed);
    for (const auto& socket : sockets_.udp) {
        receivers_.push_back(std::make_unique<Receiver>(socket, options_, seeds.next()));
    }
}

Worker::~Worker() { stop(); }

void Worker::start() {
    CHECK(loop_ == nullptr);
    handle_wake_signal();
    stopping_ = false;
    loop_ = std::make_unique<Loop>(*this);
    loop_->prepare();
    for (const auto& socket : sockets_.tcp) {
        loop_->listen_on(socket);
    }
    loop_thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "steerd-tcp");
        uv_run(&loop_->loop, UV_RUN_DEFAULT);
    });
    for (const auto& receiver : receivers_) {
        receiver->thread = std::thread([this, &r = *receiver] {
            pthread_setname_np(pthread_self(), "steerd-udp");
            r.udp.serve(r.socket.fd.get(), r.socket.wildcard, stopping_);
        });
    }
}

void Worker::stop() {
    if (loop_ == nullptr) {
        return;
    }
    stopping_ = true;
    uv_async_send(&loop_->wake);
    for (const auto& receiver : receivers_) {
        // One that is just about to wait misses the signal and ends by its timeout.
        pthread_kill(receiver->thread.native_handle(), kWakeSignal);
    }
    for (const auto& receiver : receivers_) {
        receiver->thread.join();
    }
    loop_thread_.join();
    loop_.reset();
}

std::vector<const WorkerCounters*> Worker::counters() const {
    std::vector<const WorkerCounters*> all{&tcp_counters_};
    for (const auto& receiver : receivers_) {
        all.push_back(&receiver->counters);
    }
    return all;
}

void Worker::append_beats(std::vector<std::uint64_t>& out) const {
    for (const auto* mine : counters()) {
        out.push_back(mine->beats.load());
    }
}

void Worker::append_names(std::vector<std::string>& out) const {
    out.emplace_back("TCP");
    for (const auto& receiver : receivers_) {
        out.push_back("UDP on " + receiver->socket.address.text());
    }
}

}  // namespace steerd::server
