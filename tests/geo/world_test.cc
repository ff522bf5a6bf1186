// The joined world against a naive reading of every source, row by row.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/rng.h"
#include "geo/estimator.h"
#include "geo/rtt_model.h"
#include "geo/world_builder.h"
#include "tests/geo/helpers.h"
#include "tests/geo/mmdb_writer.h"

namespace steerd::geo {
namespace {

using base::IpAddress;
using base::IpFamily;
using base::IpPrefix;
using base::Rng;
using testing::in_country;
using testing::ip;
using testing::MmdbWriter;
using testing::net;

constexpr IpFamily kFamilies[] = {IpFamily::V4, IpFamily::V6};
const std::vector<std::string> kRegionNames = {"tokyo", "frankfurt", "virginia"};

std::vector<Region> regions() {
    return {{"tokyo", Location{35.68, 139.69}, {}},
            {"frankfurt", Location{50.11, 8.68}, {}},
            {"virginia", Location{38.95, -77.45}, {}}};
}

/// Addresses that share many leading bits, so that rows nest and touch.
IpAddress random_address(Rng& rng, IpFamily family) {
    std::array<std::uint8_t, 16> octets{};
    const std::size_t size = family == IpFamily::V4 ? 4 : 16;
    for (std::size_t i = 0; i < size; ++i) {
        octets[i] =
            static_cast<std::uint8_t>(rng.below(4) == 0 ? rng.below(256) : rng.below(2) * 255);
    }
    if (family == IpFamily::V6) {
        octets[0] = 0x20;
        octets[1] = 0x01;  // not 6to4, which would be IPv4
    }
    return IpAddress::from_octets(family, std::span(octets).first(size));
}

IpPrefix random_prefix(Rng& rng, IpFamily family, unsigned longest) {
    const auto length = static_cast<unsigned>(rng.below(longest + 1));
    return IpPrefix(random_address(rng, family), length);
}

Facts random_facts(Rng& rng) {
    constexpr const char* kCodes[] = {"JP", "DE", "US", "EU", "BR"};
    Facts facts;
    if (rng.below(3) > 0) {
        facts = in_country(kCodes[rng.below(5)]);
    }
    if (facts.country && *facts.country == "US" && rng.below(2) == 0) {
        facts.subdivision = parse_subdivision("US-CA");
    }
    if (rng.below(3) == 0) {
        facts.asn = static_cast<std::uint32_t>(64500 + rng.below(4));
    }
    if (rng.below(3) == 0) {
        facts.location = Location{static_cast<double>(rng.below(8)) * 10 + 1,
                                  static_cast<double>(rng.below(8)) * 20 + 1};
    }
    return facts;
}

/// One source as rows; the longest row around a prefix that is not longer than it counts.
using Rows = std::map<IpPrefix, Facts>;

std::optional<IpPrefix> longest_row(const auto& rows, const IpPrefix& client) {
    std::optional<IpPrefix> best;
    for (const auto& [prefix, unused] : rows) {
        if (prefix.contains(client) && (!best || prefix.length() > best->length())) {
            best = prefix;
        }
    }
    return best;
}

/// Rows of a binary tree never nest: writes down the leaves that inserting in order makes.
void insert_as_leaf(Rows& leaves, const IpPrefix& prefix, const Facts& facts) {
    Rows kept;
    for (const auto& [leaf, held] : leaves) {
        if (prefix.contains(leaf)) {
            continue;
        }
        if (!leaf.contains(prefix)) {
            kept.emplace(leaf, held);
            continue;
        }
        // Cut the leaf along the path: the half without the prefix keeps what it held.
        for (unsigned depth = leaf.length(); depth < prefix.length(); ++depth) {
            IpPrefix half(prefix.address(), depth + 1);
            std::array<std::uint8_t, 16> octets{};
            const auto from = half.address().octets();
            std::copy(from.begin(), from.end(), octets.begin());
            octets[depth / 8] = static_cast<std::uint8_t>(octets[depth / 8] ^ (0x80U >> depth % 8));
            kept.emplace(IpPrefix(IpAddress::from_octets(prefix.address().family(),
                                                         std::span(octets).first(from.size())),
                                  depth + 1),
                         held);
        }
    }
    kept.emplace(prefix, facts);
    leaves = std::move(kept);
}

struct Scene {
    std::vector<Network> networks;
    std::vector<Rows> databases;
    std::string latency = "client,region,rtt_ms\n";
    std::map<IpPrefix, std::map<std::size_t, double>> measured;
    std::shared_ptr<const World> world;
};

Scene random_scene(std::uint64_t seed) {
    Rng rng(seed);
    Scene scene;
    WorldInput input;
    input.regions = regions();
    base::Problems problems;
    const testing::TempFolder folder;
    for (const IpFamily family : kFamilies) {
        for (std::uint64_t i = rng.below(12); i > 0; --i) {
            scene.networks.push_back(
                {random_prefix(rng, family, base::bits_of(family)), random_facts(rng), {}});
        }
    }
    base::Problems twice;  // random rows may repeat a prefix: the first stays
    scene.networks = prepare_networks(scene.networks, twice);
    input.networks = scene.networks;
    for (std::uint64_t d = rng.below(4); d > 0; --d) {
        MmdbWriter::Options options;
        options.record_size = d % 2 == 0 ? 24 : 28;
        options.aliases = true;
        MmdbWriter writer(options);
        Rows rows;
        for (const IpFamily family : kFamilies) {
            for (std::uint64_t i = 1 + rng.below(15); i > 0; --i) {
                const IpPrefix prefix(
                    random_address(rng, family),
                    static_cast<unsigned>(3 + rng.below(base::bits_of(family) - 2)));
                const Facts facts = random_facts(rng);
                writer.insert(prefix, facts);
                insert_as_leaf(rows, prefix, facts);
            }
        }
        writer.insert(net("255.255.255.255"), in_country("JP"));  // some fact in each
        insert_as_leaf(rows, net("255.255.255.255"), in_country("JP"));
        writer.write(folder / "db");
        auto database = Database::open(folder / "db");
        EXPECT_TRUE(database) << database.error();
        input.databases.push_back(
            {"db" + std::to_string(scene.databases.size()), std::move(*database)});
        scene.databases.push_back(std::move(rows));
    }
    for (std::uint64_t i = rng.below(20); i > 0; --i) {
        const IpPrefix prefix =
            random_prefix(rng, kFamilies[i % 2], base::bits_of(kFamilies[i % 2]));
        const std::size_t region = rng.below(kRegionNames.size());
        const auto rtt = static_cast<double>(rng.below(300));
        scene.latency += prefix.text() + "," + kRegionNames[region] + "," +
                         std::to_string(static_cast<int>(rtt)) + "\n";
        scene.measured[prefix][region] = rtt;
    }
    scene.latency += "AS64500,tokyo,500\ncountry:DE,tokyo,600\ncontinent:EU,tokyo,700\n";
    input.latency = LatencyTable::parse(scene.latency, "latency.csv", kRegionNames, problems);
    scene.world = build_world(std::move(input));
    return scene;
}

Facts naive_facts(const Scene& scene, const IpPrefix& client) {
    Facts facts;
    const Network* best = nullptr;
    for (const Network& row : scene.networks) {
        if (row.prefix.contains(client) &&
            (best == nullptr || row.prefix.length() > best->prefix.length())) {
            best = &row;
        }
    }
    if (best != nullptr) {
        facts = best->facts;
    }
    for (const Rows& rows : scene.databases) {
        if (const auto row = longest_row(rows, client)) {
            merge(facts, rows.at(*row));
        }
    }
    return facts;
}

std::optional<double> naive_measured(const Scene& scene, const IpPrefix& client, const Facts& facts,
                                     std::size_t region) {
    std::optional<IpPrefix> best;
    for (const auto& [prefix, row] : scene.measured) {
        if (prefix.contains(client) && row.count(region) > 0 &&
            (!best || prefix.length() > best->length())) {
            best = prefix;
        }
    }
    if (best) {
        return scene.measured.at(*best).at(region);
    }
    if (region != 0) {
        return std::nullopt;
    }
    if (facts.asn == 64500U) {
        return 500;
    }
    if (facts.country == parse_country("DE")) {
        return 600;
    }
    return facts.continent == parse_continent("EU") ? std::optional(700.0) : std::nullopt;
}

void expect_same(const Scene& scene, const IpPrefix& client, PlaceId id) {
    const Facts expected = naive_facts(scene, client);
    const Facts& got = scene.world->place(id);
    ASSERT_EQ(got, expected) << client.text();
    for (std::size_t region = 0; region < kRegionNames.size(); ++region) {
        const auto row = scene.world->measured(id, region);
        const auto naive = naive_measured(scene, client, expected, region);
        ASSERT_EQ(row.has_value(), naive.has_value()) << client.text() << " region " << region;
        if (row) {
            ASSERT_EQ(row->row.rtt_ms, *naive) << client.text();
        }
    }
}

TEST(World, LocateAgreesWithReadingRowByRow) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const Scene scene = random_scene(seed);
        Rng rng(seed + 1000);
        for (int i = 0; i < 150; ++i) {
            const IpFamily family = kFamilies[i % 2];
            const IpPrefix client =
                i % 3 == 0 ? IpPrefix(random_address(rng, family), base::bits_of(family))
                           : random_prefix(rng, family, base::bits_of(family));
            expect_same(scene, client, scene.world->locate(client));
            if (HasFatalFailure()) {
                FAIL() << "seed " << seed;
            }
        }
    }
}

