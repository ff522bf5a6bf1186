// Joins all geo sources into a World by walking them side by side, bit by bit.
//
// Where no source splits any more is a cell; where the rows known so far change while some source
// still splits is a partial. What is found at each is a tuple of row indexes, and equal tuples are
// one place, so that merging facts costs what is distinct and not what is large.
// Thread rule: one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "geo/country_table.h"
#include "geo/database.h"
#include "geo/latency_table.h"
#include "geo/networks.h"
#include "geo/world.h"

namespace steerd::geo {

/// At most that many databases can be joined.
inline constexpr std::size_t kMaxDatabases = 8;

struct NamedDatabase {
    std::string name;  ///< what Place::source says
    Database database;
};

/// Asked in this order for each fact: networks, databases, country table.
struct WorldInput {
    std::vector<Region> regions;
    std::optional<Location> node;
    std::vector<Network> networks;         ///< from prepare_networks()
    std::vector<NamedDatabase> databases;  ///< REQUIRES: at most kMaxDatabases
    std::optional<CountryTable> country_table;
    LatencyTable latency;  ///< REQUIRES: parsed for the names of `regions`, in order
};

[[nodiscard]] std::shared_ptr<const World> build_world(WorldInput input);

}  // namespace steerd::geo
