// TCP limits of a real worker, made small: idle connections end, the longest idle one makes room,
// one prefix cannot take all, nobody takes for ever, and whoever stays is answered.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>

#include "dns/message.h"
#include "policy/health_state.h"
#include "server/loader.h"
#include "server/sockaddr.h"
#include "server/worker.h"

namespace steerd::server {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::shared_ptr<const policy::Snapshot> small_snapshot(const fs::path& folder) {
    std::ofstream(folder / "zone") << "$TTL 60\n@ SOA ns1 host 1 60 60 60 60\n@ NS ns1\n"
                                      "ns1 A 192.0.2.53\n";
    std::ofstream(folder / "steerd.toml") << "[server]\nlisten = [\"127.0.0.1:0\"]\n"
                                             "[geo]\ncountry_table = \"none\"\n"
                                             "[zones.\"example.com\"]\nfile = \"zone\"\n";
    const auto loaded = load_plan(folder / "steerd.toml", {});
    auto snapshot = std::make_shared<policy::Snapshot>();
    snapshot->plan = loaded.plan;
    snapshot->health = policy::compile_health(*loaded.plan, policy::all_up(*loaded.plan));
    return snapshot;
}

class TcpConnections : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "steerd-tcp-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        cell_.publish(small_snapshot(folder_));
    }

    void TearDown() override {
        worker_.reset();
        fs::remove_all(folder_);
    }

    void serve(TcpLimits limits) {
        auto sockets = open_listeners({base::SocketAddress::parse("127.0.0.1:0").value()}, 1, {});
        ASSERT_TRUE(sockets) << sockets.error();
        address_ = sockets->front().tcp.front().address;
        worker_ = std::make_unique<Worker>(std::move(sockets->front()),
                                           Worker::Options{clock_, cell_, 7, limits});
        worker_->start();
    }

    static constexpr int kOtherPrefix = 256 + 1;

    /// From 127.0.0.0 + `host`, so that several clients can be played.
    Fd connect(int host) const {
        Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const timeval patience{5, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_storage storage{};
        auto length = to_sockaddr({base::IpAddress::v4(0x7F000000U + host), 0}, storage);
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length), 0);
        length = to_sockaddr(address_, storage);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length), 0);
        return fd;
    }

    static std::vector<std::uint8_t> framed_query() {
        const auto query =
            dns::compose_query(dns::Name::parse("ns1.example.com.").value(), dns::RrType::A);
        std::vector<std::uint8_t> framed = {0, static_cast<std::uint8_t>(query.size())};
        framed.insert(framed.end(), query.begin(), query.end());
        return framed;
    }

    static bool answered(const Fd& fd) {
        const auto framed = framed_query();
        if (::send(fd.get(), framed.data(), framed.size(), MSG_NOSIGNAL) < 0) {
            return false;
        }
        std::array<std::uint8_t, 512> in{};
        return ::recv(fd.get(), in.data(), in.size(), 0) > 2;
    }

    /// What an edns-tcp-keepalive in an answer says, in units of 100 ms; -1: there is none.
    static int told_idle(const Fd& fd) {
        dns::QueryOptions options;
        options.edns.emplace();
        auto query = dns::compose_query(dns::Name::parse("ns1.example.com.").value(),
                                        dns::RrType::A, options);
        query.back() = 4;  // octets of options
        query.insert(query.end(), {0, 11, 0, 0});
        query.insert(query.begin(), {0, static_cast<std::uint8_t>(query.size())});
        EXPECT_GT(::send(fd.get(), query.data(), query.size(), MSG_NOSIGNAL), 0);
        std::array<std::uint8_t, 512> in{};
        const auto got = ::recv(fd.get(), in.data(), in.size(), 0);
        const auto* const end = in.data() + std::max<ssize_t>(got, 6);
        const bool option = end[-6] == 0 && end[-5] == 11 && end[-4] == 0 && end[-3] == 2;
        return option ? end[-2] << 8 | end[-1] : -1;
    }

    /// Whether the server closes the connection within five seconds.
    static bool ended(const Fd& fd) {
        std::array<std::uint8_t, 16> in{};
        return ::recv(fd.get(), in.data(), in.size(), 0) <= 0 && errno != EAGAIN;
    }

    fs::path folder_;
    base::RealClock clock_;
    SnapshotCell cell_;
    base::SocketAddress address_;
    std::unique_ptr<Worker> worker_;
};

TEST_F(TcpConnections, ThatAskNothingAreClosedAndOthersStay) {
    TcpLimits limits;
    limits.idle = milliseconds(600);
    serve(limits);
    const Fd silent = connect(1);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(ended(silent));
    EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(500));
    EXPECT_TRUE(answered(connect(1)));
    EXPECT_EQ(worker_->counters().front()->tcp_timeouts.load(), 1U);
}

TEST_F(TcpConnections, HalfAQuestionIsNoSignOfLife) {
    TcpLimits limits;
    limits.idle = milliseconds(600);
    serve(limits);
    const Fd slow = connect(1);
    const std::uint8_t octet = 0;
    ASSERT_EQ(::send(slow.get(), &octet, 1, MSG_NOSIGNAL), 1);
    EXPECT_TRUE(ended(slow));
}

