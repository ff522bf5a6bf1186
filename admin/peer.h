// Who is at the other end of a connection: by the kernel's word, not by what the request says.
// Thread rule: pure but for the system's user table.
#pragma once

#include "admin/http.h"

namespace steerd::admin {

/// Of a connected socket. A user without a name is told by number: "uid 1000".
[[nodiscard]] Peer peer_of(int socket, bool local);

}  // namespace steerd::admin
