// From a place to what a tree of some shape sees of it: the order of regions for each latency
// route, the walk of members for each geo route. The one function that views are compiled with, and
// that explain may ask again; never on the packet path.
//
// Orders come out canonical: regions that no health can tell apart stand by index, and a route that
// this client cannot reach has an order that says nothing. Deliberately does not know health.
// Thread rule: load plane; the table of estimates has one owner.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"
#include "geo/estimator.h"
#include "geo/world.h"
#include "policy/view_shape.h"

namespace steerd::policy {

/// Estimates of all regions for a place, read from the world once for all views.
class Estimates {
  public:
    explicit Estimates(const geo::World& world);

    /// One figure for each region of the world, in ms; NaN where there is none.
    [[nodiscard]] std::span<const double> row(geo::PlaceId place);

  private:
    geo::Estimator estimator_;
    std::size_t places_;
    std::size_t regions_;
    std::vector<double> figures_;
    std::vector<bool> known_;
};

/// Writes shape.words words. Network matches count where they contain `within` (the client, or any
/// prefix that the same networks contain); none does when it is null.
void classify(const ViewShape& shape, Estimates& estimates, const geo::World& world,
              geo::PlaceId place, const base::IpPrefix* within, std::span<ClassWord> words);

/// Whether a hash of the prefix may take part for this client under some health (never says no
/// where it may; may say yes where shared endpoints keep it from happening).
[[nodiscard]] bool may_hash(const ViewShape& shape, std::span<const ClassWord> words);

/// The routes that this client can reach, by index.
[[nodiscard]] std::vector<bool> reachable_routes(const ViewShape& shape,
                                                 std::span<const ClassWord> words);

}  // namespace steerd::policy
