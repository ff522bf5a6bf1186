// latency.csv: which row counts for whom, and what is said about bad ones.
#include "geo/latency_table.h"

#include <gtest/gtest.h>

#include "tests/geo/helpers.h"

namespace steerd::geo {
namespace {

using testing::in_country;
using testing::net;

constexpr auto kV4 = base::IpFamily::V4;
const std::vector<std::string> kRegions = {"tokyo", "virginia"};

struct Read {
    LatencyTable table;
    base::Problems problems;
};

Read read(const std::string& text) {
    Read result;
    result.table = LatencyTable::parse(text, "latency.csv", kRegions, result.problems);
    return result;
}

std::uint32_t group_of(const LatencyTable& table, const char* prefix) {
    const base::IpPrefix wanted = net(prefix);
    const auto groups = table.groups(wanted.address().family());
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (groups[i].prefix == wanted) {
            return static_cast<std::uint32_t>(i);
        }
    }
    return LatencyTable::kNone;
}

TEST(LatencyTable, EachRegionTakesItsOwnLongestPrefix) {
    const auto got = read(
        "client,region,rtt_ms,samples,age_days\n"
        "203.0.113.0/24,tokyo,12.1,40,1.5\n"
        "203.0.112.0/20,tokyo,99\n"
        "203.0.112.0/20,virginia,150.25,7\n");
    EXPECT_TRUE(got.problems.all().empty()) << got.problems.text();
    const auto group = group_of(got.table, "203.0.113.0/24");
    const auto tokyo = got.table.find(kV4, group, {}, 0);
    ASSERT_TRUE(tokyo);
    EXPECT_EQ(tokyo->row.rtt_ms, 12.1);
    EXPECT_EQ(tokyo->row.samples, 40U);
    EXPECT_EQ(tokyo->row.age_days, 1.5);
    EXPECT_EQ(tokyo->client.text(), "203.0.113.0/24");
    const auto virginia = got.table.find(kV4, group, {}, 1);
    ASSERT_TRUE(virginia);
    EXPECT_EQ(virginia->row.rtt_ms, 150.25);
    EXPECT_EQ(virginia->row.samples, 7U);
    EXPECT_FALSE(virginia->row.age_days);
    EXPECT_EQ(virginia->client.text(), "203.0.112.0/20");
}

TEST(LatencyTable, ThenAsnThenCountryThenContinent) {
    const auto got = read(
        "client,region,rtt_ms\n"
        "continent:AS,tokyo,4\n"
        "continent:AS,virginia,40\n"
        "country:JP,tokyo,3\n"
        "AS64500,tokyo,2\n"
        "10.0.0.0/8,tokyo,1\n");
    Facts facts = in_country("JP");
    facts.asn = 64500;
    const auto none = LatencyTable::kNone;
    const auto text = [&](std::uint32_t group, const Facts& who, std::size_t region) {
        const auto row = got.table.find(kV4, group, who, region);
        return row ? row->client.text() : "";
    };
    EXPECT_EQ(text(group_of(got.table, "10.0.0.0/8"), facts, 0), "10.0.0.0/8");
    EXPECT_EQ(text(none, facts, 0), "AS64500");
    EXPECT_EQ(text(none, facts, 1), "continent:AS");
    EXPECT_EQ(text(none, in_country("JP"), 0), "country:JP");
    EXPECT_EQ(text(none, in_country("CN"), 0), "continent:AS");
    EXPECT_EQ(text(none, in_country("DE"), 0), "");
    EXPECT_EQ(text(none, {}, 0), "");
}

TEST(LatencyTable, MappedAndSixToFourPrefixesAreIpv4) {
    const auto got = read(
        "client,region,rtt_ms\n"
        "::ffff:192.0.2.0/120,tokyo,1\n"
        "2002:c633:6400::/40,tokyo,2\n"
        "2001:db8::/32,tokyo,3\n");
    EXPECT_NE(group_of(got.table, "192.0.2.0/24"), LatencyTable::kNone);
    EXPECT_NE(group_of(got.table, "198.51.100.0/24"), LatencyTable::kNone);
    EXPECT_NE(group_of(got.table, "2001:db8::/32"), LatencyTable::kNone);
}

TEST(LatencyTable, UnknownRegionsAreSkippedWithOneWarning) {
    const auto got = read(
        "client,region,rtt_ms\n"
        "country:JP,osaka,3\n"
        "country:JP,tokyo,3\n"
        "country:DE,osaka,3\n");
    EXPECT_EQ(got.table.size(), 1U);
    ASSERT_EQ(got.problems.all().size(), 1U);
    EXPECT_FALSE(got.problems.has_errors());
    EXPECT_EQ(got.problems.all()[0].at.line, 2U);
    EXPECT_NE(got.problems.text().find("2, the first for \"osaka\""), std::string::npos)
        << got.problems.text();
}

TEST(LatencyTable, MalformedRowsAreErrorsWithTheirLine) {
    const auto got = read(
        "client,region,rtt_ms,samples\r\n"
        "country:JP,tokyo\n"         // 2: too few
        "country:JP,tokyo,3,4,5\n"   // 3: more than the header
        "country:XX,tokyo,3\n"       // 4
        "continent:XX,tokyo,3\n"     // 5
        "ASx,tokyo,3\n"              // 6
        "AS0,tokyo,3\n"              // 7
        "10.0.0.1/8,tokyo,3\n"       // 8: bits behind the length
        "10.0.0.0/33,tokyo,3\n"      // 9
        "nonsense,tokyo,3\n"         // 10
        "country:JP,tokyo,fast\n"    // 11
        "country:JP,tokyo,-1\n"      // 12
        "country:JP,tokyo,nan\n"     // 13
        "country:JP,tokyo,1e99\n"    // 14
        "country:JP,tokyo,3,many\n"  // 15
        "country:JP,tokyo,3,-1\n"    // 16
        "country:JP,tokyo,\n"        // 17
        "\n"
        "# a comment\n"
        "country:JP, tokyo , 3 , \n");
    ASSERT_EQ(got.problems.error_count(), 16U) << got.problems.text();
    for (std::size_t i = 0; i < 16; ++i) {
        EXPECT_EQ(got.problems.all()[i].at.line, i + 2) << got.problems.all()[i].text();
        EXPECT_EQ(got.problems.all()[i].at.file, "latency.csv");
    }
    EXPECT_EQ(got.table.size(), 1U);
}

TEST(LatencyTable, HeaderIsRequired) {
    for (const char* text :
         {"", "\n\n", "country:JP,tokyo,3\n", "client,region\n", "client,region,rtt_ms,age_days\n",
          "client,region,rtt_ms,samples,age_days,more\n"}) {
        const auto got = read(text);
        EXPECT_EQ(got.problems.error_count(), 1U) << text << got.problems.text();
        EXPECT_EQ(got.table.size(), 0U);
    }
}

TEST(LatencyTable, ErrorsAreBounded) {
    std::string text = "client,region,rtt_ms\n";
    for (int i = 0; i < 500; ++i) {
        text += "bad\n";
    }
    const auto got = read(text);
    EXPECT_EQ(got.problems.error_count(), 21U);
    EXPECT_NE(got.problems.text().find("480 more"), std::string::npos);
}

TEST(LatencyTable, RepeatedRowsLetTheLastCount) {
    const auto got = read("client,region,rtt_ms\ncountry:JP,tokyo,3\ncountry:JP,tokyo,5\n");
    EXPECT_EQ(got.table.find(kV4, LatencyTable::kNone, in_country("JP"), 0)->row.rtt_ms, 5);
    EXPECT_EQ(got.problems.all().size(), 1U);
    EXPECT_FALSE(got.problems.has_errors());
}

TEST(LatencyTable, LastLineNeedsNoNewline) {
    EXPECT_EQ(read("client,region,rtt_ms\ncountry:JP,tokyo,3").table.size(), 1U);
}

TEST(LatencyTable, ThinAndOldRowsGiveWayAndAreTold) {
    const auto got = read(
        "client,region,rtt_ms,samples,age_days\n"
        "203.0.113.0/24,tokyo,1,2,0\n"
        "203.0.112.0/20,tokyo,2,100,91\n"
        "203.0.0.0/16,tokyo,3,3,90\n"
        "203.0.113.0/24,virginia,4,2\n"
        "country:JP,virginia,5\n");
    ASSERT_EQ(got.problems.all().size(), 1U) << got.problems.text();
    EXPECT_EQ(got.problems.all()[0].severity, base::Severity::Warning);
    EXPECT_EQ(got.problems.all()[0].message,
              "3 rows give way to wider ones or the model: 2 of fewer than 3 samples, 1 older than "
              "90 days");
    const auto group = group_of(got.table, "203.0.113.0/24");
    EXPECT_EQ(got.table.find(kV4, group, {}, 0)->client.text(), "203.0.0.0/16");
    EXPECT_EQ(got.table.find_any(kV4, group, {}, 0)->client.text(), "203.0.113.0/24");
    EXPECT_EQ(got.table.find(kV4, group, in_country("JP"), 1)->client.text(), "country:JP");
    EXPECT_FALSE(got.table.find(kV4, group, {}, 1));
    EXPECT_TRUE(got.table.find_any(kV4, group, {}, 1));
}

TEST(LatencyTable, LimitsAreTheConfigurations) {
    base::Problems problems;
    const auto table = LatencyTable::parse(
        "client,region,rtt_ms,samples,age_days\nAS64500,tokyo,1,1,500\nAS64501,tokyo,1,9,500\n",
        "latency.csv", kRegions, problems, {.min_samples = 1, .max_age_days = 1000});
    EXPECT_TRUE(problems.all().empty()) << problems.text();
    Facts facts;
    facts.asn = 64500;
    EXPECT_TRUE(table.find(kV4, LatencyTable::kNone, facts, 0));
}

}  // namespace
}  // namespace steerd::geo
