// The operator's own knowledge ([[geo.networks]]): prefixes with facts, asked before any database.
//
// The most specific row wins as a row: what it does not say comes from the databases, not from a
// wider row of ours. Thread rule: immutable once built.
#pragma once

#include <vector>

#include "base/ip.h"
#include "base/problem.h"
#include "geo/place.h"

namespace steerd::geo {

struct Network {
    base::IpPrefix prefix;
    Facts facts;
    base::SourcePos at;
};

/// Normalised (IPv4-mapped and 6to4 prefixes become IPv4), completed (the continent of a country)
/// and sorted by address, then length; a prefix given twice is an error at its position.
[[nodiscard]] std::vector<Network> prepare_networks(std::vector<Network> rows,
                                                    base::Problems& problems);

}  // namespace steerd::geo
