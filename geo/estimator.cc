#include "geo/estimator.h"

#include <bit>
#include <limits>
#include <optional>

#include "base/rng.h"

namespace steerd::geo {

std::size_t Estimator::HashLocation::operator()(const Location& at) const noexcept {
    return base::mix64(std::bit_cast<std::uint64_t>(at.latitude) +
                       base::mix64(std::bit_cast<std::uint64_t>(at.longitude)));
}

std::span<const double> Estimator::modelled(const Location& at) {
    const std::size_t regions = world_.regions().size();
    // -0 and 0 are one place and must have one hash.
    const Location key{at.latitude + 0.0, at.longitude + 0.0};
    const auto [entry, fresh] = index_.try_emplace(key, figures_.size());
    if (fresh) {
        const RttClient client(key);
        for (std::size_t i = 0; i < regions; ++i) {
            const RttTarget* const target = world_.target(i);
            figures_.push_back(target != nullptr ? target->estimate_ms(client)
                                                 : std::numeric_limits<double>::quiet_NaN());
        }
    }
    return std::span(figures_).subspan(entry->second, regions);
}

void Estimator::estimate(PlaceId place, std::span<double> out) {
    const std::optional<World::Stand> from = world_.stand(place);
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (const auto row = world_.measured(place, i)) {
            out[i] = row->row.rtt_ms;
        } else {
            out[i] = from ? modelled(from->location)[i] : std::numeric_limits<double>::quiet_NaN();
        }
    }
}

}  // namespace steerd::geo
