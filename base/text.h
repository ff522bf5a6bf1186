// Small words about text that several rooms of the load plane need.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace steerd::base {

/// "500ms", "30s", "5m", "1h", "1d" to a duration; nullopt for anything else (also for no unit,
/// a negative number or more than 10 years). Fractions are allowed: "1.5s".
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text) noexcept;
/// The shortest exact form: 1500 ms -> "1.5s", 60 s -> "1m".
[[nodiscard]] std::string format_duration(Duration duration);
/// RFC 3339 in UTC: "2026-11-20T10:00:00Z".
[[nodiscard]] std::string format_wall(Wall wall);
[[nodiscard]] std::optional<Wall> parse_wall(std::string_view text) noexcept;
/// The candidate nearest to `word` by edit distance, for "did you mean"; nullopt when none is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::span<const std::string> candidates);
[[nodiscard]] std::string ascii_lower(std::string_view text);

}  // namespace steerd::base
