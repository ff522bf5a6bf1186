#include "geo/world_builder.h"

#include <array>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "geo/address_bits.h"
#include "geo/countries.h"
#include "geo/intern.h"
#include "geo/sources.h"

namespace steerd::geo {

namespace {

// Networks, databases, the country table, and the measured rows.
constexpr std::size_t kMaxSources = kMaxDatabases + 3;

using Key = std::array<std::uint32_t, kMaxSources>;

struct HashKey {
    std::size_t operator()(const Key& key) const noexcept {
        std::uint64_t hash = 0;
        for (const std::uint32_t part : key) {
            hash = hash_step(hash, part);
        }
        return hash;
    }
};

}  // namespace

class WorldBuilder {
  public:
    explicit WorldBuilder(WorldInput input) : input_(std::move(input)) {}

    std::shared_ptr<const World> build() {
        world_ = std::make_shared<World>(input_.regions, input_.node);
        CHECK(input_.databases.size() <= kMaxDatabases);
        name_sources();
        static_cast<void>(places_.index_of(Place{}));
        world_->entries_.clear();
        add_entry(0, LatencyTable::kNone, base::IpFamily::V4);  // PlaceId 0: nothing known
        for (const base::IpFamily family : {base::IpFamily::V4, base::IpFamily::V6}) {
            join(family);
        }
        world_->places_ = places_.take();
        world_->places_.shrink_to_fit();
        world_->latency_ = std::move(input_.latency);
        return world_;
    }

  private:
    using Cursors = std::array<Cursor, kMaxSources>;

    void name_source(const std::vector<Facts>& facts, std::string name) {
        world_->source_names_.push_back(std::make_unique<const std::string>(std::move(name)));
        fact_sources_.push_back({&facts, *world_->source_names_.back()});
    }

    void name_sources() {
        for (const Network& network : input_.networks) {
            network_facts_.push_back(network.facts);
        }
        name_source(network_facts_, "networks");
        for (const NamedDatabase& named : input_.databases) {
            name_source(named.database.facts(), named.name);
        }
        if (input_.country_table) {
            name_source(input_.country_table->facts(), "country table");
        }
    }

    [[nodiscard]] std::vector<RowSource::Row> network_rows() const {
        std::vector<RowSource::Row> rows;
        for (std::size_t i = 0; i < input_.networks.size(); ++i) {
            const base::IpPrefix& prefix = input_.networks[i].prefix;
            if (prefix.address().family() == family_) {
                rows.push_back(
                    {to_bits(prefix.address()), static_cast<std::uint32_t>(i), prefix.length()});
            }
        }
        return rows;
    }

    [[nodiscard]] std::vector<RowSource::Row> latency_rows() const {
        const auto groups = input_.latency.groups(family_);
        std::vector<RowSource::Row> rows;
        rows.reserve(groups.size());
        for (std::size_t i = 0; i < groups.size(); ++i) {
            rows.push_back({to_bits(groups[i].prefix.address()), static_cast<std::uint32_t>(i),
                            groups[i].prefix.length()});
        }
        return rows;
    }

    /// All cells and partials of one family.
    void join(base::IpFamily family) {
        family_ = family;
        sources_.clear();
        sources_.push_back(std::make_unique<RowSource>(network_rows()));
        for (const NamedDatabase& named : input_.databases) {
            sources_.push_back(std::make_unique<DatabaseSource>(named.database, family));
        }
        if (input_.country_table) {
            sources_.push_back(std::make_unique<RangeSource>(input_.country_table->ranges(family)));
        }
        sources_.push_back(std::make_unique<RowSource>(latency_rows()));
        keys_.clear();  // latency groups are numbered for each family apart
        has_last_ = false;
        space_ = &world_->spaces_[family == base::IpFamily::V4 ? 0 : 1];
        *space_ = {};
        Cursors cursors;
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            cursors[i] = sources_[i]->root();
        }
        descend(0, 0, cursors, 0);
        space_->starts4.shrink_to_fit();
        space_->starts6.shrink_to_fit();
        space_->places.shrink_to_fit();
        space_->partials.shrink_to_fit();
    }

