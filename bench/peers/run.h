// One run of the load generator: what was asked for, the queries, the tally, and a socket that is
// connected to the server. Thread rule: one thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

namespace peers {

struct Options {
    std::string queries;
    int port = 0;
    double seconds = 1;
    double rate = 0;
    double first = 0;  // only wait, so long at most, for the first right answer
    bool tcp = false;
    bool echo = false;
    unsigned sockets = 4;
    unsigned window = 32;
    int pid = 0;
    std::string threads;  // whose CPU is told apart: those with names that begin so
};

inline int connected(const Options& options) {
    const int fd = ::socket(AF_INET, options.tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(options.port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int room = 4 << 20;
    const int on = 1;
    if (options.tcp) {
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    } else {
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    }
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        ::close(fd);
        throw std::runtime_error("no connection");
    }
    return fd;
}

struct Run {
    Options options;
    Queries queries;
    Tally tally;
};

}  // namespace peers
