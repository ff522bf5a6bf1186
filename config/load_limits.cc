// [server.rate_limit] and [server.tcp]: what hostile traffic may take. A rate limit is on where its
// table stands; all of its keys may be left out.
// Thread rule: one thread.
#include <fmt/format.h>

#include <algorithm>

#include "config/draft.h"

namespace steerd::config {

namespace {

constexpr std::int64_t kMostPerSecond = 1'000'000;
constexpr base::Duration kLongestWindow = std::chrono::minutes(10);
constexpr base::Duration kLongestIdle = std::chrono::hours(1);
constexpr std::size_t kMostExempt = 1000;

std::uint32_t number(TomlTable& table, std::string_view key, IntegerRange range,
                     std::uint32_t otherwise) {
    return static_cast<std::uint32_t>(table.integer(key, range).value_or(otherwise));
}

base::Duration duration(TomlTable& table, std::string_view key, base::Duration longest,
                        base::Duration otherwise) {
    const auto value = table.duration(key, std::chrono::seconds(1)).value_or(otherwise);
    if (value > longest) {
        const auto most = std::chrono::duration_cast<std::chrono::minutes>(longest).count();
        table.error(key, fmt::format("{} must be at most \"{}m\"", key, most));
    }
    return value;
}

void read_exempt(TomlTable& table, RateLimitConfig& limit) {
    for (const auto& item : table.texts("exempt")) {
        const auto prefix = base::IpPrefix::parse(item.text);
        if (prefix) {
            limit.exempt.push_back(*prefix);
        } else {
            table.error(item.at, fmt::format("exempt holds addresses and prefixes like "
                                             "\"192.0.2.0/24\", got {}",
                                             in_quotes(item.text)));
        }
    }
    if (limit.exempt.size() > kMostExempt) {
        table.error("exempt", fmt::format("exempt has at most {} prefixes", kMostExempt));
    }
}

}  // namespace

std::optional<RateLimitConfig> load_rate_limit(Draft& draft, TomlTable& server) {
    const auto* node = server.table("rate_limit");
    if (node == nullptr) {
        return std::nullopt;
    }
    TomlTable table(*node, "rate_limit", draft.source, draft.problems);
    RateLimitConfig limit;
    const IntegerRange rate{0, kMostPerSecond};
    limit.responses_per_second =
        number(table, "responses_per_second", rate, limit.responses_per_second);
    const std::uint32_t all = limit.responses_per_second;
    limit.nxdomains_per_second = number(table, "nxdomains_per_second", rate, all);
    limit.nodata_per_second = number(table, "nodata_per_second", rate, all);
    limit.referrals_per_second = number(table, "referrals_per_second", rate, all);
    limit.errors_per_second = number(table, "errors_per_second", rate, all);
    limit.window = duration(table, "window", kLongestWindow, limit.window);
    limit.slip = number(table, "slip", {0, 100}, limit.slip);
    limit.max_amplification = number(table, "max_amplification", {0, 100}, limit.max_amplification);
    limit.ipv4_prefix = number(table, "ipv4_prefix", {8, 32}, limit.ipv4_prefix);
    limit.ipv6_prefix = number(table, "ipv6_prefix", {16, 64}, limit.ipv6_prefix);
    limit.table_size = number(table, "table_size", {1024, 1 << 24}, limit.table_size);
    read_exempt(table, limit);
    table.finish();
    return limit;
}

TcpConfig load_tcp(Draft& draft, TomlTable& server) {
    TcpConfig tcp;
    const auto* node = server.table("tcp");
    if (node == nullptr) {
        return tcp;
    }
    TomlTable table(*node, "tcp", draft.source, draft.problems);
    tcp.connections = number(table, "connections", {1, 1'000'000}, tcp.connections);
    tcp.connections_per_prefix =
        number(table, "connections_per_prefix", {1, 1'000'000},
               std::clamp<std::uint32_t>(tcp.connections / 4, 1, tcp.connections_per_prefix));
    tcp.queries_per_connection =
        number(table, "queries_per_connection", {0, 1'000'000'000}, tcp.queries_per_connection);
    tcp.idle = duration(table, "idle", kLongestIdle, tcp.idle);
    table.finish();
    return tcp;
}

}  // namespace steerd::config
