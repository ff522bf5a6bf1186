// Two sweeps at most: the first gathers cohorts (clients that see the same on both sides and stand
// in one place), the second samples prefixes of those for whom a hash takes part.
// Thread rule: see forecast.h.
#include "policy/forecast.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "base/rng.h"
#include "geo/countries.h"
#include "geo/world.h"
#include "policy/forecast_judge.h"
#include "policy/forecast_walk.h"

namespace steerd::policy {

using config::index;

namespace {

constexpr unsigned kHashedBits4 = 24;
constexpr unsigned kHashedBits6 = 56;
/// Of one stretch of a demand row.
constexpr std::size_t kSamplesPerStretch = 8;

template <typename Key>
constexpr unsigned kHashedBits = sizeof(Key) == 4 ? kHashedBits4 : kHashedBits6;

base::IpAddress address_of(Key4 key) noexcept { return base::IpAddress::v4(key); }

base::IpAddress address_of(Key6 key) noexcept {
    std::array<std::uint8_t, 16> octets{};
    for (unsigned i = 0; i < 16; ++i) {
        octets[i] = static_cast<std::uint8_t>(key >> (120 - 8 * i));
    }
    return base::IpAddress::v6(octets);
}

template <typename Key>
std::uint64_t key_around(Key address) noexcept {
    return hash_key(base::IpPrefix(address_of(address), kHashedBits<Key>));
}

/// In addresses or /48s.
template <typename Key>
double size_of(const Piece<Key>& piece) noexcept {
    const double addresses = static_cast<double>(piece.last - piece.first) + 1;
    return sizeof(Key) == 4 ? addresses : std::ldexp(addresses, -80);
}

/// Where places stand: by PlaceId which group of places it is in, or none.
class Groups {
  public:
    Groups(const geo::World& world, bool map) {
        of_place_.reserve(world.place_count());
        for (std::size_t i = 0; i < world.place_count(); ++i) {
            const geo::Place& place = world.place(geo::PlaceId{static_cast<std::uint32_t>(i)});
            of_place_.push_back(place.known() ? group(place, map) : kNone);
        }
    }

    [[nodiscard]] std::uint32_t of(std::uint32_t place) const noexcept { return of_place_[place]; }

    [[nodiscard]] const std::vector<ForecastPlace>& all() const noexcept { return all_; }

  private:
    std::uint32_t group(const geo::Place& place, bool map) {
        std::optional<geo::Location> point = map ? place.location : std::nullopt;
        if (map && !point && place.country) {
            point = geo::representative_location(*place.country);
        }
        std::uint64_t key = 0;
        if (place.country) {
            const auto code = place.country->view();
            key = static_cast<std::uint64_t>(code[0]) << 40 | static_cast<std::uint64_t>(code[1])
                                                                  << 32;
        }
        if (point) {
            const auto row = static_cast<std::uint64_t>((point->latitude + 90) / kMapDegrees);
            const auto column = static_cast<std::uint64_t>((point->longitude + 180) / kMapDegrees);
            key |= 1 + row * 1024 + column;
            point = geo::Location{
                (static_cast<double>(row) + 0.5) * kMapDegrees - 90,
                std::min(180.0, (static_cast<double>(column) + 0.5) * kMapDegrees - 180)};
            point->latitude = std::min(90.0, point->latitude);
        }
        const auto [at, fresh] = ids_.try_emplace(key, static_cast<std::uint32_t>(all_.size()));
        if (fresh) {
            ForecastPlace out;
            out.country = place.country;
            out.location = point;
            all_.push_back(std::move(out));
        }
        return at->second;
    }

    std::vector<std::uint32_t> of_place_;
    std::unordered_map<std::uint64_t, std::uint32_t> ids_;
    std::vector<ForecastPlace> all_;
};

/// Clients that see the same on both sides and stand in one group of places.
struct CohortKey {
    std::uint32_t before = 0;  // classes
    std::uint32_t after = 0;
    std::uint32_t group = kNone;
    bool known_before = true;
    bool known_after = true;

    friend bool operator==(const CohortKey&, const CohortKey&) = default;
};

struct HashCohortKey {
    std::size_t operator()(const CohortKey& key) const noexcept {
        const std::uint64_t classes = static_cast<std::uint64_t>(key.before) << 32 | key.after;
        const std::uint64_t rest = static_cast<std::uint64_t>(key.group) << 2 |
                                   (key.known_before ? 2U : 0U) | (key.known_after ? 1U : 0U);
        return base::mix64(classes ^ base::mix64(rest));
    }
};

/// What was found out about a cohort by looking at some of its prefixes.
struct Sampled {
    double weight = 0;
    double moved = 0;
    Split before;
    Split after;

