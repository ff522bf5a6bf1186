// The body of PUT /api/v1/overrides/NAME (product.md §7), checked. Thread rule: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "control/input.h"

namespace steerd::admin {

inline constexpr std::size_t kMaxReason = 500;  // octets

/// {"state": "drain", "for": "30m", "reason": "...", "force": false}; only state must be there.
/// The error names the key. `who` and `name` are the caller's to fill.
[[nodiscard]] base::Result<control::SetOrder, std::string> parse_order(std::string_view body,
                                                                       base::Wall now);

}  // namespace steerd::admin
