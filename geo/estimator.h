// Estimates of all regions for many places, as views are compiled from them: what World::estimate()
// says, with each point on the map prepared and estimated once. A city database has millions of
// rows and a hundred thousand points.
// Thread rule: one owner; the world must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "geo/world.h"

namespace steerd::geo {

class Estimator {
  public:
    explicit Estimator(const World& world) : world_(world) {}

    /// In ms, by region of the world; NaN where there is none. REQUIRES: out has their number.
    void estimate(PlaceId place, std::span<double> out);

  private:
    struct HashLocation {
        std::size_t operator()(const Location& at) const noexcept;
    };

    /// By the model alone.
    [[nodiscard]] std::span<const double> modelled(const Location& at);

    const World& world_;
    std::unordered_map<Location, std::size_t, HashLocation> index_;  // into figures_
    std::vector<double> figures_;
};

}  // namespace steerd::geo
