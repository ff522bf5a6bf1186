// Events in words, one line each, for the log. Thread rule: pure.
#pragma once

#include <string>

#include "control/event.h"

namespace steerd::server {

[[nodiscard]] std::string event_text(const control::Event& event);
/// Writes it, with its fields where they can be kept.
void log_event(const control::Event& event);

}  // namespace steerd::server