    void add(double part, const Split& from, const Split& to) {
        before.endpoints.resize(from.endpoints.size());
        after.endpoints.resize(to.endpoints.size());
        weight += part;
        moved += part * moved_between(from, to);
        const auto sum = [part](Split& into, const Split& what) {
            into.none += part * what.none;
            into.fail_open += part * what.fail_open;
            for (std::size_t i = 0; i < what.endpoints.size(); ++i) {
                into.endpoints[i] += part * what.endpoints[i];
            }
        };
        sum(before, from);
        sum(after, to);
    }
};

struct Cohort {
    double weight = 0;
    std::uint64_t first_key = 0;  // hash key of some client of it
    bool hashed = false;
    Sampled sampled;
};

class Forecaster {
  public:
    explicit Forecaster(const ForecastInput& input)
        : input_(input), judge_(input), groups_(*input.before.plan.world, input.map) {
        if (input.before.plan.world != input.after.plan.world) {
            groups_after_.emplace(*input.after.plan.world, input.map);
        }
    }

    Forecast run() {
        if (input_.demand) {
            walk_demand<Key4>(base::IpFamily::V4);
            walk_demand<Key6>(base::IpFamily::V6);
        } else if (input_.ask == Ask::Aaaa) {
            walk_space<Key6>();
        } else {
            walk_space<Key4>();
        }
        return sum_up();
    }

  private:
    template <typename Key>
    Cohort& cohort_of(const Piece<Key>& piece) {
        CohortKey key{piece.before.cls, piece.after.cls, groups_.of(piece.before.place), true,
                      true};
        const bool before = key.group != kNone;
        const bool after = groups_after_ ? groups_after_->of(piece.after.place) != kNone : before;
        if (!input_.demand) {
            key.known_before = before || !judge_.place_matters_before();
            key.known_after = after || !judge_.place_matters_after();
        }
        if (has_last_ && key == last_key_) {
            return *last_;
        }
        const auto [at, fresh] = cohorts_.try_emplace(key);
        if (fresh) {
            at->second.hashed = judge_.hashed(piece.before, piece.after);
            at->second.first_key = key_around(piece.first);
        }
        has_last_ = true;
        last_key_ = key;
        last_ = &at->second;  // nodes of an unordered_map stay where they are
        return at->second;
    }

    void sample(Cohort& cohort, const Seen& before, const Seen& after, std::uint64_t key,
                double weight) {
        const Split& from = judge_.before(before.cls, true, key);
        cohort.sampled.add(weight, from, judge_.after(after.cls, true, key));
    }

    /// Calls fn for each piece of the public address space.
    template <typename Key, typename Fn>
    static void each_public(const ForecastLayers<Key>& layers, Fn&& fn) {
        const Runs<Key> space = public_space<Key>();
        for (std::size_t i = 0; i < space.starts.size(); ++i) {
            if (space.values[i] != 0) {
                const bool ends = i + 1 < space.starts.size();
                const Key last = ends ? space.starts[i + 1] - 1 : static_cast<Key>(~Key{0});
                layers.walk(space.starts[i], last, fn);
            }
        }
    }

    template <typename Key>
    void walk_space() {
        const ForecastLayers<Key> layers(input_.before, input_.after);
        double hashed = 0;
        each_public(layers, [&](const Piece<Key>& piece) {
            Cohort& cohort = cohort_of(piece);
            const double size = size_of(piece);
            cohort.weight += size;
            hashed += cohort.hashed && known(last_key_) ? size : 0;
            ++out_.prefixes;
        });
        if (hashed <= 0) {
            return;
        }
        const double stride = hashed / static_cast<double>(kForecastSamples);
        double next = stride / 2;  // of the way along all hashed prefixes
        double passed = 0;
        each_public(layers, [&](const Piece<Key>& piece) {
            Cohort& cohort = cohort_of(piece);
            if (!cohort.hashed || !known(last_key_)) {
                return;
            }
            const double size = size_of(piece);
            for (; next < passed + size; next += stride) {
                const double part = std::clamp((next - passed) / size, 0.0, 1.0);
                sample(cohort, piece.before, piece.after, key_around(at(piece, part)), stride);
            }
            passed += size;
        });
    }

    static bool known(const CohortKey& key) noexcept { return key.known_before || key.known_after; }

    /// The address that far into a piece.
    template <typename Key>
    static Key at(const Piece<Key>& piece, double part) noexcept {
        const Key offset = static_cast<Key>(part * static_cast<double>(piece.last - piece.first));
        return piece.first + std::min<Key>(offset, piece.last - piece.first);
    }

