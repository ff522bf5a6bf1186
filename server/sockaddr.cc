#include "server/sockaddr.h"

#include <cstring>

namespace steerd::server {

socklen_t to_sockaddr(const base::SocketAddress& address, sockaddr_storage& storage) noexcept {
    std::memset(&storage, 0, sizeof storage);
    const auto octets = address.address.octets();
    if (address.address.is_v4()) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(address.port);
        std::memcpy(&in.sin_addr, octets.data(), octets.size());
        std::memcpy(&storage, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    std::memcpy(&in.sin6_addr, octets.data(), octets.size());
    std::memcpy(&storage, &in, sizeof in);
    return sizeof in;
}

std::optional<base::SocketAddress> from_sockaddr(const sockaddr_storage& storage) noexcept {
    if (storage.ss_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &storage, sizeof in);
        return base::SocketAddress{base::IpAddress::v4(ntohl(in.sin_addr.s_addr)),
                                   ntohs(in.sin_port)};
    }
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &storage, sizeof in);
        // A socket of both families that was handed in: its IPv4 clients are that everywhere.
        if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
            return base::SocketAddress{
                base::IpAddress::from_octets(base::IpFamily::V4, {in.sin6_addr.s6_addr + 12, 4}),
                ntohs(in.sin6_port)};
        }
        return base::SocketAddress{
            base::IpAddress::from_octets(base::IpFamily::V6, {in.sin6_addr.s6_addr, 16}),
            ntohs(in.sin6_port)};
    }
    return std::nullopt;
}

}  // namespace steerd::server
