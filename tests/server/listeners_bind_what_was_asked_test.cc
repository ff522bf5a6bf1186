// Sockets: one port for UDP and TCP and for all workers, inherited ones first, clear words when
// not.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>

#include "server/listeners.h"
#include "server/sockaddr.h"

namespace steerd::server {
namespace {

using base::SocketAddress;

SocketAddress local(const char* text) { return SocketAddress::parse(text).value(); }

SocketAddress bound(int fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length), 0);
    return from_sockaddr(storage).value();
}

TEST(Listeners, PortZeroGivesOnePortForUdpTcpAndAllWorkers) {
    const auto sockets = open_listeners({local("127.0.0.1:0"), local("[::1]:0")}, 3, {});
    ASSERT_TRUE(sockets) << sockets.error();
    ASSERT_EQ(sockets->size(), 3U);
    for (std::size_t address = 0; address < 2; ++address) {
        std::set<std::uint16_t> ports;
        for (const auto& worker : *sockets) {
            ports.insert(bound(worker.udp[address].fd.get()).port);
            ports.insert(bound(worker.tcp[address].fd.get()).port);
            EXPECT_FALSE(worker.udp[address].wildcard);
        }
        EXPECT_EQ(ports.size(), 1U);
        EXPECT_NE(*ports.begin(), 0);
    }
}

TEST(Listeners, APortInUseIsNamedWithItsCause) {
    const auto first = open_listeners({local("127.0.0.1:0")}, 1, {});
    ASSERT_TRUE(first);
    const auto taken = first->front().udp.front().address;
    const auto second = open_listeners({taken}, 1, {});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().find(taken.text()), std::string::npos) << second.error();
    EXPECT_NE(second.error().find("Address already in use"), std::string::npos) << second.error();
}

TEST(Listeners, AnAddressThatNoInterfaceHasYetIsBoundAndMarked) {
    for (const char* address : {"192.0.2.1:0", "[2001:db8::53]:0"}) {
        const auto sockets = open_listeners({local(address)}, 2, {});
        ASSERT_TRUE(sockets) << sockets.error();
        for (const auto& worker : *sockets) {
            EXPECT_TRUE(worker.udp.front().absent);
            EXPECT_TRUE(worker.tcp.front().absent);
            EXPECT_EQ(bound(worker.udp.front().fd.get()).address, local(address).address);
        }
    }
    const auto ours = open_listeners({local("127.0.0.1:0")}, 1, {});
    ASSERT_TRUE(ours) << ours.error();
    EXPECT_FALSE(ours->front().udp.front().absent);
}

TEST(Listeners, AnAddressThatCannotBeBoundIsNamed) {
    const auto sockets = open_listeners({local("[fe80::53]:0")}, 1, {});
    ASSERT_FALSE(sockets);
    EXPECT_NE(sockets.error().find("fe80::53"), std::string::npos) << sockets.error();
}

TEST(Listeners, WildcardAddressesAreMarked) {
    const auto sockets = open_listeners({local("0.0.0.0:0")}, 1, {});
    ASSERT_TRUE(sockets);
    EXPECT_TRUE(sockets->front().udp.front().wildcard);
}

TEST(Listeners, AnInheritedSocketIsUsedAndSharedWhenItAdmitsNoOther) {
    Fd udp(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_storage storage{};
    const auto length = to_sockaddr(local("127.0.0.1:0"), storage);
    ASSERT_EQ(::bind(udp.get(), reinterpret_cast<const sockaddr*>(&storage), length), 0);
    const auto address = bound(udp.get());
    const int number = udp.get();
    std::vector<InheritedSocket> inherited;
    inherited.push_back({std::move(udp), "steerd.socket"});
    const auto sockets = open_listeners({address}, 2, std::move(inherited));
    ASSERT_TRUE(sockets) << sockets.error();
    EXPECT_EQ(sockets->at(0).udp.front().fd.get(), number);
    EXPECT_EQ(bound(sockets->at(1).udp.front().fd.get()), address);
}

}  // namespace
}  // namespace steerd::server
