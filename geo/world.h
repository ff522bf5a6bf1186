// The flattened world: every geo source joined once at load, so that all views are compiled from
// one list of cells and no database is read while serving.
//
// A cell is one prefix on which all sources say one thing; the cells of a family cover its whole
// address space without gap or overlap. A partial is a wider prefix that some rows already hold for
// while others still split below it: an ECS source shorter than a cell is classified by its partial
// alone, since a row longer than the source prefix does not match (RFC 7871 §7.2.1).
// IPv4-mapped and 6to4 clients are the caller's business: base::normalised() before asking here.
// Thread rule: immutable once built.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "geo/latency_table.h"
#include "geo/place.h"
#include "geo/rtt_model.h"

namespace steerd::geo {

/// A distinct combination of facts and measured rows; dense from 0, and 0 is "nothing known".
enum class PlaceId : std::uint32_t {};

/// A region as geo needs it; without a location its country's largest city stands for it.
struct Region {
    std::string name;
    std::optional<Location> location;
    std::optional<CountryCode> country;
};

/// The round trip from a place to a region, and where the figure comes from.
struct Estimate {
    enum class Source : std::uint8_t { Row, Model, None };
    /// What the model took for the client's coordinates.
    enum class Basis : std::uint8_t { None, Location, Country, Node };
    double rtt_ms = 0;
    Source source = Source::None;
    Basis basis = Basis::None;             ///< None unless source is Model
    std::optional<std::uint32_t> samples;  ///< of a row that says so
    std::optional<double> age_days;

    [[nodiscard]] bool known() const noexcept { return source != Source::None; }
};

class World {
  public:
    /// Knows nothing of any address; estimates come from the node's location alone.
    World(std::vector<Region> regions, std::optional<Location> node);

    [[nodiscard]] const std::vector<Region>& regions() const noexcept { return regions_; }

    [[nodiscard]] std::optional<std::size_t> region_index(std::string_view name) const noexcept;

    /// Number of PlaceIds.
    [[nodiscard]] std::size_t place_count() const noexcept { return entries_.size(); }

    /// The facts from all rows not longer than the prefix. REQUIRES: normalised.
    [[nodiscard]] PlaceId locate(const base::IpPrefix& prefix) const noexcept;
    [[nodiscard]] const Place& place(PlaceId id) const noexcept;
    /// The measured row for this region: of the longest prefix that has one, else of the ASN, the
    /// country, the continent; thin and old rows only where the model has nothing to say.
    /// REQUIRES: region < regions().size().
    [[nodiscard]] std::optional<Measured> measured(PlaceId id, std::size_t region) const noexcept;
    /// The row that would have counted, were it not thin or old. REQUIRES: as measured().
    [[nodiscard]] std::optional<Measured> set_aside(PlaceId id, std::size_t region) const noexcept;

    /// Where the model takes a place to stand, and why; nullopt when nobody knows.
    struct Stand {
        Location location;
        Estimate::Basis basis = Estimate::Basis::None;
    };

    [[nodiscard]] std::optional<Stand> stand(PlaceId id) const noexcept;

    /// Null where a region has neither coordinates nor a country. REQUIRES: as measured().
    [[nodiscard]] const RttTarget* target(std::size_t region) const noexcept {
        return region_targets_[region] ? &*region_targets_[region] : nullptr;
    }

    /// measured(), else the model from the place's coordinates, its country's largest city or, when
    /// neither is known, the node's location; None without any of them.
    [[nodiscard]] Estimate estimate(PlaceId id, std::size_t region) const noexcept;
    [[nodiscard]] std::size_t cell_count(base::IpFamily family) const noexcept;

    /// All cells in address order as fn(first address, last address, PlaceId); each is one prefix.
    template <typename Fn>
    void for_each_range(base::IpFamily family, Fn&& fn) const {
        const std::size_t count = cell_count(family);
        for (std::size_t i = 0; i < count; ++i) {
            fn(cell_first(family, i), cell_last(family, i), cell_place(family, i));
        }
    }

    /// All partials as fn(IpPrefix, PlaceId), wider before narrower; the first has length 0.
    template <typename Fn>
    void for_each_partial(base::IpFamily family, Fn&& fn) const {
        for (const Partial& partial : space(family).partials) {
            fn(partial.prefix, partial.place);
        }
    }

  private:
    friend class WorldBuilder;

    struct Address6 {
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        friend auto operator<=>(const Address6&, const Address6&) = default;
    };

    struct Partial {
        base::IpPrefix prefix;
        std::uint32_t parent = 0;  // index of the next wider one
        PlaceId place{};
    };

    /// The cells of one family; starts are kept apart from places to waste no octet on padding.
    struct Space {
        std::vector<std::uint32_t> starts4;
        std::vector<Address6> starts6;
        std::vector<PlaceId> places;
        std::vector<Partial> partials;
    };

    struct Entry {
        std::uint32_t place;          // index into places_
        std::uint32_t latency_group;  // of the family below, or kNone
        base::IpFamily family;
    };

    [[nodiscard]] const Space& space(base::IpFamily family) const noexcept {
        return spaces_[family == base::IpFamily::V4 ? 0 : 1];
    }

    [[nodiscard]] base::IpAddress cell_first(base::IpFamily family, std::size_t i) const noexcept;
    [[nodiscard]] base::IpAddress cell_last(base::IpFamily family, std::size_t i) const noexcept;
    [[nodiscard]] PlaceId cell_place(base::IpFamily family, std::size_t i) const noexcept;
    [[nodiscard]] std::size_t cell_at(const base::IpAddress& address) const noexcept;

    std::vector<Region> regions_;
    std::vector<std::optional<RttTarget>> region_targets_;
    std::optional<Location> node_;
    std::vector<std::unique_ptr<const std::string>> source_names_;
    std::vector<Place> places_;
    std::vector<Entry> entries_;
    Space spaces_[2];
    LatencyTable latency_;
};

}  // namespace steerd::geo