IpAddress next(const IpAddress& address) {
    std::array<std::uint8_t, 16> octets{};
    const auto from = address.octets();
    std::copy(from.begin(), from.end(), octets.begin());
    for (std::size_t i = from.size(); i-- > 0 && ++octets[i] == 0;) {
    }
    return IpAddress::from_octets(address.family(), std::span(octets).first(from.size()));
}

TEST(World, CellsCoverAllWithoutGapOrOverlapAndEachIsOnePrefix) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Scene scene = random_scene(seed);
        for (const IpFamily family : kFamilies) {
            IpAddress expected = IpAddress::from_octets(family, {});
            IpAddress end;
            std::size_t count = 0;
            scene.world->for_each_range(
                family, [&](const IpAddress& first, const IpAddress& last, PlaceId id) {
                    ASSERT_EQ(first, expected);
                    ASSERT_LE(first, last);
                    unsigned length = 0;
                    while (!IpPrefix(first, length).contains(last) ||
                           IpPrefix(first, length).address() != first) {
                        ++length;
                    }
                    while (length < base::bits_of(family) &&
                           IpPrefix(first, length + 1).contains(last)) {
                        ++length;
                    }
                    const IpPrefix cell(first, length);
                    ASSERT_FALSE(cell.contains(next(last)) && next(last) != first) << cell.text();
                    expect_same(scene, cell, id);
                    expected = next(last);
                    end = last;
                    ++count;
                });
            EXPECT_EQ(expected, IpAddress::from_octets(family, {}));  // wrapped around
            EXPECT_EQ(count, scene.world->cell_count(family));
            EXPECT_NE(end, expected);
        }
    }
}

