// The words of the configuration's closed sets, and the text of a match; one table for each set,
// read both ways. Thread rule: pure functions.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/model.h"

namespace steerd::config {

[[nodiscard]] std::string_view to_text(Families families) noexcept;
[[nodiscard]] std::string to_text(const Failback& failback);

[[nodiscard]] std::optional<Policy> parse_policy(std::string_view text) noexcept;
[[nodiscard]] std::optional<WhenAllDown> parse_when_all_down(std::string_view text) noexcept;
[[nodiscard]] std::optional<Families> parse_families(std::string_view text) noexcept;

/// "203.0.113.0/24", "AS64500", "subdivision:US-CA", "country:US", "continent:EU" or "*"; codes in
/// either case. Prefixes of IPv4-mapped and 6to4 addresses become the IPv4 prefix that clients are
/// seen with. The error says what is wrong.
[[nodiscard]] base::Result<Match, std::string> parse_match(std::string_view text);

/// The code in upper case; nullopt unless it is two letters, or one of the seven continents, or
/// that of a subdivision, "JP-13" (ISO 3166-2).
[[nodiscard]] std::optional<std::string> parse_country(std::string_view text);
[[nodiscard]] std::optional<std::string> parse_continent(std::string_view text);
[[nodiscard]] std::optional<std::string> parse_subdivision(std::string_view text);
/// A number after "AS"; 1..4294967295.
[[nodiscard]] std::optional<std::uint32_t> parse_asn(std::string_view text) noexcept;

/// What a bad prefix should have been: "192.0.2.1/24" gives "192.0.2.0/24".
[[nodiscard]] std::optional<base::IpPrefix> prefix_without_host_bits(std::string_view text);

/// For messages and for TomlTable::word; in the order of the enumerators.
inline constexpr std::array<std::string_view, 5> kPolicyWords{"failover", "weighted", "latency",
                                                              "geo", "multivalue"};
inline constexpr std::array<std::string_view, 4> kWhenAllDownWords{"serve-all", "serve-last",
                                                                   "nodata", "servfail"};
inline constexpr std::array<std::string_view, 2> kFamiliesWords{"same", "any"};

}  // namespace steerd::config
