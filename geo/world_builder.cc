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
        by_key_.clear();  // latency groups are numbered for each family apart
        by_part_.fill({});
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
        std::size_t open = 0;  // sources that go on, and the last of them
        std::size_t last = 0;
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            if (!cursors[i].done) {
                sources_[i]->enter(cursors[i], start, depth);
                open += cursors[i].done ? 0 : 1;
                last = cursors[i].done ? last : i;
            }
        }
        const Key key = key_of(cursors);
        const PlaceId place = place_of(key);
        if (depth == 0 || (open > 0 && place != space_->partials[parent].place)) {
            parent = add_partial(start, depth, {parent, place});
        }
        if (open == 0) {
            add_cell(start, place);
            return;
        }
        if (open == 1) {
            lone_key_ = key;
            lone_ = last;
            split_lone(start, depth, cursors[last], {parent, place});
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

    /// The partial around a prefix, and its place.
    struct Around {
        std::uint32_t partial;
        PlaceId place;
    };

    /// descend() where only one source goes on, which is most of any large database: nothing else
    /// is carried along.
    void descend_lone(Bits start, unsigned depth, Cursor cursor, Around around) {
        const std::uint32_t before = cursor.current;
        sources_[lone_]->enter(cursor, start, depth);
        PlaceId place = around.place;
        if (cursor.current != before) {
            lone_key_[lone_] = cursor.current;
            place = place_of(lone_key_);
        }
        if (cursor.done) {
            add_cell(start, place);
            return;
        }
        if (place != around.place) {
            around = {add_partial(start, depth, {around.partial, place}), place};
        }
        split_lone(start, depth, cursor, around);
    }

    void split_lone(Bits start, unsigned depth, const Cursor& cursor, Around around) {
        CHECK(depth < base::bits_of(family_));
        const Bits middle = start | half_bit(depth);
        Cursor left;
        Cursor right;
        sources_[lone_]->split(cursor, middle, left, right);
        descend_lone(start, depth + 1, left, around);
        descend_lone(middle, depth + 1, right, around);
    }

    /// `found` holds for the prefix, within the partial that it names.
    std::uint32_t add_partial(Bits start, unsigned depth, Around found) {
        space_->partials.push_back(
            {base::IpPrefix(from_bits(family_, start), depth), found.partial, found.place});
        return static_cast<std::uint32_t>(space_->partials.size() - 1);
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

    [[nodiscard]] Key key_of(const Cursors& cursors) const {
        Key key;
        key.fill(Cursor::kNothing);
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            key[i] = cursors[i].current;
        }
        return key;
    }

    PlaceId place_of(const Key& key) {
        std::size_t known = 0;  // parts, and the last of them
        std::size_t last = 0;
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            known += key[i] == Cursor::kNothing ? 0 : 1;
            last = key[i] == Cursor::kNothing ? last : i;
        }
        PlaceId* place = nullptr;
        if (known == 1) {  // nearly all: no hashing
            auto& places = by_part_[last];
            if (places.size() <= key[last]) {
                places.resize(key[last] + std::size_t{1}, kUnset);
            }
            place = &places[key[last]];
        } else {
            place = &by_key_.try_emplace(key, kUnset).first->second;
        }
        if (*place == kUnset) {
            *place = join_facts(key);
        }
        return *place;
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
        PlaceId* id = nullptr;
        if (group == LatencyTable::kNone) {
            family = base::IpFamily::V4;  // without measured rows the family makes no difference
            if (unmeasured_.size() <= place) {
                unmeasured_.resize(place + std::size_t{1}, kUnset);
            }
            id = &unmeasured_[place];
        } else {
            const std::uint64_t both = std::uint64_t{place} << 32 | group;
            auto& measured = measured_[family == base::IpFamily::V4 ? 0 : 1];
            id = &measured.try_emplace(both, kUnset).first->second;
        }
        if (*id == kUnset) {
            *id = static_cast<PlaceId>(world_->entries_.size());
            world_->entries_.push_back({place, group, family});
        }
        return *id;
    }

    static constexpr PlaceId kUnset{UINT32_MAX};
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
    std::vector<PlaceId> unmeasured_;                         // by place
    std::unordered_map<std::uint64_t, PlaceId> measured_[2];  // by place and group
    // Of the family at hand:
    base::IpFamily family_ = base::IpFamily::V4;
    std::vector<std::unique_ptr<Source>> sources_;
    World::Space* space_ = nullptr;
    std::array<std::vector<PlaceId>, kMaxSources> by_part_;  // where one source alone knows a row
    std::unordered_map<Key, PlaceId, HashKey> by_key_;       // else
    Key lone_key_{};
    std::size_t lone_ = 0;
};

std::shared_ptr<const World> build_world(WorldInput input) {
    return WorldBuilder(std::move(input)).build();
}

}  // namespace steerd::geo
