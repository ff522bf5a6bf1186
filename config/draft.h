// A model while it is being read: what the sections of load share. Every region, probe, endpoint
// and route is declared first, so that they may name each other in any order of the file, and holds
// its slot even when it is bad, so that reading goes on.
// Not an interface: only config/ includes it. Thread rule: one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/problem.h"
#include "config/model.h"
#include "config/toml_reader.h"

namespace steerd::config {

/// Names to numbers in the order of the file.
class NameIndex {
  public:
    /// False when the name is there already.
    bool add(const std::string& name);
    [[nodiscard]] std::optional<std::uint32_t> find(const std::string& name) const;

    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

  private:
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::vector<std::string> names_;
};

/// Where the parts of a steered name stand, for problems found after reading.
struct SteerPlaces {
    base::SourcePos route;
    base::SourcePos ttl;
};

struct Draft {
    std::shared_ptr<Model> model = std::make_shared<Model>();
    TomlSource source;
    base::Problems problems;  // those outside the steer tables
    NameIndex regions;
    NameIndex probes;
    NameIndex endpoints;
    NameIndex routes;
    /// For each endpoint: its region key is there, good or bad.
    std::vector<bool> says_region;
    /// For each zone and each of its steered names.
    std::vector<std::vector<SteerPlaces>> steer_places;
    /// For each rule of query_log: its zone, to be looked for when all zones are read.
    std::vector<base::SourcePos> query_log_zones;
};

/// The sections, each in its own file. `root` is the whole file; they ask it for their keys.
void load_server(Draft& draft, TomlTable& root);
void load_admin(Draft& draft, TomlTable& root);
void load_geo(Draft& draft, TomlTable& root);
void load_regions(Draft& draft, TomlTable& root);
void load_probes(Draft& draft, TomlTable& root);
void load_endpoints(Draft& draft, TomlTable& root);
void load_routes(Draft& draft, TomlTable& root);
void load_zones(Draft& draft, TomlTable& root);

/// Tables of `[server]`.
[[nodiscard]] std::optional<RateLimitConfig> load_rate_limit(Draft& draft, TomlTable& server);
[[nodiscard]] TcpConfig load_tcp(Draft& draft, TomlTable& server);

/// Declares the names of `[regions]`, `[probes]`, `[endpoints]` and `[routes]`.
void declare_names(Draft& draft, TomlTable& root);

/// `[latitude, longitude]` in degrees.
[[nodiscard]] std::optional<geo::Location> read_location(TomlTable& table, std::string_view key);
/// A name of `index`; `kind` is "region". Unknown: a problem with "did you mean".
[[nodiscard]] std::optional<std::uint32_t> resolve(const TomlTable& table, const NameIndex& index,
                                                   std::string_view kind, const LocatedText& name);
/// The tables of a section with their entries, those that are no table being reported.
[[nodiscard]] std::vector<const TomlEntry*> section(Draft& draft, TomlTable& root,
                                                    std::string_view key);

}  // namespace steerd::config
