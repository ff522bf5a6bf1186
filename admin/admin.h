// The admin side of a running server (product.md §7): HTTP on the sockets of [admin] listen, each
// with a thread of its own, and one thread that wakes sleeping connections. Whatever readers do,
// answers and probes do not feel it: this side only reads snapshots and events, and hands requests
// to the server's loop. Thread rule: opened and closed by the main thread.
#pragma once

#include <string>

#include "server/desk.h"

namespace steerd::admin {

/// Opens every address of the model's [admin]; nothing where it lists none. For server::serve().
[[nodiscard]] base::Result<server::Upstairs, std::string> open(const server::Desk& desk,
                                                               const config::Model& model,
                                                               const std::string& version);

}  // namespace steerd::admin
