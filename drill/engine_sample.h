// Which resolvers are simulated and what each stands for. Resolvers are sampled in proportion to
// their demand, so each stream carries the same demand and a heavy resolver is several streams with
// a phase each: no single phase decides a figure. A sampled cache stands for demand / rate caches,
// which keeps the load at the authority right. Every class of resolvers gets enough streams to be
// read on its own. Thread rule: immutable once made.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"
#include "drill/measure.h"
#include "drill/population.h"
#include "drill/timeline.h"

namespace steerd::drill {

/// The streams of one class of resolvers under one [[demand]].
struct Strand {
    std::uint32_t demand = 0;
    std::uint32_t resolver_class = 0;
    std::uint64_t streams = 0;
    double qps_each = 0;      // demand of one stream
    double equal_rate = 0;    // queries per second at each cache, where all ask alike; else 0
    double equal_caches = 0;  // how many caches each stands for then
    std::uint32_t group = 0;  // the class as reported
    bool one_cell = false;    // all of the demand is in `cell`
    std::uint32_t cell = 0;
    std::uint64_t key = 0;  // of the random numbers of its streams
};

struct Sampled {
    double rate = 0;         // queries per second at this one cache
    std::uint32_t cell = 0;  // into Timeline::cells
    Stream stands_for;
};

class Sampler {
  public:
    Sampler(const Timeline& timeline, const Population& population,
            std::span<const DemandSpec> demands, std::uint64_t seed);

    [[nodiscard]] const std::vector<Strand>& strands() const noexcept { return strands_; }

    [[nodiscard]] const std::vector<std::string>& class_names() const noexcept { return names_; }

    /// Stream number `index` of a strand.
    [[nodiscard]] Sampled at(std::size_t strand, std::uint64_t index) const noexcept;

    /// Whether all streams of a strand stand for the same.
    [[nodiscard]] bool alike(std::size_t strand) const noexcept {
        return strands_[strand].one_cell && strands_[strand].equal_rate > 0;
    }

    /// The key of its random numbers.
    [[nodiscard]] std::uint64_t key(std::size_t strand, std::uint64_t index) const noexcept {
        return base::mix64(strands_.data()[strand].key + index * 0xD1342543DE82EF95ULL);
    }

  private:
    struct Cells {
        std::vector<double> cumulative;
        std::vector<std::uint32_t> ids;
    };

    [[nodiscard]] double resolver_qps(const Strand& strand, std::uint64_t index) const noexcept;
    [[nodiscard]] std::uint32_t cell_of(const Strand& strand, std::uint64_t index) const noexcept;

    std::uint64_t seed_;
    std::vector<ResolverClass> classes_;
    std::vector<DemandSpec> demands_;
    std::vector<Strand> strands_;
    std::vector<std::string> names_;
    std::vector<std::uint32_t> group_of_class_;
    std::vector<Cells> cells_;                // by demand
    std::vector<std::vector<double>> ranks_;  // by demand: cumulative demand by rank; empty: equal
};

}  // namespace steerd::drill
