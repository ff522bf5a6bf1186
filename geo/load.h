// From the [geo] part of a configuration to a World: reads every file, joins them, keeps last good
// copies. A bad geo file never keeps the server down: there is always a World, and the problems
// tell what it had to do without.
//
// Who wants to refuse (check, reload) looks at the errors. Thread rule: one thread, off the packet
// path; blocks on file I/O.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/problem.h"
#include "geo/latency_table.h"
#include "geo/networks.h"
#include "geo/world.h"

namespace steerd::geo {

struct GeoSpec {
    std::vector<std::filesystem::path> databases;  ///< the first that knows a fact wins
    std::optional<std::filesystem::path> latency;
    LatencyLimits latency_limits;
    std::filesystem::path country_table = "/usr/share/tor";  ///< used where databases is empty
    std::vector<Network> networks;
    std::vector<Region> regions;
    std::optional<Location> node_location;
    std::optional<std::filesystem::path> state_dir;  ///< last good copies in its folder geo/
    bool keep_copies = true;                         ///< false: read copies, write none
};

/// What became of one configured file (or of the country table, where no database is configured).
struct GeoSource {
    enum class From : std::uint8_t { File, LastGoodCopy, CountryTable, Nothing };
    std::filesystem::path path;     ///< as configured
    From from = From::Nothing;      ///< what is used in its place
    std::string type;               ///< a database's own name for itself
    std::uint64_t build_epoch = 0;  ///< seconds since 1970, 0 when not known
};

struct LoadedWorld {
    std::shared_ptr<const World> world;  ///< never null
    std::vector<GeoSource> sources;
    std::vector<std::string> notes;  ///< to be logged at start
};

/// Reads and joins everything; errors and warnings go to `problems`.
[[nodiscard]] LoadedWorld load_world(const GeoSpec& spec, base::Problems& problems);

}  // namespace steerd::geo
