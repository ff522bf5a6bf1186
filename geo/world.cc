#include "geo/world.h"

#include <algorithm>

#include "base/check.h"
#include "geo/address_bits.h"
#include "geo/countries.h"
#include "geo/rtt_model.h"

namespace steerd::geo {

World::World(std::vector<Region> regions, std::optional<Location> node)
    : regions_(std::move(regions)), node_(node), places_(1), entries_(1) {
    for (const Region& region : regions_) {
        const std::optional<Location> point = region.location || !region.country
                                                  ? region.location
                                                  : representative_location(*region.country);
        region_targets_.push_back(point ? std::optional<RttTarget>(*point) : std::nullopt);
    }
    entries_[0] = {0, LatencyTable::kNone, base::IpFamily::V4};
    spaces_[0].starts4 = {0};
    spaces_[1].starts6 = {{}};
    for (Space& each : spaces_) {
        each.places = {PlaceId{}};
    }
    for (const base::IpFamily family : {base::IpFamily::V4, base::IpFamily::V6}) {
        spaces_[family == base::IpFamily::V4 ? 0 : 1].partials = {
            {base::IpPrefix(base::IpAddress::from_octets(family, {}), 0), 0, PlaceId{}}};
    }
}

std::optional<std::size_t> World::region_index(std::string_view name) const noexcept {
    const auto at = std::find_if(regions_.begin(), regions_.end(),
                                 [&](const Region& region) { return region.name == name; });
    return at == regions_.end() ? std::nullopt : std::optional<std::size_t>(at - regions_.begin());
}

std::size_t World::cell_count(base::IpFamily family) const noexcept {
    return space(family).places.size();
}

base::IpAddress World::cell_first(base::IpFamily family, std::size_t i) const noexcept {
    const Space& in = space(family);
    if (family == base::IpFamily::V4) {
        return base::IpAddress::v4(in.starts4[i]);
    }
    return from_bits(family, static_cast<Bits>(in.starts6[i].high) << 64 | in.starts6[i].low);
}

base::IpAddress World::cell_last(base::IpFamily family, std::size_t i) const noexcept {
    // The address behind the last address is the next cell's first, or wraps around to 0.
    const bool last = i + 1 == cell_count(family);
    const Bits next = last ? Bits{0} : to_bits(cell_first(family, i + 1));
    const Bits one = family == base::IpFamily::V4 ? Bits{1} << 96 : Bits{1};
    return from_bits(family, next - one);
}

PlaceId World::cell_place(base::IpFamily family, std::size_t i) const noexcept {
    return space(family).places[i];
}

std::size_t World::cell_at(const base::IpAddress& address) const noexcept {
    const Space& in = space(address.family());
    const auto index = [](const auto& starts, const auto& wanted) {
        return static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), wanted) -
                                        starts.begin() - 1);
    };
    if (address.is_v4()) {
        return index(in.starts4, address.v4_value());
    }
    return index(in.starts6, Address6{address.v6_high(), address.v6_low()});
}

PlaceId World::locate(const base::IpPrefix& prefix) const noexcept {
    const base::IpFamily family = prefix.address().family();
    const std::size_t cell = cell_at(prefix.address());
    const Bits last = to_bits(prefix.address()) | open_bits(prefix.length());
    const Bits cell_end =
        to_bits(cell_last(family, cell)) | (family == base::IpFamily::V4 ? open_bits(32) : Bits{0});
    if (last <= cell_end) {
        return cell_place(family, cell);
    }
    // The widest partial around an address comes first, so the one wanted, or one that stands
    // within it, is the last that is not behind the prefix.
    const std::vector<Partial>& partials = space(family).partials;
    auto at = std::upper_bound(
        partials.begin(), partials.end(), prefix,
        [](const base::IpPrefix& wanted, const Partial& p) { return wanted < p.prefix; });
    auto found = static_cast<std::size_t>(at - partials.begin() - 1);
    while (!partials[found].prefix.contains(prefix)) {
        found = partials[found].parent;
    }
    return partials[found].place;
}

const Place& World::place(PlaceId id) const noexcept {
    return places_[entries_[static_cast<std::size_t>(id)].place];
}

std::optional<Measured> World::measured(PlaceId id, std::size_t region) const noexcept {
    const Entry& entry = entries_[static_cast<std::size_t>(id)];
    const Place& place = places_[entry.place];
    const auto fit = latency_.find(entry.family, entry.latency_group, place, region);
    if (fit || (region_targets_[region] && stand(id))) {
        return fit;
    }
    return latency_.find_any(entry.family, entry.latency_group, place, region);
}

std::optional<Measured> World::set_aside(PlaceId id, std::size_t region) const noexcept {
    const Entry& entry = entries_[static_cast<std::size_t>(id)];
    const auto any =
        latency_.find_any(entry.family, entry.latency_group, places_[entry.place], region);
    const auto used = measured(id, region);
    return any && used && any->client == used->client ? std::nullopt : any;
}

std::optional<World::Stand> World::stand(PlaceId id) const noexcept {
    const Place& from = place(id);
    if (from.location) {
        return Stand{*from.location, Estimate::Basis::Location};
    }
    if (const auto point = from.country ? representative_location(*from.country) : std::nullopt) {
        return Stand{*point, Estimate::Basis::Country};
    }
    return node_ ? std::optional(Stand{*node_, Estimate::Basis::Node}) : std::nullopt;
}

Estimate World::estimate(PlaceId id, std::size_t region) const noexcept {
    CHECK(region < regions_.size());
    Estimate estimate;
    if (const auto row = measured(id, region)) {
        estimate.rtt_ms = row->row.rtt_ms;
        estimate.source = Estimate::Source::Row;
        estimate.samples = row->row.samples;
        estimate.age_days = row->row.age_days;
        return estimate;
    }
    const std::optional<Stand> from = stand(id);
    if (from && region_targets_[region]) {
        estimate.rtt_ms = region_targets_[region]->estimate_ms(RttClient(from->location));
        estimate.source = Estimate::Source::Model;
        estimate.basis = from->basis;
    }
    return estimate;
}

}  // namespace steerd::geo
