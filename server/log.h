// Lines to standard error for whoever keeps the logs; under systemd each begins with its priority
// ("<4>", sd-daemon(3)), on a terminal with the time. Never called on the packet path.
// Thread rule: any thread; a line is written whole.
#pragma once

#include <string_view>

namespace steerd::server {

enum class LogLevel : int { Error = 3, Warning = 4, Notice = 5, Info = 6 };

void log(LogLevel level, std::string_view message) noexcept;

}  // namespace steerd::server
