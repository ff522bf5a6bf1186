// What a database says of an address, and for which prefix: both layouts, both trees, all record
// sizes, and the prefix-length traps of IPv4 in an IPv6 tree.
#include <gtest/gtest.h>

#include "geo/database.h"
#include "tests/geo/helpers.h"
#include "tests/geo/mmdb_writer.h"

namespace steerd::geo {
namespace {

using testing::in_country;
using testing::ip;
using testing::MmdbWriter;
using testing::net;
namespace mmdb = testing::mmdb;

Database opened(const MmdbWriter& writer) {
    const testing::TempFolder folder;
    writer.write(folder / "test.mmdb");
    auto database = Database::open(folder / "test.mmdb");
    EXPECT_TRUE(database) << database.error();
    return std::move(database).value();
}

/// The facts of a database whose only record is this value.
Facts facts_of(const std::string& value) {
    MmdbWriter writer;
    writer.insert_value(net("192.0.2.0/24"), value);
    writer.insert(net("198.51.100.0/24"), in_country("FR"));  // so that some fact exists
    const Database database = opened(writer);
    return *database.lookup(ip("192.0.2.1")).facts;
}

Facts tokyo() {
    Facts facts = in_country("JP");
    facts.subdivision = parse_subdivision("JP-13");
    facts.asn = 64500;
    facts.location = Location{35.6875, 139.75};  // exact as a 32-bit float too
    return facts;
}

TEST(DatabaseLookup, BothLayoutsTreesAndAllRecordSizesSayTheSame) {
    for (const bool nested : {true, false}) {
        for (const unsigned version : {4U, 6U}) {
            for (const unsigned size : {24U, 28U, 32U}) {
                MmdbWriter::Options options;
                options.ip_version = version;
                options.record_size = size;
                options.nested = nested;
                MmdbWriter writer(options);
                writer.insert(net("203.0.113.0/24"), tokyo());
                writer.insert(net("0.0.0.0/3"), in_country("US"));
                const Database database = opened(writer);
                SCOPED_TRACE("nested " + std::to_string(nested) + " version " +
                             std::to_string(version) + " size " + std::to_string(size));
                const auto found = database.lookup(ip("203.0.113.77"));
                EXPECT_EQ(*found.facts, tokyo());
                EXPECT_EQ(found.length, 24U);
                const auto wide = database.lookup(ip("8.8.8.8"));
                EXPECT_EQ(*wide.facts, in_country("US"));
                EXPECT_EQ(wide.length, 3U);
            }
        }
    }
}

TEST(DatabaseLookup, NotFoundStillTellsTheWidthOfTheHole) {
    MmdbWriter writer;
    writer.insert(net("11.0.0.0/8"), in_country("US"));
    const Database database = opened(writer);
    const auto found = database.lookup(ip("10.1.2.3"));
    EXPECT_FALSE(found.facts->known());
    EXPECT_EQ(found.length, 8U);
}

TEST(DatabaseLookup, Ipv4InAFileOfIpv6AloneIsUnknownEverywhere) {
    MmdbWriter writer;
    writer.insert(net("2000::/3"), in_country("DE"));
    const Database database = opened(writer);
    const auto found = database.lookup(ip("192.0.2.1"));
    EXPECT_FALSE(found.facts->known());
    EXPECT_EQ(found.length, 0U);  // no underflow: the hole is wider than ::/96
    EXPECT_EQ(*database.lookup(ip("2001:db8::1")).facts, in_country("DE"));
    EXPECT_EQ(database.lookup(ip("2001:db8::1")).length, 3U);
}

TEST(DatabaseLookup, Ipv6InAFileOfIpv4AloneIsUnknownEverywhere) {
    MmdbWriter::Options options;
    options.ip_version = 4;
    MmdbWriter writer(options);
    writer.insert(net("192.0.2.0/24"), in_country("DE"));
    const Database database = opened(writer);
    const auto found = database.lookup(ip("2001:db8::1"));
    EXPECT_FALSE(found.facts->known());
    EXPECT_EQ(found.length, 0U);
}

TEST(DatabaseLookup, AliasesOfTheIpv4PartHoldNothingForIpv6) {
    MmdbWriter::Options options;
    options.aliases = true;
    MmdbWriter writer(options);
    writer.insert(net("192.0.2.0/24"), in_country("DE"));
    writer.insert(net("2001:db8::/32"), in_country("FR"));
    const Database database = opened(writer);
    EXPECT_EQ(*database.lookup(ip("192.0.2.1")).facts, in_country("DE"));
    EXPECT_EQ(database.lookup(ip("192.0.2.1")).length, 24U);
    EXPECT_FALSE(database.lookup(ip("::ffff:192.0.2.1")).facts->known());
    EXPECT_FALSE(database.lookup(ip("2002:c000:201::1")).facts->known());
    EXPECT_FALSE(database.lookup(ip("::192.0.2.1")).facts->known());
    EXPECT_EQ(*database.lookup(ip("2001:db8::1")).facts, in_country("FR"));
}

TEST(DatabaseLookup, MostSpecificRecordHolds) {
    MmdbWriter writer;
    writer.insert(net("10.0.0.0/8"), in_country("US"));
    writer.insert(net("10.1.0.0/16"), in_country("JP"));
    writer.insert(net("10.1.2.3/32"), in_country("DE"));
    const Database database = opened(writer);
    EXPECT_EQ(*database.lookup(ip("10.2.0.1")).facts, in_country("US"));
    EXPECT_EQ(database.lookup(ip("10.2.0.1")).length, 15U);
    EXPECT_EQ(*database.lookup(ip("10.1.2.2")).facts, in_country("JP"));
    EXPECT_EQ(*database.lookup(ip("10.1.2.3")).facts, in_country("DE"));
    EXPECT_EQ(database.lookup(ip("10.1.2.3")).length, 32U);
}

TEST(DatabaseLookup, FileTypeDoesNotMatter) {
    for (const char* type : {"", "country ipvAll", "GeoLite2-ASN", "Nonsense"}) {
        MmdbWriter::Options options;
        options.type = type;
        MmdbWriter writer(options);
        writer.insert(net("192.0.2.0/24"), tokyo());
        const Database database = opened(writer);
        EXPECT_EQ(*database.lookup(ip("192.0.2.1")).facts, tokyo());
        EXPECT_EQ(database.type(), type);
        EXPECT_EQ(database.build_epoch(), options.build_epoch);
    }
}

TEST(DatabaseSchema, CountryPathsInTheirOrder) {
    using namespace mmdb;
    const auto iso = [](const char* code) { return map({{"iso_code", text(code)}}); };
    EXPECT_EQ(facts_of(map({{"registered_country", iso("FR")},
                            {"country_code", text("DE")},
                            {"country", iso("JP")}})),
              in_country("JP"));
    EXPECT_EQ(facts_of(map({{"registered_country", iso("FR")}, {"country_code", text("DE")}})),
              in_country("DE"));
    EXPECT_EQ(facts_of(map({{"country", text("GB")}})), in_country("GB"));
    EXPECT_EQ(facts_of(map({{"country", text("Japan")}, {"country_code", text("jp")}})),
              in_country("JP"));
    EXPECT_EQ(facts_of(map({{"registered_country", iso("FR")}})), in_country("FR"));
}

TEST(DatabaseSchema, PseudoCountriesGiveTheContinentAtMost) {
    using namespace mmdb;
    const auto flat = [](const char* code) {
        return facts_of(map({{"country_code", text(code)}}));
    };
    EXPECT_FALSE(flat("EU").country);
    EXPECT_EQ(flat("EU").continent, parse_continent("EU"));
    EXPECT_EQ(flat("AP").continent, parse_continent("AS"));
    EXPECT_EQ(flat("UK").country, parse_country("GB"));
    for (const char* code : {"??", "A1", "A2", "O1", "XX", "ZZ", "", "J", "JPN", "--"}) {
        EXPECT_FALSE(flat(code).known()) << code;
    }
    // A better path names the country after all.
    const auto iso = [](const char* code) { return map({{"iso_code", text(code)}}); };
    EXPECT_EQ(facts_of(map({{"country", iso("EU")}, {"registered_country", iso("FR")}})),
              in_country("FR"));
}

TEST(DatabaseSchema, ContinentOfTheRecordElseOfTheTable) {
    using namespace mmdb;
    const Facts stated = facts_of(map({{"continent", map({{"code", text("EU")}})},
                                       {"country", map({{"iso_code", text("TR")}})}}));
    EXPECT_EQ(stated.continent, parse_continent("EU"));
    EXPECT_EQ(facts_of(map({{"country", map({{"iso_code", text("TR")}})}})).continent,
              parse_continent("AS"));
    const Facts alone = facts_of(map({{"continent", map({{"code", text("AF")}})}}));
    EXPECT_EQ(alone.continent, parse_continent("AF"));
    EXPECT_FALSE(alone.country);
}

TEST(DatabaseSchema, SubdivisionIsTheFirstAndCarriesItsCountry) {
    using namespace mmdb;
    const auto with = [](const char* country, std::string subdivisions) {
        return facts_of(map({{"country", map({{"iso_code", text(country)}})},
                             {"subdivisions", std::move(subdivisions)}}))
            .subdivision;
    };
    const auto one = [](const char* code) { return map({{"iso_code", text(code)}}); };
    EXPECT_EQ(with("US", array({one("CA"), one("037")})), parse_subdivision("US-CA"));
    EXPECT_EQ(with("GB", array({one("ENG")})), parse_subdivision("GB-ENG"));
    EXPECT_FALSE(with("US", array({})));
    EXPECT_FALSE(with("US", text("California")));
    EXPECT_EQ(facts_of(map({{"country_code", text("US")}, {"state1", text("US-CA")}})).subdivision,
              parse_subdivision("US-CA"));
    EXPECT_FALSE(
        facts_of(map({{"country_code", text("US")}, {"state1", text("Texas")}})).subdivision);
    EXPECT_FALSE(facts_of(map({{"country_code", text("US")}, {"state1", text("TX")}})).subdivision);
}

TEST(DatabaseSchema, CoordinatesAsDoubleFloatOrText) {
    using namespace mmdb;
    const Location place{-33.5, 151.25};
    EXPECT_EQ(facts_of(map({{"latitude", real(-33.5)}, {"longitude", real(151.25)}})).location,
              place);
    EXPECT_EQ(
        facts_of(map({{"latitude", real32(-33.5F)}, {"longitude", real32(151.25F)}})).location,
        place);
    EXPECT_EQ(facts_of(map({{"latitude", text("-33.5")}, {"longitude", text("151.25")}})).location,
              place);
    EXPECT_EQ(
        facts_of(map({{"location", map({{"latitude", real(-33.5)}, {"longitude", real(151.25)}})}}))
            .location,
        place);
}

TEST(DatabaseSchema, CoordinatesThatMeanNothingAreUnknown) {
    using namespace mmdb;
    const auto at = [](std::string latitude, std::string longitude) {
        return facts_of(
                   map({{"latitude", std::move(latitude)}, {"longitude", std::move(longitude)}}))
            .location;
    };
    EXPECT_FALSE(at(real(0), real(0)));
    EXPECT_FALSE(at(real(91), real(0)));
    EXPECT_FALSE(at(real(0), real(-180.5)));
    EXPECT_FALSE(at(real(std::numeric_limits<double>::quiet_NaN()), real(1)));
    EXPECT_FALSE(at(real(std::numeric_limits<double>::infinity()), real(1)));
    EXPECT_FALSE(at(text(""), text("1")));
    EXPECT_FALSE(at(text("1.0N"), text("1")));
    EXPECT_FALSE(facts_of(map({{"latitude", real(1)}})).location);
    EXPECT_TRUE(at(real(0), real(10)));
}

TEST(DatabaseSchema, AsNumberFromEitherPath) {
    using namespace mmdb;
    EXPECT_EQ(facts_of(map({{"autonomous_system_number", u32(64500)}, {"asn", u32(1)}})).asn,
              64500U);
    EXPECT_EQ(facts_of(map({{"asn", u32(4200000000)}})).asn, 4200000000U);
    EXPECT_EQ(facts_of(map({{"asn", text("AS64501")}})).asn, 64501U);
    EXPECT_FALSE(facts_of(map({{"asn", u32(0)}})).asn);
    EXPECT_FALSE(facts_of(map({{"asn", text("none")}})).asn);
}

TEST(DatabaseSchema, PointersAreFollowed) {
    using namespace mmdb;
    MmdbWriter writer;
    const std::uint32_t country = writer.add_raw(map({{"iso_code", text("JP")}}));
    const std::uint32_t key = writer.add_raw(text("country"));
    const std::uint32_t record = writer.add_raw(header(7, 1) + pointer(key) + pointer(country));
    writer.insert_offset(net("192.0.2.0/24"), record);
    const std::uint32_t indirect = writer.add_raw(pointer(record));
    writer.insert_offset(net("198.51.100.0/24"), indirect);
    const Database database = opened(writer);
    EXPECT_EQ(*database.lookup(ip("192.0.2.1")).facts, in_country("JP"));
    EXPECT_EQ(*database.lookup(ip("198.51.100.1")).facts, in_country("JP"));
}

TEST(DatabaseFile, OverwrittenOrCutInPlaceHarmsNothing) {
    const testing::TempFolder folder;
    MmdbWriter writer;
    for (unsigned i = 0; i < 256; ++i) {
        Facts facts = tokyo();
        facts.asn = 64512 + i;
        writer.insert(base::IpPrefix(base::IpAddress::v4((10U << 24) | (i << 16)), 16), facts);
    }
    writer.write(folder / "test.mmdb");
    const auto database = Database::open(folder / "test.mmdb");
    ASSERT_TRUE(database) << database.error();
    testing::write_file(folder / "test.mmdb", "");  // the same inode: a mapping would fault
    for (unsigned i = 0; i < 256; ++i) {
        const auto found = database->lookup(base::IpAddress::v4((10U << 24) | (i << 16) | 1));
        EXPECT_EQ(found.facts->asn, 64512 + i);
    }
    testing::write_file(folder / "test.mmdb", std::string(100000, '\x5A'));
    EXPECT_EQ(database->lookup(ip("10.255.0.1")).facts->asn, 64767U);
    std::filesystem::remove(folder / "test.mmdb");
    EXPECT_EQ(database->lookup(ip("10.0.0.1")).facts->asn, 64512U);
}

}  // namespace
}  // namespace steerd::geo
