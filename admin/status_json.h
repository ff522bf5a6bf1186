// The status of the running server as JSON (product.md §9, first shape): what `steerd status`, the
// API, the dashboard and scripts read. More keys than the contract names; those keep their names.
// Thread rule: pure.
#pragma once

#include <string>

#include "admin/json.h"
#include "server/desk.h"

namespace steerd::admin {

[[nodiscard]] Json status_json(const server::ServerStatus& status, const std::string& version);
/// {"state": "drain", "reason": ..., "who": ..., "since": ..., "until": ...}
[[nodiscard]] Json order_json(const health::Order& order);
/// {"ok": ..., "message": ..., "problems": [...], "wait_for_restart": [...]}
[[nodiscard]] Json load_json(const server::LoadReport& load);

}  // namespace steerd::admin