TEST(World, PartialsStartAtTheRootAndHoldWhatTheirRowsSay) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Scene scene = random_scene(seed);
        for (const IpFamily family : kFamilies) {
            std::optional<IpPrefix> before;
            scene.world->for_each_partial(family, [&](const IpPrefix& prefix, PlaceId id) {
                if (!before) {
                    EXPECT_EQ(prefix.length(), 0U);
                } else {
                    EXPECT_LT(*before, prefix);
                }
                before = prefix;
                expect_same(scene, prefix, id);
            });
            EXPECT_TRUE(before);
        }
    }
}

TEST(World, TheSameInputGivesTheSameWorld) {
    const Scene a = random_scene(5);
    const Scene b = random_scene(5);
    ASSERT_EQ(a.world->place_count(), b.world->place_count());
    for (std::size_t i = 0; i < a.world->place_count(); ++i) {
        const auto id = static_cast<PlaceId>(i);
        EXPECT_EQ(a.world->place(id), b.world->place(id));
    }
    for (const IpFamily family : kFamilies) {
        std::vector<std::pair<IpAddress, PlaceId>> cells[2];
        int which = 0;
        for (const Scene* scene : {&a, &b}) {
            scene->world->for_each_range(
                family, [&](const IpAddress& first, const IpAddress& /*last*/, PlaceId id) {
                    cells[which].emplace_back(first, id);
                });
            ++which;
        }
        EXPECT_EQ(cells[0], cells[1]);
    }
}