    void descend(Bits start, unsigned depth, Cursors& cursors, std::uint32_t parent) {
        bool done = true;
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            if (!cursors[i].done) {
                sources_[i]->enter(cursors[i], start, depth);
                done = done && cursors[i].done;
            }
        }
        const PlaceId place = place_of(cursors);
        if (depth == 0 || (!done && place != space_->partials[parent].place)) {
            const auto index = static_cast<std::uint32_t>(space_->partials.size());
            space_->partials.push_back(
                {base::IpPrefix(from_bits(family_, start), depth), parent, place});
            parent = index;
        }
        if (done) {
            add_cell(start, place);
            return;
        }
        CHECK(depth < base::bits_of(family_));
        const Bits middle = start | half_bit(depth);
        Cursors left = cursors;
        Cursors right = cursors;
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            if (!cursors[i].done) {
                sources_[i]->split(cursors[i], middle, left[i], right[i]);
            }
        }
        descend(start, depth + 1, left, parent);
        descend(middle, depth + 1, right, parent);
    }

    void add_cell(Bits start, PlaceId place) {
        if (family_ == base::IpFamily::V4) {
            space_->starts4.push_back(static_cast<std::uint32_t>(start >> 96));
        } else {
            space_->starts6.push_back(
                {static_cast<std::uint64_t>(start >> 64), static_cast<std::uint64_t>(start)});
        }
        space_->places.push_back(place);
    }

    PlaceId place_of(const Cursors& cursors) {
        Key key;
        key.fill(Cursor::kNothing);
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            key[i] = cursors[i].current;
        }
        if (!has_last_ || key != last_key_) {
            const auto [at, added] = keys_.try_emplace(key, PlaceId{});
            if (added) {
                at->second = join_facts(key);
            }
            last_key_ = key;
            last_place_ = at->second;
            has_last_ = true;
        }
        return last_place_;
    }

    /// The first source that knows a fact wins, fact by fact.
    PlaceId join_facts(const Key& key) {
        Place place;
        for (std::size_t i = 0; i < fact_sources_.size(); ++i) {
            if (key[i] != Cursor::kNothing) {
                const Facts& facts = (*fact_sources_[i].facts)[key[i]];
                if (!place.known() && facts.known()) {
                    place.source = fact_sources_[i].name;
                }
                merge(place, facts);
            }
        }
        return add_entry(places_.index_of(place), key[fact_sources_.size()], family_);
    }

    PlaceId add_entry(std::uint32_t place, std::uint32_t group, base::IpFamily family) {
        if (group == LatencyTable::kNone) {
            family = base::IpFamily::V4;  // without measured rows the family makes no difference
        }
        const std::uint64_t both = std::uint64_t{place} << 32 | group;
        auto& known = entry_index_[family == base::IpFamily::V4 ? 0 : 1];
        const auto [at, added] =
            known.try_emplace(both, static_cast<PlaceId>(world_->entries_.size()));
        if (added) {
            world_->entries_.push_back({place, group, family});
        }
        return at->second;
    }

    static_assert(Cursor::kNothing == LatencyTable::kNone);
    static_assert(Cursor::kNothing == Database::kNoFacts);

    /// A source of facts and the name that a place gives for it.
    struct Named {
        const std::vector<Facts>* facts;
        std::string_view name;
    };

    WorldInput input_;
    std::shared_ptr<World> world_;
    std::vector<Facts> network_facts_;
    std::vector<Named> fact_sources_;
    Interner<Place, HashFacts> places_;
    std::unordered_map<std::uint64_t, PlaceId> entry_index_[2];
    // Of the family at hand:
    base::IpFamily family_ = base::IpFamily::V4;
    std::vector<std::unique_ptr<Source>> sources_;
    World::Space* space_ = nullptr;
    std::unordered_map<Key, PlaceId, HashKey> keys_;
    Key last_key_{};
    PlaceId last_place_{};
    bool has_last_ = false;
};

std::shared_ptr<const World> build_world(WorldInput input) {
    return WorldBuilder(std::move(input)).build();
}

}  // namespace steerd::geo