TEST_F(TcpConnections, BeyondTheLimitTheLongestIdleMakesRoom) {
    TcpLimits limits;
    limits.connections = 2;
    serve(limits);
    const Fd first = connect(1);
    EXPECT_TRUE(answered(first));
    const Fd second = connect(2);
    EXPECT_TRUE(answered(second));
    const Fd third = connect(3);
    EXPECT_TRUE(answered(third));
    EXPECT_TRUE(ended(first));
    EXPECT_TRUE(answered(second));
}

TEST_F(TcpConnections, AskedForItTellsHowLongItMayBeIdle) {  // RFC 7828
    TcpLimits limits;
    limits.connections = 2;
    limits.idle = milliseconds(7500);
    serve(limits);
    const Fd first = connect(1);
    EXPECT_EQ(told_idle(first), 75);
    const Fd second = connect(2);
    EXPECT_EQ(told_idle(second), 0) << "the place is wanted";
}

TEST_F(TcpConnections, OnePrefixCannotTakeThemAll) {
    TcpLimits limits;
    limits.connections_per_prefix = 2;
    serve(limits);
    const Fd first = connect(1);
    const Fd second = connect(2);
    EXPECT_TRUE(answered(first));
    EXPECT_TRUE(answered(second));
    EXPECT_TRUE(ended(connect(3)));
    EXPECT_TRUE(answered(connect(kOtherPrefix)));
    EXPECT_TRUE(answered(first));
    {
        const Fd gone = connect(kOtherPrefix);
        EXPECT_TRUE(answered(gone));
    }
    EXPECT_EQ(worker_->counters().front()->tcp_refused.load(), 1U);
}

TEST_F(TcpConnections, AClosedOneMakesRoomForItsPrefix) {
    TcpLimits limits;
    limits.connections_per_prefix = 1;
    serve(limits);
    for (int i = 0; i < 20; ++i) {
        const Fd fd = connect(1);
        ASSERT_TRUE(answered(fd)) << i;
        ::shutdown(fd.get(), SHUT_WR);
        ASSERT_TRUE(ended(fd)) << "so the server has closed it when the next one comes";
    }
}

TEST_F(TcpConnections, TrickledOctetsAreNoSignOfLife) {
    TcpLimits limits;
    limits.idle = milliseconds(600);
    serve(limits);
    const Fd slow = connect(1);
    const std::array<std::uint8_t, 2> head{0xFF, 0xFF};
    ASSERT_EQ(::send(slow.get(), head.data(), head.size(), MSG_NOSIGNAL), 2);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    pollfd closed{slow.get(), POLLRDHUP, 0};
    while (::poll(&closed, 1, 50) == 0 && std::chrono::steady_clock::now() < deadline) {
        (void)::send(slow.get(), head.data(), 1, MSG_NOSIGNAL);
    }
    EXPECT_NE(closed.revents, 0);
    EXPECT_EQ(worker_->counters().front()->tcp_timeouts.load(), 1U);
}

TEST_F(TcpConnections, WhoReadsNothingIsEnded) {
    TcpLimits limits;
    limits.idle = milliseconds(600);
    limits.pending_write = 4096;
    serve(limits);
    const Fd greedy = connect(1);
    const auto query = framed_query();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    pollfd writable{greedy.get(), POLLOUT, 0};
    // Until neither side's buffers take more: the server waits for us to read.
    while (::poll(&writable, 1, 100) == 1 && (writable.revents & POLLERR) == 0 &&
           std::chrono::steady_clock::now() < deadline) {
        for (int i = 0; i < 1000; ++i) {
            (void)::send(greedy.get(), query.data(), query.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
    pollfd closed{greedy.get(), 0, 0};  // errors alone: answers wait to be read all the time
    EXPECT_EQ(::poll(&closed, 1, 10'000), 1);
    EXPECT_TRUE(answered(connect(2)));
}

TEST_F(TcpConnections, EndAfterSoManyQueriesAndAllAreAnswered) {
    TcpLimits limits;
    limits.queries = 3;
    serve(limits);
    const Fd fd = connect(1);
    EXPECT_TRUE(answered(fd));
    EXPECT_EQ(told_idle(fd), 100);
    EXPECT_EQ(told_idle(fd), 0) << "the last one is told to close";
    EXPECT_TRUE(ended(fd));

    const Fd hasty = connect(1);  // sends more than it may, all at once
    std::vector<std::uint8_t> many;
    for (int i = 0; i < 100; ++i) {
        const auto query = framed_query();
        many.insert(many.end(), query.begin(), query.end());
    }
    ASSERT_EQ(::send(hasty.get(), many.data(), many.size(), MSG_NOSIGNAL), ssize_t(many.size()));
    std::vector<std::uint8_t> answers(100'000);
    std::size_t got = 0;
    ssize_t n = 0;
    while ((n = ::recv(hasty.get(), answers.data() + got, answers.size() - got, 0)) > 0) {
        got += static_cast<std::size_t>(n);
    }
    EXPECT_EQ(n, 0) << "an end, no reset";
    const std::size_t one = 2U + (std::size_t{answers[0]} << 8) + answers[1];
    EXPECT_EQ(got, 3 * one);
}

}  // namespace
}  // namespace steerd::server
