// The two files of the country table, good and bad.
#include "geo/country_table.h"

#include <gtest/gtest.h>

#include "tests/geo/helpers.h"

namespace steerd::geo {
namespace {

using testing::in_country;
using testing::ip;

constexpr auto kV4 = base::IpFamily::V4;
constexpr auto kV6 = base::IpFamily::V6;

struct Read {
    CountryTable table;
    base::Problems problems;
};

Read read(base::IpFamily family, std::string_view text) {
    Read result;
    result.table.add(family, text, "geoip", result.problems);
    return result;
}

TEST(CountryTable, ReadsBothFamiliesAndPassesComments) {
    const auto v4 = read(kV4, "# a comment\n\n16777216,16777471,AU\r\n16777472,16778239,CN\n");
    EXPECT_TRUE(v4.problems.all().empty()) << v4.problems.text();
    ASSERT_EQ(v4.table.ranges(kV4).size(), 2U);
    EXPECT_EQ(v4.table.ranges(kV4)[0].first, to_bits(ip("1.0.0.0")));
    EXPECT_EQ(from_bits(kV4, v4.table.ranges(kV4)[0].last), ip("1.0.0.255"));
    EXPECT_EQ(v4.table.facts()[v4.table.ranges(kV4)[1].facts], in_country("CN"));
    const auto v6 = read(kV6, "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,JP");
    EXPECT_TRUE(v6.problems.all().empty()) << v6.problems.text();
    ASSERT_EQ(v6.table.ranges(kV6).size(), 1U);
    EXPECT_EQ(from_bits(kV6, v6.table.ranges(kV6)[0].last),
              ip("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST(CountryTable, NeighboursOfOneCountryBecomeOneRange) {
    const auto got = read(kV4, "0,9,JP\n10,19,JP\n20,29,US\n31,39,US\n");
    ASSERT_EQ(got.table.ranges(kV4).size(), 3U);
    EXPECT_EQ(from_bits(kV4, got.table.ranges(kV4)[0].last), ip("0.0.0.19"));
}

TEST(CountryTable, UnknownAndPseudoCountries) {
    const auto got = read(kV4, "0,9,?\?\n10,19,EU\n20,29,UK\n30,39,ZZ\n");
    EXPECT_TRUE(got.problems.all().empty()) << got.problems.text();
    ASSERT_EQ(got.table.ranges(kV4).size(), 2U);
    EXPECT_EQ(got.table.facts()[got.table.ranges(kV4)[0].facts], in_country("EU"));
    EXPECT_EQ(got.table.facts()[got.table.ranges(kV4)[1].facts], in_country("GB"));
}

TEST(CountryTable, UnsortedLinesAreSorted) {
    const auto got = read(kV4, "20,29,US\n0,9,JP\n");
    ASSERT_EQ(got.table.ranges(kV4).size(), 2U);
    EXPECT_EQ(got.table.facts()[got.table.ranges(kV4)[0].facts], in_country("JP"));
}

TEST(CountryTable, BadLinesAreErrorsWithTheirLine) {
    const auto got = read(kV4,
                          "0,9,JP\n"
                          "rubbish\n"
                          "10,19\n"
                          "20,x,JP\n"
                          "39,30,JP\n"
                          "40,4294967296,JP\n"
                          "50,59,JPN\n"
                          "5,15,US\n"
                          "60,69,US\n");
    ASSERT_EQ(got.problems.error_count(), 7U) << got.problems.text();
    for (std::size_t i = 0; i < 7; ++i) {
        // Overlaps are found last, once all lines are sorted.
        EXPECT_EQ(got.problems.all()[i].at.line, i + 2);
        EXPECT_EQ(got.problems.all()[i].at.file, "geoip");
    }
    EXPECT_EQ(got.table.ranges(kV4).size(), 2U);
    EXPECT_EQ(read(kV6, "1.2.3.4,1.2.3.5,JP\n").problems.error_count(), 1U);
}

TEST(CountryTable, ManyBadLinesAreCounted) {
    std::string text;
    for (int i = 0; i < 1000; ++i) {
        text += "bad\n";
    }
    const auto got = read(kV4, text);
    EXPECT_EQ(got.problems.error_count(), 21U);
    EXPECT_NE(got.problems.text().find("980 more"), std::string::npos);
}

TEST(CountryTable, MissingFolderIsOneWarning) {
    const testing::TempFolder folder;
    base::Problems problems;
    EXPECT_FALSE(CountryTable::load(folder / "absent", problems));
    EXPECT_FALSE(problems.has_errors());
    EXPECT_EQ(problems.all().size(), 1U);
    testing::write_file(folder / "geoip", "0,9,JP\n");
    EXPECT_TRUE(CountryTable::load(folder.path(), problems));
    EXPECT_EQ(problems.all().size(), 2U) << problems.text();  // geoip6 is missing
    EXPECT_FALSE(problems.has_errors());
}

}  // namespace
}  // namespace steerd::geo
