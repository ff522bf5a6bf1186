// base::SocketAddress to and from the kernel's form. Thread rule: pure.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "base/ip.h"

namespace steerd::server {

/// Fills `storage`; the length to pass to the kernel.
socklen_t to_sockaddr(const base::SocketAddress& address, sockaddr_storage& storage) noexcept;
/// nullopt for a family that is not IP.
[[nodiscard]] std::optional<base::SocketAddress> from_sockaddr(
    const sockaddr_storage& storage) noexcept;

}  // namespace steerd::server
