#include "drill/live_asker.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace steerd::drill {

namespace {

constexpr std::size_t kIds = 0x10000;
constexpr int kBuffer = 4 << 20;

sockaddr_in sockaddr_of(const base::IpAddress& address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(address.v4_value());
    return out;
}

}  // namespace

LiveAsker::LiveAsker(const base::IpAddress& from, const base::SocketAddress& server)
    : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      who_(kIds, kNobody) {
    const sockaddr_in ours = sockaddr_of(from, 0);
    const sockaddr_in theirs = sockaddr_of(server.address, server.port);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &kBuffer, sizeof kBuffer);
    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&ours), sizeof ours) != 0 ||
        ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&theirs), sizeof theirs) != 0) {
        socket_.reset();
    }
    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
}

void LiveAsker::ask(std::uint32_t who, const dns::Name& name, const base::IpPrefix& subnet) {
    forget(who);
    for (std::size_t tries = 0; tries < kIds && who_[next_id_] != kNobody; ++tries) {
        ++next_id_;
    }
    const std::uint16_t id = next_id_++;
    if (who_[id] != kNobody) {
        ids_[who_[id]] = kNoId;  // all are out: the oldest has waited longest
    }
    if (ids_.size() <= who) {
        ids_.resize(std::size_t{who} + 1, kNoId);
    }
    who_[id] = who;
    ids_[who] = id;
    std::array<std::uint8_t, 512> out{};
    const std::size_t size = compose_question(out, id, name, subnet);
    // A server that is gone refuses the one after; that is no answer, like silence.
    if (::send(socket_.get(), out.data(), size, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED) {
        (void)!::send(socket_.get(), out.data(), size, MSG_NOSIGNAL);
    }
}

void LiveAsker::forget(std::uint32_t who) {
    if (who < ids_.size() && ids_[who] != kNoId) {
        who_[ids_[who]] = kNobody;
        ids_[who] = kNoId;
    }
}

void LiveAsker::receive(const std::function<void(std::uint32_t, const LiveReply&)>& answered) {
    std::array<std::uint8_t, 4096> buffer;
    while (true) {
        const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && (errno == EINTR || errno == ECONNREFUSED)) {
            continue;
        }
        if (got < 0) {
            return;
        }
        const auto reply = parse_reply({buffer.data(), static_cast<std::size_t>(got)});
        if (!reply || who_[reply->id] == kNobody) {
            continue;
        }
        const std::uint32_t who = who_[reply->id];
        forget(who);
        answered(who, *reply);
    }
}

}  // namespace steerd::drill
