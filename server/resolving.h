// CNAME targets between control, which says what to resolve, and the probers, who ask.
// Thread rule: pure.
#pragma once

#include <optional>

#include "base/ip.h"
#include "control/input.h"
#include "health/probers/prober_pool.h"

namespace steerd::server {

/// `server`: whom to ask; nullopt: the system's resolver.
[[nodiscard]] probers::ResolveRequest to_request(const control::ResolveTarget& target,
                                                 const std::optional<base::SocketAddress>& server);
[[nodiscard]] control::ResolveDone to_input(probers::ResolveDone done);

}  // namespace steerd::server