TEST(World, PlacesAreDistinct) {
    const Scene scene = random_scene(9);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < scene.world->place_count(); ++i) {
        const Place& place = scene.world->place(static_cast<PlaceId>(i));
        std::string key(place.source);
        key += place.country ? place.country->view() : "-";
        key += place.continent ? place.continent->view() : "-";
        key += place.subdivision ? place.subdivision->view() : "-";
        key += std::to_string(place.asn.value_or(0));
        key += place.location
                   ? std::to_string(place.location->latitude * 1000 + place.location->longitude)
                   : "-";
        for (std::size_t region = 0; region < 3; ++region) {
            const auto row = scene.world->measured(static_cast<PlaceId>(i), region);
            key += row ? row->client.text() : "-";
        }
        seen.insert(key);
    }
    // Two measured prefixes that are covered in every region by what lies below them may look
    // alike; facts alone never do.
    EXPECT_GT(seen.size(), scene.world->place_count() / 2);
}

TEST(World, RowLongerThanTheSourcePrefixDoesNotMatch) {
    WorldInput input;
    Facts facts = in_country("JP");
    base::Problems problems;
    input.networks = prepare_networks({{net("10.1.0.0/16"), in_country("DE"), {}},
                                       {net("10.1.2.0/24"), facts, {}},
                                       {net("10.1.3.0/24"), facts, {}}},
                                      problems);
    const auto world = build_world(std::move(input));
    const auto country = [&](const char* prefix) {
        const Place& place = world->place(world->locate(net(prefix)));
        return place.country ? std::string(place.country->view()) : "";
    };
    EXPECT_EQ(country("10.1.2.0/24"), "JP");
    EXPECT_EQ(country("10.1.2.128/25"), "JP");
    EXPECT_EQ(country("10.1.2.0/23"), "DE");
    EXPECT_EQ(country("10.1.0.0/16"), "DE");
    EXPECT_EQ(country("10.0.0.0/15"), "");
    EXPECT_EQ(country("0.0.0.0/0"), "");
    EXPECT_EQ(world->locate(net("0.0.0.0/0")), PlaceId{0});
    EXPECT_EQ(world->locate(net("2001:db8::/48")), PlaceId{0});
}

TEST(World, NetworkRowWinsAsARowAndDatabasesFillWhatItLacks) {
    const testing::TempFolder folder;
    MmdbWriter first;
    Facts us = in_country("US");
    us.location = Location{40, -75};
    first.insert(net("10.0.0.0/8"), us);
    first.write(folder / "city.mmdb");
    MmdbWriter second;
    Facts other = in_country("FR");
    other.asn = 64500;
    second.insert(net("10.0.0.0/8"), other);
    second.write(folder / "asn.mmdb");
    WorldInput input;
    Facts wide;
    wide.asn = 64999;
    base::Problems problems;
    input.networks = prepare_networks(
        {{net("10.1.0.0/16"), wide, {}}, {net("10.1.2.0/24"), in_country("JP"), {}}}, problems);
    input.databases.push_back({"city.mmdb", Database::open(folder / "city.mmdb").value()});
    input.databases.push_back({"asn.mmdb", Database::open(folder / "asn.mmdb").value()});
    const auto world = build_world(std::move(input));
    const Place& plain = world->place(world->locate(net("10.2.0.0/16")));
    EXPECT_EQ(plain.country, parse_country("US"));
    EXPECT_EQ(plain.asn, 64500U);
    EXPECT_EQ(plain.source, "city.mmdb");
    const Place& own = world->place(world->locate(net("10.1.9.0/24")));
    EXPECT_EQ(own.asn, 64999U);
    EXPECT_EQ(own.country, parse_country("US"));
    EXPECT_EQ(own.source, "networks");
    const Place& inner = world->place(world->locate(net("10.1.2.0/24")));
    EXPECT_EQ(inner.country, parse_country("JP"));
    EXPECT_EQ(inner.continent, parse_continent("AS"));
    EXPECT_EQ(inner.asn, 64500U);  // from the database, not from our wider row
    EXPECT_EQ(inner.location, (Location{40, -75}));
    const Place& nobody = world->place(world->locate(net("192.0.2.0/24")));
    EXPECT_FALSE(nobody.known());
    EXPECT_EQ(nobody.source, "");
}

