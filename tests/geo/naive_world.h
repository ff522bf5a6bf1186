// Random sources of places and measured rows, the world that is built from them, and what a naive
// reading of every source, row by row, says of a client: the two must agree.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "geo/networks.h"
#include "geo/world.h"
#include "tests/geo/helpers.h"

namespace steerd::geo::testing {

inline constexpr base::IpFamily kFamilies[] = {base::IpFamily::V4, base::IpFamily::V6};

/// Three regions with coordinates, and their names in the same order.
[[nodiscard]] std::vector<Region> three_regions();
[[nodiscard]] const std::vector<std::string>& three_names();

/// Addresses that share many leading bits, so that rows nest and touch.
[[nodiscard]] base::IpAddress random_address(base::Rng& rng, base::IpFamily family);
[[nodiscard]] base::IpPrefix random_prefix(base::Rng& rng, base::IpFamily family, unsigned longest);

/// One source as rows; the longest row around a prefix that is not longer than it counts.
using Rows = std::map<base::IpPrefix, Facts>;

struct Scene {
    std::vector<Network> networks;
    std::vector<Rows> databases;
    std::string latency = "client,region,rtt_ms\n";
    std::map<base::IpPrefix, std::map<std::size_t, double>> measured;
    std::shared_ptr<const World> world;
};

/// The same seed gives the same scene.
[[nodiscard]] Scene random_scene(std::uint64_t seed);

/// A fatal failure where the place is not what the rows say of the client.
void expect_same(const Scene& scene, const base::IpPrefix& client, PlaceId id);

}  // namespace steerd::geo::testing
