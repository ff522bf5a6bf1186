#include "tests/geo/naive_world.h"

#include <array>
#include <optional>
#include <span>

#include "geo/world_builder.h"
#include "tests/geo/mmdb_writer.h"

namespace steerd::geo::testing {

using base::IpAddress;
using base::IpFamily;
using base::IpPrefix;
using base::Rng;

namespace {

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

}  // namespace

std::vector<Region> three_regions() {
    return {{"tokyo", Location{35.68, 139.69}, {}},
            {"frankfurt", Location{50.11, 8.68}, {}},
            {"virginia", Location{38.95, -77.45}, {}}};
}

const std::vector<std::string>& three_names() {
    static const std::vector<std::string> kNames = {"tokyo", "frankfurt", "virginia"};
    return kNames;
}

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

Scene random_scene(std::uint64_t seed) {
    Rng rng(seed);
    Scene scene;
    WorldInput input;
    input.regions = three_regions();
    base::Problems problems;
    const TempFolder folder;
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
        const std::size_t region = rng.below(three_names().size());
        const auto rtt = static_cast<double>(rng.below(300));
        scene.latency += prefix.text() + "," + three_names()[region] + "," +
                         std::to_string(static_cast<int>(rtt)) + "\n";
        scene.measured[prefix][region] = rtt;
    }
    scene.latency += "AS64500,tokyo,500\ncountry:DE,tokyo,600\ncontinent:EU,tokyo,700\n";
    input.latency = LatencyTable::parse(scene.latency, "latency.csv", three_names(), problems);
    scene.world = build_world(std::move(input));
    return scene;
}

void expect_same(const Scene& scene, const IpPrefix& client, PlaceId id) {
    const Facts expected = naive_facts(scene, client);
    const Facts& got = scene.world->place(id);
    ASSERT_EQ(got, expected) << client.text();
    for (std::size_t region = 0; region < three_names().size(); ++region) {
        const auto row = scene.world->measured(id, region);
        const auto naive = naive_measured(scene, client, expected, region);
        ASSERT_EQ(row.has_value(), naive.has_value()) << client.text() << " region " << region;
        if (row) {
            ASSERT_EQ(row->row.rtt_ms, *naive) << client.text();
        }
    }
}

}  // namespace steerd::geo::testing
