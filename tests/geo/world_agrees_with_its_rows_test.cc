// The joined world against a naive reading of every source, row by row, for random sources.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "tests/geo/naive_world.h"

namespace steerd::geo {
namespace {

using base::IpAddress;
using base::IpFamily;
using base::IpPrefix;
using base::Rng;
using testing::expect_same;
using testing::kFamilies;
using testing::random_address;
using testing::random_prefix;
using testing::random_scene;
using testing::Scene;

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

}  // namespace
}  // namespace steerd::geo
