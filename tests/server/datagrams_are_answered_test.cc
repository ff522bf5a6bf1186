// UDP by a real worker: what arrives is answered, an idle worker lets go of a retired snapshot, and
// stop() is at once, idle or under steady load.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "dns/message.h"
#include "policy/health_state.h"
#include "server/sockaddr.h"
#include "server/worker.h"

namespace steerd::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Without zones: everything is refused, and that is an answer.
SnapshotCell::Pointer empty_snapshot() {
    auto plan = std::make_shared<policy::Plan>();
    auto snapshot = std::make_shared<policy::Snapshot>();
    snapshot->health = policy::compile_health(*plan, policy::all_up(*plan));
    snapshot->plan = std::move(plan);
    return snapshot;
}

class Datagrams : public ::testing::Test {
  protected:
    void SetUp() override {
        cell_.publish(empty_snapshot());
        auto sockets = open_listeners({base::SocketAddress::parse("127.0.0.1:0").value()}, 1, {});
        ASSERT_TRUE(sockets) << sockets.error();
        address_ = sockets->front().udp.front().address;
        worker_ = std::make_unique<Worker>(std::move(sockets->front()),
                                           Worker::Options{clock_, cell_, 7, {}});
        worker_->start();
    }

    Fd client() const {
        Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const timeval patience{5, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_storage storage{};
        const auto length = to_sockaddr(address_, storage);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length), 0);
        return fd;
    }

    static void ask(const Fd& fd) {
        const auto query = dns::compose_query(dns::Name::parse("a.test.").value(), dns::RrType::A);
        (void)::send(fd.get(), query.data(), query.size(), MSG_NOSIGNAL);
    }

    static bool answered(const Fd& fd) {
        std::array<std::uint8_t, 512> in{};
        return ::recv(fd.get(), in.data(), in.size(), 0) > 12;
    }

    milliseconds stop() {
        const auto begun = steady_clock::now();
        worker_->stop();
        return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun);
    }

    base::RealClock clock_;
    SnapshotCell cell_;
    base::SocketAddress address_;
    std::unique_ptr<Worker> worker_;
};

TEST_F(Datagrams, AreAnsweredAndCounted) {
    const Fd fd = client();
    for (int i = 0; i < 100; ++i) {
        ask(fd);
        ASSERT_TRUE(answered(fd));
    }
    (void)stop();
    EXPECT_EQ(cell_.answers().zone(0, policy::Transport::Udp, 5), 100U);  // REFUSED, in no zone
}

TEST_F(Datagrams, AnIdleWorkerLetsGoOfARetiredSnapshot) {
    const Fd fd = client();
    ask(fd);
    ASSERT_TRUE(answered(fd));
    const std::weak_ptr<const policy::Snapshot> old = cell_.current();
    cell_.publish(empty_snapshot());
    const auto deadline = steady_clock::now() + std::chrono::seconds(5);
    while (!old.expired() && steady_clock::now() < deadline) {
        cell_.release_retired();
        std::this_thread::sleep_for(milliseconds(5));
    }
    EXPECT_TRUE(old.expired());
}

TEST_F(Datagrams, StoppingIsAtOnce) { EXPECT_LT(stop(), milliseconds(2000)); }

TEST_F(Datagrams, StoppingIsAtOnceUnderLoad) {
    std::atomic<bool> done{false};
    std::thread load([&] {
        const Fd fd = client();
        for (int i = 0; i < 2000000 && !done; ++i) {
            ask(fd);
        }
    });
    const Fd fd = client();
    ask(fd);
    EXPECT_TRUE(answered(fd));
    EXPECT_LT(stop(), milliseconds(3000));
    done = true;
    load.join();
}

}  // namespace
}  // namespace steerd::server
