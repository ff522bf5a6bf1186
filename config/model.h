// A configuration after reading and checking: plain data, names resolved to indexes, every part
// with the place where it was written. Made by config::load, compiled by policy/, never changed
// after. Thread rule: immutable after load.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "base/problem.h"
#include "config/limits.h"
#include "config/model_server.h"
#include "dns/name.h"
#include "geo/place.h"
#include "health/probe_spec.h"

namespace steerd::config {

enum class RegionId : std::uint32_t {};
enum class ProbeId : std::uint32_t {};
enum class EndpointId : std::uint32_t {};
enum class RouteId : std::uint32_t {};
enum class ZoneId : std::uint32_t {};

template <typename Id>
[[nodiscard]] constexpr std::size_t index(Id id) noexcept {
    return static_cast<std::size_t>(id);
}

struct ServerConfig {
    std::vector<base::SocketAddress> listen;
    std::uint32_t workers = 0;                            // 0: one for each CPU
    std::string identity;                                 // empty: none
    std::string version;                                  // what version.bind tells; empty: nothing
    std::optional<std::filesystem::path> cookie_secrets;  // absent: made at start
    std::optional<std::filesystem::path> state_dir;
    std::optional<geo::Location> location;  // this node
    std::optional<RegionId> region;
    std::optional<base::SocketAddress> resolver;  // for CNAME targets; absent: the system's
    std::vector<QueryLogRule> query_log;          // empty: none
    std::optional<DnstapConfig> dnstap;
    std::optional<RateLimitConfig> rate_limit;  // absent: none
    TcpConfig tcp;

    friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

struct NetworkConfig {
    base::IpPrefix prefix;
    std::optional<geo::Location> location;
    std::optional<std::string> country;      // "JP"
    std::optional<std::string> continent;    // "AS"
    std::optional<std::string> subdivision;  // "US-CA"
    std::optional<std::uint32_t> asn;
    base::SourcePos at;
};

struct GeoConfig {
    std::vector<std::filesystem::path> databases;
    std::vector<base::SourcePos> databases_at;
    std::optional<std::filesystem::path> latency;
    base::SourcePos latency_at;
    std::uint32_t latency_min_samples = 3;  // rows of fewer give way, as do older ones
    base::Duration latency_max_age = std::chrono::hours(24 * 90);
    std::filesystem::path country_table = "/usr/share/tor";
    base::SourcePos country_table_at;
    std::vector<NetworkConfig> networks;
    std::optional<std::string> learn;  // a file in state_dir
};

struct RegionConfig {
    std::string name;
    geo::Location location;
    std::optional<std::string> country;
    base::SourcePos at;
};

struct ProbeConfig {
    std::shared_ptr<const health::ProbeSpec> spec;
    base::SourcePos at;
};

struct EndpointConfig {
    std::string name;
    std::optional<RegionId> region;
    std::vector<base::IpAddress> addresses;  // in the order written; empty when cname is set
    std::optional<dns::Name> cname;
    std::vector<ProbeId> probes;
    std::uint32_t require = 0;       // how many probes must pass; 0: all
    std::optional<double> capacity;  // requests/s
    base::SourcePos at;
};

enum class Policy : std::uint8_t { Failover, Weighted, Latency, Geo, Multivalue };

[[nodiscard]] std::string_view to_text(Policy policy) noexcept;

/// What a geo member asks of the client's place. The order of the kinds is their specificity.
struct Match {
    enum class Kind : std::uint8_t { Network, Asn, Subdivision, Country, Continent, Any };
    Kind kind = Kind::Any;
    base::IpPrefix prefix;  // Network
    std::uint32_t asn = 0;  // Asn
    std::string code;       // Subdivision "US-CA", Country "US", Continent "EU"

    [[nodiscard]] std::string text() const;  // as written: "country:US", "AS64500", "*"
    friend bool operator==(const Match&, const Match&) = default;
};

using Target = std::variant<EndpointId, RouteId>;

struct MemberConfig {
    std::string name;  // of the endpoint or route
    Target to;
    std::uint32_t weight = 1;  // weighted, multivalue; 0..65535
    Match match;               // geo
    bool fence = false;        // geo
    base::SourcePos at;
};

/// How a failover route returns to a better member.
struct Failback {
    enum class Kind : std::uint8_t { Auto, After, Manual };
    Kind kind = Kind::Auto;
    base::Duration after{};  // After
    friend bool operator==(const Failback&, const Failback&) = default;
};

struct RouteConfig {
    std::string name;
    Policy policy = Policy::Failover;
    std::vector<MemberConfig> members;
    bool sticky = false;
    std::uint32_t min_available = 1;
    base::Duration tolerance{};
    Failback failback;
    std::uint32_t max_answers = 8;
    base::SourcePos at;
};

enum class WhenAllDown : std::uint8_t { ServeAll, ServeLast, NoData, ServFail };
enum class Families : std::uint8_t { Same, Any };

[[nodiscard]] std::string_view to_text(WhenAllDown when) noexcept;

struct SteerConfig {
    dns::Name owner;  // absolute
    RouteId route{};
    std::uint32_t ttl_s = 60;
    std::optional<std::uint32_t> ttl_min_s;
    WhenAllDown when_all_down = WhenAllDown::ServeAll;
    Families families = Families::Same;
    base::SourcePos at;
};

struct ZoneConfig {
    dns::Name apex;
    std::filesystem::path file;
    std::vector<SteerConfig> steer;
    /// Problems of this zone's own steer table. They make this zone bad, not the configuration:
    /// a reload keeps its last good copy, at start it answers SERVFAIL (product.md §2).
    base::Problems steer_problems;
    base::SourcePos at;
};

struct Model {
    std::filesystem::path file;
    ServerConfig server;
    AdminConfig admin;
    GeoConfig geo;
    std::vector<RegionConfig> regions;
    std::vector<ProbeConfig> probes;
    std::vector<EndpointConfig> endpoints;
    std::vector<RouteConfig> routes;
    std::vector<ZoneConfig> zones;

    [[nodiscard]] const RouteConfig& route(RouteId id) const { return routes[index(id)]; }

    [[nodiscard]] const EndpointConfig& endpoint(EndpointId id) const {
        return endpoints[index(id)];
    }
};

}  // namespace steerd::config