    template <typename Key>
    void walk_demand(base::IpFamily family) {
        const auto of_family = [family](const DemandRow& row) {
            return row.prefix.address().family() == family;
        };
        if (std::none_of(input_.demand->begin(), input_.demand->end(), of_family)) {
            return;
        }
        const ForecastLayers<Key> layers(input_.before, input_.after);
        for (const DemandRow& row : *input_.demand) {
            if (!of_family(row)) {
                continue;
            }
            const Key first = key_of<Key>(row.prefix.address());
            const unsigned host = kKeyBits<Key> - row.prefix.length();
            const Key mask = host == kKeyBits<Key> ? static_cast<Key>(~Key{0})
                                                   : static_cast<Key>((Key{1} << host) - 1);
            const double size = static_cast<double>(mask) + 1;
            layers.walk(first, first | mask, [&](const Piece<Key>& piece) {
                const double part = (static_cast<double>(piece.last - piece.first) + 1) / size;
                add_demand(piece, row.weight * part);
            });
        }
    }

    template <typename Key>
    void add_demand(const Piece<Key>& piece, double weight) {
        Cohort& cohort = cohort_of(piece);
        cohort.weight += weight;
        ++out_.prefixes;
        if (!cohort.hashed) {
            return;
        }
        constexpr unsigned kShift = kKeyBits<Key> - kHashedBits<Key>;
        const Key prefixes = (piece.last >> kShift) - (piece.first >> kShift);
        const std::size_t count = prefixes >= kSamplesPerStretch
                                      ? kSamplesPerStretch
                                      : static_cast<std::size_t>(prefixes) + 1;
        for (std::size_t i = 0; i < count; ++i) {
            const double part = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
            sample(cohort, piece.before, piece.after, key_around(at(piece, part)),
                   weight / static_cast<double>(count));
        }
    }

    Forecast sum_up() {
        out_.endpoints = judge_.endpoints();
        out_.places = groups_.all();
        prepare(out_.before);
        prepare(out_.after);
        for (ForecastPlace& place : out_.places) {
            prepare(place.before);
            prepare(place.after);
        }
        for (auto& [key, cohort] : cohorts_) {
            if (cohort.weight > 0) {
                add_cohort(key, cohort);
            }
        }
        std::erase_if(out_.places, [](const ForecastPlace& place) { return place.weight <= 0; });
        return std::move(out_);
    }

    void prepare(Amounts& amounts) const { amounts.endpoints.assign(out_.endpoints.size(), 0.0); }

    void add_cohort(const CohortKey& key, Cohort& cohort) {
        Sampled& found = cohort.sampled;
        if (found.weight <= 0 && known(key)) {
            const Split& from = judge_.before(key.before, cohort.hashed, cohort.first_key);
            found.add(1, from, judge_.after(key.after, cohort.hashed, cohort.first_key));
        }
        out_.sampled += cohort.hashed && known(key) ? cohort.weight : 0;
        out_.total += cohort.weight;
        const double scale = found.weight > 0 ? cohort.weight / found.weight : 0;
        const bool both = key.known_before && key.known_after;
        out_.moved += both ? found.moved * scale : 0;
        put(out_.before, found.before, scale, key.known_before ? 0 : cohort.weight);
        put(out_.after, found.after, scale, key.known_after ? 0 : cohort.weight);
        if (key.group == kNone) {
            return;
        }
        ForecastPlace& place = out_.places[key.group];
        place.weight += cohort.weight;
        place.moved += both ? found.moved * scale : 0;
        put(place.before, found.before, scale, key.known_before ? 0 : cohort.weight);
        put(place.after, found.after, scale, key.known_after ? 0 : cohort.weight);
    }

    static void put(Amounts& into, const Split& split, double scale, double unknown) {
        into.unknown += unknown;
        if (unknown > 0) {
            return;
        }
        into.none += split.none * scale;
        into.fail_open += split.fail_open * scale;
        for (std::size_t i = 0; i < split.endpoints.size(); ++i) {
            into.endpoints[i] += split.endpoints[i] * scale;
        }
    }

    const ForecastInput& input_;
    ForecastJudge judge_;
    Groups groups_;
    std::optional<Groups> groups_after_;
    std::unordered_map<CohortKey, Cohort, HashCohortKey> cohorts_;
    bool has_last_ = false;
    CohortKey last_key_;
    Cohort* last_ = nullptr;
    Forecast out_;
};

}  // namespace

Forecast forecast(const ForecastInput& input) { return Forecaster(input).run(); }

std::optional<SteeredId> find_steered(const Plan& plan, const dns::Name& name, Ask ask) {
    const auto* slot = plan.zone_set.find(name);
    if (slot == nullptr || slot->zone == nullptr) {
        return std::nullopt;
    }
    const auto type = ask == Ask::Aaaa ? dns::RrType::AAAA : dns::RrType::A;
    const auto finding = slot->zone->lookup(name, type);
    if (finding.kind != zones::FindingKind::Steered) {
        return std::nullopt;
    }
    const auto zone = static_cast<std::size_t>(slot - plan.zone_set.slots().data());
    return SteeredId{plan.zones[zone].first_steered + static_cast<std::uint32_t>(finding.steer)};
}

}  // namespace steerd::policy
