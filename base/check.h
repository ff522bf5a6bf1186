// CHECK(condition): for our own mistakes only; stays on in release builds and is never reachable
// from a packet, a probe reply or a file.
#pragma once

namespace steerd::base {

/// Prints the failed condition with its place and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace steerd::base

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): needs the text of the condition
#define CHECK(condition)                                 \
    (static_cast<bool>(condition) ? static_cast<void>(0) \
                                  : ::steerd::base::check_failed(#condition, __FILE__, __LINE__))
