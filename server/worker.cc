#include "server/worker.h"

#include <pthread.h>
#include <uv.h>

#include <chrono>
#include <vector>

#include "server/udp.h"

namespace steerd::server {

namespace {

// An idle worker lets go of an old snapshot this often, and looks for idle connections.
constexpr std::chrono::milliseconds kHousekeeping{250};

}  // namespace

struct Worker::Loop {
    explicit Loop(Worker& worker)
        : beats(worker.counters_.beats),
          rng(worker.options_.seed),
          reader(worker.options_.snapshots),
          udp(reader, worker.options_.clock, rng, worker.counters_) {
        CHECK(uv_loop_init(&loop) == 0);
        tcp = std::make_unique<TcpServer>(
            loop, TcpServer::Deps{reader, worker.options_.clock, rng, worker.counters_},
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
        const Socket* socket = nullptr;
        bool udp = false;
    };

    Counter& beats;
    uv_loop_t loop{};
    base::Rng rng;
    SnapshotCell::Reader reader;
    UdpReceiver udp;
    std::unique_ptr<TcpServer> tcp;
    std::vector<std::unique_ptr<Source>> sources;
    uv_timer_t housekeeping{};
    uv_async_t wake{};

    void add_source(const Socket& socket, bool udp_socket, uv_poll_cb callback) {
        auto& source = *sources.emplace_back(std::make_unique<Source>());
        source.owner = this;
        source.socket = &socket;
        source.udp = udp_socket;
        CHECK(uv_poll_init(&loop, &source.poll, socket.fd.get()) == 0);
        source.poll.data = &source;
        CHECK(uv_poll_start(&source.poll, UV_READABLE, callback) == 0);
    }

    void close_all() {
        for (auto& source : sources) {
            if (source->socket != nullptr) {
                uv_poll_stop(&source->poll);
                // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
                uv_close(reinterpret_cast<uv_handle_t*>(&source->poll), nullptr);
                source->socket = nullptr;
            }
        }
        tcp->close();
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
        uv_close(reinterpret_cast<uv_handle_t*>(&housekeeping), nullptr);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libuv's inheritance
        uv_close(reinterpret_cast<uv_handle_t*>(&wake), nullptr);
    }
};

Worker::Worker(WorkerSockets sockets, Options options)
    : sockets_(std::move(sockets)), options_(options) {}

Worker::~Worker() { stop(); }

void Worker::start() {
    CHECK(loop_ == nullptr);
    loop_ = std::make_unique<Loop>(*this);
    auto& l = *loop_;
    uv_async_init(&l.loop, &l.wake, [](uv_async_t* handle) {
        auto& self = *static_cast<Loop*>(handle->data);
        for (const auto& source : self.sources) {
            if (source->udp) {  // what has arrived is still answered
                self.udp.drain(source->socket->fd.get(), source->socket->wildcard);
            }
        }
        self.close_all();
    });
    l.wake.data = &l;
    uv_timer_init(&l.loop, &l.housekeeping);
    l.housekeeping.data = &l;
    uv_timer_start(
        &l.housekeeping,
        [](uv_timer_t* handle) {
            auto& self = *static_cast<Loop*>(handle->data);
            self.beats.add();
            (void)self.reader.refresh();
            self.tcp->expire();
        },
        kHousekeeping.count(), kHousekeeping.count());
    for (const auto& socket : sockets_.udp) {
        l.add_source(socket, true, [](uv_poll_t* handle, int, int) {
            auto& source = *static_cast<Loop::Source*>(handle->data);
            source.owner->udp.drain(source.socket->fd.get(), source.socket->wildcard);
        });
    }
    for (const auto& socket : sockets_.tcp) {
        l.add_source(socket, false, [](uv_poll_t* handle, int, int) {
            auto& source = *static_cast<Loop::Source*>(handle->data);
            source.owner->tcp->accept_from(source.socket->fd.get());
        });
    }
    thread_ = std::thread([this] { run(); });
}

void Worker::run() {
    pthread_setname_np(pthread_self(), "steerd-worker");
    uv_run(&loop_->loop, UV_RUN_DEFAULT);
}

void Worker::stop() {
    if (loop_ == nullptr) {
        return;
    }
    uv_async_send(&loop_->wake);
    thread_.join();
    loop_.reset();
}

void Worker::append_beats(std::vector<std::uint64_t>& out) const {
    out.push_back(counters_.beats.load());
}

}  // namespace steerd::server
