// An event as JSON for those who follow (product.md §7): it names the endpoint and its state.
// Thread rule: pure functions.
#pragma once

#include "admin/json.h"
#include "control/event.h"

namespace steerd::admin {

/// {"id": 7, "at": "...", "kind": "transition", "endpoint": "tokyo", "state": "down", ...}
[[nodiscard]] Json event_json(const control::Event& event);

}  // namespace steerd::admin
