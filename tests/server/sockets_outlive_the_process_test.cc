// What the service manager keeps for us: every socket that we opened, none that it gave us; what is
// no longer wanted leaves the store; and its watchdog is fed only while every thread moves.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "server/listeners.h"
#include "server/listeners_kept.h"
#include "server/notify.h"
#include "server/sockaddr.h"

namespace steerd::server {
namespace {

using base::SocketAddress;
using namespace std::chrono_literals;

SocketAddress local(const char* text) { return SocketAddress::parse(text).value(); }

/// Plays the service manager: takes datagrams with descriptors.
class Manager {
  public:
    Manager() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        const std::string name = "steerd-test-" + std::to_string(::getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name.data(), name.size());
        const auto length =
            static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
        ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
        notifier = Notifier::from_environment();
        EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
    }

    /// The next message; its descriptor, if it had one, goes into the store under its name.
    std::string next() {
        char text[512];
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        iovec data{text, sizeof text};
        msghdr message{};
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const auto size = ::recvmsg(fd_.get(), &message, 0);
        if (size < 0) {
            return "";
        }
        std::string out(text, static_cast<std::size_t>(size));
        if (const auto* header = CMSG_FIRSTHDR(&message)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
            const auto at = out.find("FDNAME=") + 7;
            store[out.substr(at, out.find('\n', at) - at)] = Fd(fd);
        }
        return out;
    }

    void take_all() {
        while (!next().empty()) {
        }
    }

    Notifier notifier;
    std::map<std::string, Fd> store;

