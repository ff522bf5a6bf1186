// The ceiling: sets QR and sends each datagram back, in batches of 8. It does the least that a
// server on ordinary sockets can do, so it bounds each of them. It checks nothing and is no server.
//   echo PORT
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

// Larger batches lose: the kernel's buffers no longer come back warm.
constexpr unsigned kBatch = 8;

int bound(int port) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    const int room = 4 << 20;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 ? fd : -1;
}

}  // namespace

int main(int argc, char** argv) {
    const int fd = argc == 2 ? bound(std::atoi(argv[1])) : -1;
    if (fd < 0) {
        std::fprintf(stderr, "usage: echo PORT (a free one)\n");
        return 2;
    }
    static std::array<std::array<std::uint8_t, 2048>, kBatch> packets;
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> iov{};
    std::array<sockaddr_in, kBatch> peers{};
    for (;;) {
        for (unsigned i = 0; i < kBatch; ++i) {
            iov[i] = {packets[i].data(), packets[i].size()};
            messages[i].msg_hdr = {&peers[i], sizeof peers[i], &iov[i], 1, nullptr, 0, 0};
        }
        const int count = ::recvmmsg(fd, messages.data(), kBatch, MSG_WAITFORONE, nullptr);
        for (int i = 0; i < count; ++i) {
            packets[i][2] |= 0x80;
            iov[i].iov_len = messages[i].msg_len;
        }
        for (int sent = 0; sent < count;) {
            const int n = ::sendmmsg(fd, &messages[sent], static_cast<unsigned>(count - sent), 0);
            sent += n > 0 ? n : 1;
        }
    }
}
