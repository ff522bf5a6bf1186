// A probe as configured: one kind of check with its timing. Pure data, validated by config/.
// Thread rule: immutable after load.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace steerd::health {

enum class ProbeType : std::uint8_t { Http, Https, Tcp, Dns, Exec };

[[nodiscard]] std::string_view to_text(ProbeType type) noexcept;
[[nodiscard]] std::optional<ProbeType> parse_probe_type(std::string_view text) noexcept;

struct ProbeSpec {
    std::string name;
    ProbeType type = ProbeType::Http;

    std::uint16_t port = 0;  // http 80, https 443, dns 53 by default; tcp must say
    // http, https
    std::string path = "/";
    std::string host;  // Host header and SNI; empty: the address
    std::vector<std::pair<int, int>> expect_status = {{200, 399}};  // inclusive ranges
    std::string expect_body;  // substring; empty: not looked at
    bool verify = true;       // https: certificate and name
    std::string ca_file;      // https: CA bundle; empty: the system's
    // dns
    std::string query_name;
    std::uint16_t query_type = 6;  // SOA
    // exec
    std::vector<std::string> command;  // "%ADDRESS%" in an argument is replaced

    base::Duration interval = std::chrono::seconds(5);
    base::Duration timeout = std::chrono::seconds(2);
    base::Duration fast_interval = std::chrono::seconds(1);
    std::uint32_t fall = 3;
    std::uint32_t rise = 2;
    std::optional<base::Duration> slow_after;

    /// max(fast_interval, timeout): the longest distance between two failing checks.
    [[nodiscard]] base::Duration longest_step() const noexcept {
        return fast_interval > timeout ? fast_interval : timeout;
    }

    /// interval + (fall - 1) x max(fast_interval, timeout) + timeout (product.md §5).
    [[nodiscard]] base::Duration worst_detection() const noexcept {
        return interval + (fall - 1) * longest_step() + timeout;
    }

    friend bool operator==(const ProbeSpec&, const ProbeSpec&) = default;
};

/// A hash of what is asked and what is expected, without name and timing: where it stays, health
/// learned by one spec is worth believing under another. The same in every process.
[[nodiscard]] std::uint64_t target_fingerprint(const ProbeSpec& spec) noexcept;

}  // namespace steerd::health