TEST(World, CountryTableRangesNeedNotBePrefixes) {
    base::Problems problems;
    CountryTable table;
    // 10.0.0.1 to 10.0.3.0 and, right behind it, another country.
    table.add(IpFamily::V4, "167772161,167772928,JP\n167772929,167773183,DE\n", "geoip", problems);
    WorldInput input;
    input.country_table = std::move(table);
    const auto world = build_world(std::move(input));
    const auto country = [&](const char* prefix) {
        const Place& place = world->place(world->locate(net(prefix)));
        return place.country ? std::string(place.country->view()) : "";
    };
    EXPECT_EQ(country("10.0.0.0"), "");
    EXPECT_EQ(country("10.0.0.1"), "JP");
    EXPECT_EQ(country("10.0.1.0/24"), "JP");
    EXPECT_EQ(country("10.0.2.0/24"), "JP");
    EXPECT_EQ(country("10.0.3.0"), "JP");
    EXPECT_EQ(country("10.0.3.1"), "DE");
    EXPECT_EQ(country("10.0.3.255"), "DE");
    EXPECT_EQ(country("10.0.4.0"), "");
    EXPECT_EQ(country("10.0.2.0/23"), "");
    EXPECT_EQ(world->place(world->locate(net("10.0.3.1"))).source, "country table");
    CountryTable all;
    all.add(IpFamily::V4, "0,4294967295,JP\n", "geoip", problems);
    all.add(IpFamily::V6, "::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,DE\n", "geoip6", problems);
    WorldInput everything;
    everything.country_table = std::move(all);
    const auto full = build_world(std::move(everything));
    EXPECT_EQ(full->cell_count(IpFamily::V4), 1U);
    EXPECT_EQ(full->place(full->locate(net("::/0"))).country, parse_country("DE"));
}

TEST(Estimate, RowElseModelElseCountryElseNodeElseNone) {
    base::Problems problems;
    Facts located = in_country("US");
    located.location = Location{35.68, 139.69};
    WorldInput input;
    input.regions = regions();
    input.regions.push_back({"brazil", {}, parse_country("BR")});
    input.regions.push_back({"nowhere", {}, {}});
    input.node = Location{50.11, 8.68};
    input.networks = prepare_networks(
        {{net("10.1.0.0/16"), located, {}}, {net("10.2.0.0/16"), in_country("JP"), {}}}, problems);
    input.latency = LatencyTable::parse("client,region,rtt_ms,samples\n10.1.0.0/16,virginia,7,3\n",
                                        "latency.csv", kRegionNames, problems);
    const auto world = build_world(input.node ? std::move(input) : WorldInput{});
    const PlaceId measured = world->locate(net("10.1.2.0/24"));
    const Estimate row = world->estimate(measured, 2);
    EXPECT_EQ(row.source, Estimate::Source::Row);
    EXPECT_EQ(row.rtt_ms, 7);
    EXPECT_EQ(row.samples, 3U);
    const Estimate model = world->estimate(measured, 0);
    EXPECT_EQ(model.source, Estimate::Source::Model);
    EXPECT_EQ(model.basis, Estimate::Basis::Location);
    EXPECT_LT(model.rtt_ms, 5);
    const Estimate country = world->estimate(world->locate(net("10.2.0.0/24")), 0);
    EXPECT_EQ(country.basis, Estimate::Basis::Country);
    EXPECT_LT(country.rtt_ms, 5);
    const Estimate node = world->estimate(PlaceId{0}, 1);
    EXPECT_EQ(node.basis, Estimate::Basis::Node);
    EXPECT_LT(node.rtt_ms, 5);
    EXPECT_EQ(world->estimate(PlaceId{0}, 3).source, Estimate::Source::Model);
    EXPECT_NEAR(world->estimate(measured, 3).rtt_ms,
                estimate_rtt_ms({35.68, 139.69}, *representative_location(*parse_country("BR"))),
                1e-9);
    EXPECT_FALSE(world->estimate(measured, 4).known());
}

