// Asks for memory that will be read in a moment, so that it is on its way meanwhile. A hint: an
// address that cannot be read does no harm, and nothing is returned. Thread rule: any thread.
#pragma once

namespace steerd::base {

inline void fetch(const void* address) noexcept { __builtin_prefetch(address); }

}  // namespace steerd::base