  private:
    Fd fd_;
};

TEST(KeptSockets, EveryOneThatWeOpenedIsStoredAndComesBackAsItIs) {
    Manager manager;
    const std::size_t workers = 2;
    auto first = open_listeners({local("127.0.0.1:0")}, workers, {});
    ASSERT_TRUE(first) << first.error();
    const auto address = first->front().udp.front().address;
    EXPECT_EQ(keep_sockets(manager.notifier, *first), 2 * workers);
    manager.take_all();
    ASSERT_EQ(manager.store.size(), 2 * workers);
    first->clear();  // the process is gone; a query comes
    Fd client(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_storage storage{};
    const auto length = to_sockaddr(address, storage);
    ASSERT_EQ(
        ::sendto(client.get(), "hello", 5, 0, reinterpret_cast<const sockaddr*>(&storage), length),
        5);
    std::vector<InheritedSocket> inherited;
    for (auto& [name, fd] : manager.store) {
        inherited.push_back({std::move(fd), name});
    }
    EXPECT_TRUE(release_unwanted(manager.notifier, {address}, inherited).empty());
    const auto second = open_listeners({address}, workers, std::move(inherited));
    ASSERT_TRUE(second) << second.error();
    EXPECT_EQ(keep_sockets(manager.notifier, *second), 0U) << "the store has them already";
    int found = 0;
    for (const auto& worker : *second) {
        char buffer[16];
        found += ::recv(worker.udp.front().fd.get(), buffer, sizeof buffer, MSG_DONTWAIT) == 5;
    }
    EXPECT_EQ(found, 1);
}

TEST(KeptSockets, FewerWorkersStillReadAllOfThem) {
    Manager manager;
    auto first = open_listeners({local("127.0.0.1:0")}, 3, {});
    ASSERT_TRUE(first);
    const auto address = first->front().udp.front().address;
    std::vector<InheritedSocket> inherited;
    for (auto& worker : *first) {
        inherited.push_back({std::move(worker.udp.front().fd), worker.udp.front().keep_as});
        inherited.push_back({std::move(worker.tcp.front().fd), worker.tcp.front().keep_as});
    }
    const auto second = open_listeners({address}, 2, std::move(inherited));
    ASSERT_TRUE(second);
    EXPECT_EQ(second->at(0).udp.size(), 2U);
    EXPECT_EQ(second->at(1).udp.size(), 1U);
    EXPECT_EQ(second->at(0).tcp.size() + second->at(1).tcp.size(), 3U);
}

TEST(KeptSockets, NamesOfStoredOnesAreNotGivenAgain) {
    auto first = open_listeners({local("127.0.0.1:0")}, 1, {});
    ASSERT_TRUE(first);
    const auto address = first->front().udp.front().address;
    std::vector<InheritedSocket> inherited;
    inherited.push_back({std::move(first->front().udp.front().fd), kept_name(0)});
    inherited.push_back({std::move(first->front().tcp.front().fd), kept_name(2)});
    const auto second = open_listeners({address}, 2, std::move(inherited));
    ASSERT_TRUE(second) << second.error();
    EXPECT_EQ(second->at(0).udp.front().keep_as, "");
    EXPECT_EQ(second->at(1).udp.front().keep_as, kept_name(1));
    EXPECT_EQ(second->at(1).tcp.front().keep_as, kept_name(3));
}

TEST(KeptSockets, WhatIsNotWantedAnyMoreLeavesTheStoreOrIsNamed) {
    Manager manager;
    auto opened = open_listeners({local("127.0.0.1:0")}, 1, {});
    ASSERT_TRUE(opened);
    const auto address = opened->front().udp.front().address;
    std::vector<InheritedSocket> inherited;
    inherited.push_back({std::move(opened->front().udp.front().fd), "steerd-kept-7"});
    inherited.push_back({std::move(opened->front().tcp.front().fd), "steerd.socket"});
    const auto words = release_unwanted(manager.notifier, {local("127.0.0.2:1")}, inherited);
    EXPECT_TRUE(inherited.empty());
    EXPECT_EQ(manager.next(), "FDSTOREREMOVE=1\nFDNAME=steerd-kept-7");
    EXPECT_EQ(manager.next(), "");
    ASSERT_EQ(words.size(), 1U);
    EXPECT_NE(words[0].find("TCP " + address.text() + " (steerd.socket)"), std::string::npos)
        << words[0];
}

TEST(KeptSockets, WithoutAManagerNothingIsSent) {
    auto opened = open_listeners({local("127.0.0.1:0")}, 1, {});
    ASSERT_TRUE(opened);
    EXPECT_EQ(keep_sockets(Notifier(), *opened), 0U);
}

TEST(ManagersWatchdog, IsFedTwiceAnIntervalWhileEveryThreadMoves) {
    Manager manager;
    ::setenv("WATCHDOG_USEC", "2000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    auto watchdog = Watchdog::from_environment();
    EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
    EXPECT_EQ(std::getenv("WATCHDOG_PID"), nullptr);
    const base::Mono start{};
    const auto feed = [&](base::Duration at, std::vector<std::uint64_t> beats) {
        watchdog.feed(manager.notifier, start + at, beats);
        return manager.next();
    };
    EXPECT_EQ(feed(0s, {1, 1}), "WATCHDOG=1");
    EXPECT_EQ(feed(999ms, {5, 5}), "") << "not due";
    EXPECT_EQ(feed(1s, {5, 1}), "") << "the second thread hangs";
    EXPECT_EQ(feed(1250ms, {6, 1}), "");
    EXPECT_EQ(feed(1500ms, {7, 2}), "WATCHDOG=1") << "it was only late";
    EXPECT_EQ(feed(2500ms, {7, 3}), "") << "now the first one";
}

TEST(ManagersWatchdog, OfAnotherProcessOrWithoutSenseIsNotOurs) {
    Manager manager;
    for (const auto& [usec, pid] : {std::pair("2000000", "1"), {"0", ""}, {"2s", ""}, {"-5", ""}}) {
        ::setenv("WATCHDOG_USEC", usec, 1);
        if (*pid != '\0') {
            ::setenv("WATCHDOG_PID", pid, 1);
        }
        auto watchdog = Watchdog::from_environment();
        watchdog.feed(manager.notifier, base::Mono{}, {});
        EXPECT_EQ(manager.next(), "") << usec;
    }
}

}  // namespace
}  // namespace steerd::server