TEST(Estimate, ThinRowsGiveWayToTheModelAndAreTold) {
    base::Problems problems;
    Facts located;
    located.location = Location{35.68, 139.69};
    WorldInput input;
    input.regions = regions();
    input.regions.push_back({"nowhere", {}, {}});
    std::vector<std::string> names = kRegionNames;
    names.push_back("nowhere");
    input.networks = prepare_networks({{net("10.1.0.0/16"), located, {}}}, problems);
    input.latency = LatencyTable::parse(
        "client,region,rtt_ms,samples\n10.1.0.0/16,virginia,7,2\n10.1.0.0/16,nowhere,9,1\n"
        "10.1.0.0/16,tokyo,3,50\n",
        "latency.csv", names, problems);
    const auto world = build_world(std::move(input));
    const PlaceId place = world->locate(net("10.1.2.0/24"));
    const auto at = [&](std::string_view name) { return *world->region_index(name); };
    EXPECT_EQ(world->estimate(place, at("virginia")).source, Estimate::Source::Model);
    EXPECT_EQ(world->set_aside(place, at("virginia"))->row.rtt_ms, 7);
    EXPECT_EQ(world->estimate(place, at("tokyo")).rtt_ms, 3);
    EXPECT_FALSE(world->set_aside(place, at("tokyo")));
    // The model has nothing to say of a region without coordinates: better thin than nothing.
    EXPECT_EQ(world->estimate(place, at("nowhere")).rtt_ms, 9);
    EXPECT_FALSE(world->set_aside(place, at("nowhere")));
}

TEST(Estimator, SaysWhatTheWorldSays) {
    base::Problems problems;
    WorldInput input;
    input.regions = regions();
    input.node = Location{50.11, 8.68};
    Facts located;
    std::vector<Network> networks;
    for (int i = 0; i < 50; ++i) {
        located.location = Location{i % 7 * 20.0 - 60, i % 5 * 60.0 - 120};
        networks.push_back({net("10." + std::to_string(i) + ".0.0/16"), located, {}});
    }
    input.networks = prepare_networks(std::move(networks), problems);
    input.latency = LatencyTable::parse("client,region,rtt_ms\n10.3.0.0/16,virginia,7\n",
                                        "latency.csv", kRegionNames, problems);
    const auto world = build_world(std::move(input));
    Estimator estimator(*world);
    std::vector<double> row(world->regions().size());
    for (std::uint32_t place = 0; place < world->place_count(); ++place) {
        estimator.estimate(PlaceId{place}, row);
        for (std::size_t region = 0; region < row.size(); ++region) {
            const Estimate expected = world->estimate(PlaceId{place}, region);
            EXPECT_EQ(row[region], expected.rtt_ms) << place << " " << region;
        }
    }
}

TEST(Estimate, UnknownPlaceWithoutNodeLocationHasNone) {
    const World world(regions(), std::nullopt);
    for (std::size_t region = 0; region < 3; ++region) {
        EXPECT_FALSE(world.estimate(world.locate(net("192.0.2.0/24")), region).known());
        EXPECT_FALSE(world.estimate(world.locate(net("2001:db8::/48")), region).known());
    }
    EXPECT_EQ(world.place_count(), 1U);
    EXPECT_EQ(world.region_index("virginia"), 2U);
    EXPECT_FALSE(world.region_index("osaka"));
}

}  // namespace
}  // namespace steerd::geo
