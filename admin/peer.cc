// See peer.h. Thread rule: any thread.
#include "admin/peer.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>

#include <array>

#include "server/sockaddr.h"

namespace steerd::admin {

namespace {

std::string user_name(uid_t uid) {
    std::array<char, 4096> room{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
        return found->pw_name;
    }
    return fmt::format("uid {}", uid);
}

}  // namespace

Peer peer_of(int socket, bool local) {
    Peer peer;
    peer.local = local;
    if (local) {
        ucred credentials{};
        socklen_t size = sizeof(credentials);
        const bool known = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
        peer.who = known ? user_name(credentials.uid) : "unknown";
        return peer;
    }
    sockaddr_storage storage{};
    socklen_t size = sizeof(storage);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how sockets are addressed
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &size) == 0) {
        if (const auto address = server::from_sockaddr(storage)) {
            peer.address = address->address.text();
        }
    }
    peer.who = "token@" + peer.address;
    return peer;
}

}  // namespace steerd::admin
