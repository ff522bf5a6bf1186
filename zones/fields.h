// The small words of master files: numbers, times with units, escaped text.
// RFC 1035 §5.1 (escapes), RFC 2308 §4 with the units every server reads (1w2d3h4m5s).
// Pure. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace steerd::zones {

/// Decimal digits alone, at most `max`.
[[nodiscard]] std::optional<std::uint32_t> parse_number(std::string_view text,
                                                        std::uint32_t max) noexcept;
/// Seconds, "3600" or "1h30m": at most `max`, each unit any number of times.
[[nodiscard]] std::optional<std::uint32_t> parse_seconds(std::string_view text,
                                                         std::uint32_t max) noexcept;
/// Appends the octets that escaped text stands for; false for \DDD over 255 or a lone backslash.
[[nodiscard]] bool unescape(std::string_view text, std::vector<std::uint8_t>& out);

}  // namespace steerd::zones
