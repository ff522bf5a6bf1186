#include "geo/networks.h"

#include <algorithm>
#include <utility>

#include "geo/countries.h"

namespace steerd::geo {

std::vector<Network> prepare_networks(std::vector<Network> rows, base::Problems& problems) {
    for (Network& row : rows) {
        row.prefix = base::normalised(row.prefix).prefix;
        complete(row.facts);
    }
    // Stable, so that of two equal prefixes the one written first stays.
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Network& a, const Network& b) { return a.prefix < b.prefix; });
    std::vector<Network> unique;
    unique.reserve(rows.size());
    for (Network& row : rows) {
        if (!unique.empty() && unique.back().prefix == row.prefix) {
            problems.error(row.at, "network " + row.prefix.text() + " is given twice");
            continue;
        }
        unique.push_back(std::move(row));
    }
    return unique;
}

}  // namespace steerd::geo
