#include "network.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace steerd::probers::test {

namespace {

constexpr const char* kRouterSetup =
    "ip link set lo up && ip addr add 10.77.0.2/24 dev cable1 && "
    "ip addr add fd77::2/64 dev cable1 nodad && ip link set cable1 up && "
    "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 "
    "net.ipv6.icmp.ratelimit=0 && "
    "ip route add unreachable 198.51.100.0/24 && ip route add prohibit 203.0.113.0/24 && "
    "ip -6 route add unreachable 2001:db8:66::/48";

constexpr const char* kHostSetup =
    "ip link set lo up && ip addr add 10.77.0.1/24 dev cable0 && "
    "ip addr add fd77::1/64 dev cable0 nodad && ip link set cable0 up && "
    "ip route add 198.51.100.0/24 via 10.77.0.2 && ip route add 203.0.113.0/24 via 10.77.0.2 && "
    "ip -6 route add 2001:db8:66::/48 via fd77::2";

/// The router's process: makes its namespace, waits for the cable, sets itself up, and stays.
[[noreturn]] void be_router(int say, int hear) {
    char go = 0;
    const bool up = ::unshare(CLONE_NEWNET) == 0 && ::write(say, "n", 1) == 1 &&
                    ::read(hear, &go, 1) == 1 && run_command(kRouterSetup) &&
                    ::write(say, "r", 1) == 1;
    while (up && ::read(hear, &go, 1) > 0) {
    }
    ::_exit(0);
}

}  // namespace

bool run_command(const std::string& command) {
    const int status = std::system(command.c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

RejectingRouter::RejectingRouter() {
    int from_router[2];
    int to_router[2];
    if (::unshare(CLONE_NEWNET) != 0 || ::pipe2(from_router, O_CLOEXEC) != 0 ||
        ::pipe2(to_router, O_CLOEXEC) != 0) {
        return;
    }
    router_ = ::fork();
    if (router_ == 0) {
        ::close(from_router[0]);
        ::close(to_router[1]);
        be_router(from_router[1], to_router[0]);
    }
    ::close(from_router[1]);
    ::close(to_router[0]);
    stop_ = to_router[1];
    const auto heard = [&](char what) {
        char said = 0;
        return ::read(from_router[0], &said, 1) == 1 && said == what;
    };
    ready_ = heard('n') &&
             run_command("ip link add cable0 type veth peer name cable1 netns " +
                         std::to_string(router_)) &&
             ::write(stop_, "g", 1) == 1 && heard('r') && run_command(kHostSetup);
    ::close(from_router[0]);
}

RejectingRouter::~RejectingRouter() {
    if (stop_ >= 0) {
        ::close(stop_);
    }
    if (router_ > 0) {
        ::waitpid(router_, nullptr, 0);
    }
}

}  // namespace steerd::probers::test
