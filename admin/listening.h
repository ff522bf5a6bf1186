// Opens the sockets of [admin] listen. A Unix socket's file that a dead server left is replaced;
// one that answers belongs to a living one and is left alone. Its permissions (owner and group) are
// who may change things. Thread rule: the main thread at start.
#pragma once

#include <filesystem>
#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "server/fd.h"

namespace steerd::admin {

/// Makes the folder where it is missing. The error names path and cause.
[[nodiscard]] base::Result<server::Fd, std::string> listen_unix(const std::filesystem::path& path);
/// Port 0 takes a free one; `address` then says which.
[[nodiscard]] base::Result<server::Fd, std::string> listen_tcp(base::SocketAddress& address);

}  // namespace steerd::admin
