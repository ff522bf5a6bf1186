// How sources become one place: which row counts, which source fills what it lacks, and ranges that
// are no prefixes.
#include <gtest/gtest.h>

#include <string>

#include "geo/world_builder.h"
#include "tests/geo/helpers.h"
#include "tests/geo/mmdb_writer.h"

namespace steerd::geo {
namespace {

using base::IpFamily;
using testing::in_country;
using testing::MmdbWriter;
using testing::net;

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

}  // namespace
}  // namespace steerd::geo
