// What hostile traffic may take, as [server.rate_limit] and [server.tcp] say: plain data, part of
// the model (model.h). Thread rule: immutable after load.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"

namespace steerd::config {

/// How many answers over UDP a client's prefix gets, for each kind and each name or zone of it.
struct RateLimitConfig {
    static constexpr std::uint32_t kResponses = 200;

    std::uint32_t responses_per_second = kResponses;  // 0: no limit, here and below
    std::uint32_t nxdomains_per_second = kResponses;
    std::uint32_t nodata_per_second = kResponses;
    std::uint32_t referrals_per_second = kResponses;
    std::uint32_t errors_per_second = kResponses;
    base::Duration window = std::chrono::seconds(15);
    std::uint32_t slip = 2;  // every so many answers over the limit is sent short; 0: none
    std::uint32_t max_amplification = 3;  // of a query's octets, without a good cookie; 0: any
    std::uint32_t ipv4_prefix = 24;
    std::uint32_t ipv6_prefix = 56;
    std::uint32_t table_size = 131'072;  // of each thread that answers
    std::vector<base::IpPrefix> exempt;

    friend bool operator==(const RateLimitConfig&, const RateLimitConfig&) = default;
};

/// Of each worker's TCP connections.
struct TcpConfig {
    std::uint32_t connections = 1024;
    std::uint32_t connections_per_prefix = 128;  // a client's /24 or /56
    std::uint32_t queries_per_connection = 0;    // 0: any number
    base::Duration idle = std::chrono::seconds(10);

    friend bool operator==(const TcpConfig&, const TcpConfig&) = default;
};

}  // namespace steerd::config
