// Lines to standard error for whoever keeps the logs; under systemd each begins with its priority
// ("<4>", sd-daemon(3)), elsewhere with the time. Where standard error is the journal itself, an
// entry with fields goes there natively (journal.h). Never called on the packet path.
// Thread rule: any thread; a line is written whole.
#pragma once

#include <span>
#include <string_view>

#include "server/journal.h"

namespace steerd::server {

enum class LogLevel : int { Error = 3, Warning = 4, Notice = 5, Info = 6 };

/// `fields` say the same in parts; only the journal gets them.
void log(LogLevel level, std::string_view message, std::span<const LogField> fields = {}) noexcept;

/// Whether who reads standard error keeps up: false while much of what was written waits there.
/// For lines that may be left out; a write to a full pipe waits, whoever it holds up.
[[nodiscard]] bool log_has_room() noexcept;

}  // namespace steerd::server
