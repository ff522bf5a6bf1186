// The running server: one loop that feeds control and carries out its effects, and the threads
// around it: workers, probers, the writer of state files, and a loader for reloads.
// Has no rule of its own about health or answers. Thread rule: serve() is the main thread's.
#pragma once

#include <filesystem>

#include "server/desk.h"

namespace steerd::server {

/// Serves until SIGTERM or SIGINT; SIGHUP reloads. The process's exit status.
/// `open` starts what stands above (admin/) once the configuration is loaded; empty: nothing.
[[nodiscard]] int serve(const std::filesystem::path& config, OpenUpstairs open);

}  // namespace steerd::server
