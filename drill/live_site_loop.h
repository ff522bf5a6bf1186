// The child's side of a real endpoint: a poll loop over fixed tables. It runs between fork and
// _exit, so it takes no memory, no lock and no descriptor but its own. HTTP/1.0 and 1.1 as far as a
// check needs it: one request, one response, closed (RFC 9112 9.6).
// Thread rule: the only thread of its process.
#pragma once

#include "drill/live_site.h"

namespace steerd::drill {

inline constexpr char kSiteDone = '+';  // sent after the start and after each order

/// Listens, serves and obeys until the other end of `control` is gone.
[[noreturn]] void run_site(const SitePlan& plan, int control);

}  // namespace steerd::drill
