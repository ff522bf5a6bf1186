// Sampling. Positions along the cumulative demand are evenly spaced (resolvers sorted by weight),
// cells follow the golden ratio: both spread as evenly as a sequence can, whatever the length.
#include "drill/engine_sample.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/rng.h"

namespace steerd::drill {

namespace {

constexpr std::uint64_t kExtraStreams = 16384;  // over all classes of one demand
constexpr double kLeastRate = 1e-9;             // one query in thirty years: sums stay finite
constexpr double kGolden = 0.6180339887498949;

std::vector<double> cumulative_demand(const DemandSpec& demand) {
    std::vector<double> ranks;
    if (demand.zipf == 0) {
        return ranks;
    }
    ranks.reserve(demand.resolvers);
    double sum = 0;
    for (std::uint64_t rank = 1; rank <= demand.resolvers; ++rank) {
        sum += std::pow(static_cast<double>(rank), -demand.zipf);
        ranks.push_back(sum);
    }
    return ranks;
}

}  // namespace

Sampler::Sampler(const Timeline& timeline, const Population& population,
                 std::span<const DemandSpec> demands, std::uint64_t seed)
    : seed_(base::mix64(seed + 0x9E3779B97F4A7C15ULL)),
      classes_(population.classes),
      demands_(demands.begin(), demands.end()),
      cells_(demands.size()) {
    for (const ResolverClass& one : classes_) {
        const auto found = std::find(names_.begin(), names_.end(), one.name);
        group_of_class_.push_back(static_cast<std::uint32_t>(found - names_.begin()));
        if (found == names_.end()) {
            names_.push_back(one.name);
        }
    }
    for (std::uint32_t id = 0; id < timeline.cells.size(); ++id) {
        const DemandCell& cell = timeline.cells[id];
        CHECK(cell.demand < demands.size() && cell.timeline < timeline.classes.size());
        Cells& cells = cells_[cell.demand];
        if (cell.share > 0) {
            cells.cumulative.push_back((cells.cumulative.empty() ? 0 : cells.cumulative.back()) +
                                       cell.share);
            cells.ids.push_back(id);
        }
    }
    double share_sum = 0;
    for (const ResolverClass& one : classes_) {
        share_sum += one.share;
    }
    for (std::uint32_t d = 0; d < demands.size(); ++d) {
        ranks_.push_back(cumulative_demand(demands[d]));
        if (cells_[d].ids.empty() || demands[d].resolvers == 0 || demands[d].qps <= 0) {
            continue;
        }
        const std::uint64_t least =
            std::clamp<std::uint64_t>(kExtraStreams / classes_.size(), 64, 4096);
        for (std::uint32_t c = 0; c < classes_.size(); ++c) {
            const double share = classes_[c].share / share_sum;
            if (share > 0) {
                const auto part = static_cast<std::uint64_t>(
                    std::llround(static_cast<double>(demands[d].resolvers) * share));
                const std::uint64_t streams = std::max(least, part);
                const double qps = demands[d].qps * share / static_cast<double>(streams);
                Strand strand;
                strand.demand = d;
                strand.resolver_class = c;
                strand.streams = streams;
                strand.qps_each = qps;
                strand.key = base::mix64(seed_ + strands_.size());
                if (ranks_[d].empty()) {
                    strand.equal_rate = std::max(
                        kLeastRate, demands[d].qps / static_cast<double>(demands[d].resolvers) /
                                        classes_[c].model.caches());
                    strand.equal_caches = qps / strand.equal_rate;
                }
                strand.group = group_of_class_[c];
                strand.one_cell = cells_[d].ids.size() == 1;
                strand.cell = cells_[d].ids[0];
                strands_.push_back(strand);
            }
        }
    }
}

double Sampler::resolver_qps(const Strand& strand, std::uint64_t index) const noexcept {
    const DemandSpec& spec = demands_[strand.demand];
    const std::vector<double>& ranks = ranks_[strand.demand];
    const double position =
        (static_cast<double>(index) + 0.5) / static_cast<double>(strand.streams);
    const double wanted = position * ranks.back();
    const auto rank =
        std::min(std::upper_bound(ranks.begin(), ranks.end(), wanted), std::prev(ranks.end()));
    const auto number = static_cast<double>(rank - ranks.begin() + 1);
    return spec.qps * std::pow(number, -spec.zipf) / ranks.back();
}

std::uint32_t Sampler::cell_of(const Strand& strand, std::uint64_t index) const noexcept {
    const Cells& cells = cells_[strand.demand];
    const double offset = static_cast<double>(strand.key >> 11) * 0x1.0p-53;
    const double turn = offset + static_cast<double>(index) * kGolden;
    const double draw = (turn - std::floor(turn)) * cells.cumulative.back();
    const auto found = std::upper_bound(cells.cumulative.begin(), cells.cumulative.end(), draw);
    const auto cell = static_cast<std::size_t>(found - cells.cumulative.begin());
    return cells.ids[std::min(cell, cells.ids.size() - 1)];
}

Sampled Sampler::at(std::size_t number, std::uint64_t index) const noexcept {
    const Strand& strand = strands_.data()[number];
    Sampled sampled;
    sampled.cell = strand.one_cell ? strand.cell : cell_of(strand, index);
    sampled.rate = strand.equal_rate;
    double caches = strand.equal_caches;
    if (sampled.rate == 0) {
        const CacheModel& model = classes_[strand.resolver_class].model;
        sampled.rate = std::max(kLeastRate, resolver_qps(strand, index) / model.caches());
        caches = strand.qps_each / sampled.rate;
    }
    sampled.stands_for = Stream{strand.qps_each, caches, strand.group, sampled.cell};
    return sampled;
}

}  // namespace steerd::drill
