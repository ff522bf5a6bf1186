// steerd latency import: medians of each prefix and region, whatever the export looks like.
#include "geo/latency_import.h"

#include <gtest/gtest.h>

#include "geo/latency_table.h"

namespace steerd::geo {
namespace {

struct Imported {
    std::string table;
    base::Problems problems;
};

Imported import(std::string_view text, const LatencyImportOptions& options = {}) {
    Imported out;
    LatencyImport reader(options);
    reader.add(text, "rum.csv", out.problems);
    out.table = reader.take();
    return out;
}

TEST(LatencyImport, MediansOfEachPrefixAndRegionWithCounts) {
    const auto got = import(
        "client,region,rtt_ms\n"
        "203.0.113.7,tokyo,30\n203.0.113.250,tokyo,10\n203.0.113.9,tokyo,500\n"
        "203.0.113.9,virginia,150\n203.0.113.10,virginia,160.5\n"
        "198.51.100.1,tokyo,7.125\n"
        "2001:db8:1:2::5,tokyo,12\n2001:db8:1:ffff::5,tokyo,14\n");
    EXPECT_TRUE(got.problems.all().empty()) << got.problems.text();
    EXPECT_EQ(got.table,
              "client,region,rtt_ms,samples\n"
              "198.51.100.0/24,tokyo,7.13,1\n"
              "203.0.113.0/24,tokyo,30,3\n"
              "203.0.113.0/24,virginia,155.25,2\n"
              "2001:db8:1::/48,tokyo,13,2\n");
}

TEST(LatencyImport, WhatItWritesIsWhatTheServerReads) {
    const auto got = import("client,region,rtt_ms\n203.0.113.7,tokyo,30\n");
    const std::vector<std::string> regions = {"tokyo"};
    base::Problems problems;
    const auto table =
        LatencyTable::parse(got.table, "latency.csv", regions, problems, {.min_samples = 1});
    EXPECT_TRUE(problems.all().empty()) << problems.text();
    EXPECT_EQ(table.size(), 1U);
}

TEST(LatencyImport, ColumnsAreFoundByTheirWordsAndUnits) {
    const std::string expected = "client,region,rtt_ms,samples\n203.0.113.0/24,tokyo,12.5,1\n";
    EXPECT_EQ(import("time,pop,IP,latency_us\n17:00,tokyo,203.0.113.7,12500\n").table, expected);
    EXPECT_EQ(
        import("\"Client_IP\",\"Region\",\"RTT\"\n\"203.0.113.7\",\"tokyo\",\"12.5\"\n").table,
        expected);
    EXPECT_EQ(import("203.0.113.7,tokyo,12.5\r\n").table, expected) << "no header";
    EXPECT_EQ(import("# from ping\n\naddress,target,min_rtt_s\n203.0.113.7,tokyo,0.0125\n").table,
              expected);
    LatencyImportOptions named;
    named.client = "who";
    named.region = "where";
    named.rtt = "took_ms";
    EXPECT_EQ(import("who,where,rtt,took_ms\n203.0.113.7,tokyo,99,12.5\n", named).table, expected);
}

TEST(LatencyImport, TablesBecomeOneTable) {
    LatencyImport reader({});
    base::Problems problems;
    reader.add(
        "client,region,rtt_ms,samples,age_days\n8.8.8.0/24,tokyo,12.345,40,1.5\n"
        "9.9.9.0/24,tokyo,0.004,4000000000,0.125\n",
        "tokyo-1.csv", problems);
    reader.add(
        "client,region,rtt_ms,samples,age_days\n8.8.8.0/24,tokyo,20,39,0.25\n"
        "9.9.9.0/24,tokyo,0.004,4000000000,3\n",
        "tokyo-2.csv", problems);
    reader.add("client,region,rtt_ms,samples\n8.8.8.0/24,virginia,150,7\n", "pings.csv", problems);
    EXPECT_EQ(reader.samples(), 8'000'000'086U);
    const auto text = reader.take();
    EXPECT_TRUE(problems.all().empty()) << problems.text();
    EXPECT_EQ(text,
              "client,region,rtt_ms,samples,age_days\n"
              "8.8.8.0/24,tokyo,12.35,79,0.25\n"
              "8.8.8.0/24,virginia,150,7,\n"
              "9.9.9.0/24,tokyo,0.01,4294967295,0.13\n");
    const std::vector<std::string> regions = {"tokyo", "virginia"};
    EXPECT_EQ(LatencyTable::parse(text, "latency.csv", regions, problems).size(), 3U);
    EXPECT_TRUE(problems.all().empty()) << problems.text();
}

TEST(LatencyImport, CountsAndAgesThatAreNoneAreNoSample) {
    const auto got = import(
        "client,region,rtt_ms,samples,age_days\n8.8.8.0/24,tokyo,1,0,1\n"
        "8.8.8.0/24,tokyo,1,x,1\n8.8.8.0/24,tokyo,1,-1,1\n8.8.8.0/24,tokyo,1,2,-1\n"
        "8.8.8.0/24,tokyo,1,2,nan\n8.8.8.0/24,tokyo,5,2\n");
    EXPECT_EQ(got.table, "client,region,rtt_ms,samples\n8.8.8.0/24,tokyo,5,2\n");
    ASSERT_EQ(got.problems.all().size(), 1U);
    EXPECT_NE(got.problems.all()[0].text().find("5 lines are no sample"), std::string::npos);
}

TEST(LatencyImport, AHeaderThatDoesNotTellIsAnError) {
    const auto got = import("client,something,rtt\n203.0.113.7,tokyo,12.5\n");
    ASSERT_TRUE(got.problems.has_errors());
    EXPECT_EQ(got.problems.all()[0].at.line, 1U);
    EXPECT_NE(got.problems.all()[0].message.find("region"), std::string::npos);
    LatencyImportOptions named;
    named.rtt = "absent";
    EXPECT_TRUE(import("client,region,rtt\n203.0.113.7,tokyo,1\n", named).problems.has_errors());
}

TEST(LatencyImport, LinesThatAreNoSampleAreSkippedAndCounted) {
    const auto got = import(
        "client,region,rtt_ms\n"
        "203.0.113.7,tokyo,12\n"
        "nobody,tokyo,12\n203.0.113.7,,12\n203.0.113.7,tokyo,\n203.0.113.7,tokyo,-1\n"
        "203.0.113.7,tokyo,0\n203.0.113.7,tokyo,nan\n203.0.113.7,tokyo,60001\n203.0.113.7\n"
        "203.0.113.7,tokyo,12ms\n");
    EXPECT_EQ(got.table, "client,region,rtt_ms,samples\n203.0.113.0/24,tokyo,12,1\n");
    ASSERT_EQ(got.problems.all().size(), 1U);
    EXPECT_FALSE(got.problems.has_errors());
    EXPECT_EQ(got.problems.all()[0].at.line, 3U);
    EXPECT_EQ(got.problems.all()[0].message.substr(0, 2), "9 ");
}

TEST(LatencyImport, PrefixesAreAsLongAsAskedAndMappedAddressesAreIpv4) {
    LatencyImportOptions options;
    options.prefix4 = 20;
    options.prefix6 = 32;
    options.min_samples = 2;
    const auto got = import(
        "client,region,rtt_ms\n"
        "203.0.113.7,tokyo,10\n::ffff:203.0.112.1,tokyo,20\n"
        "203.0.0.0/16,tokyo,5\n203.0.0.0/16,tokyo,5\n"
        "2001:db8:1::1,tokyo,30\n2001:db8:2::1,tokyo,40\n"
        "198.51.100.1,tokyo,7\n",
        options);
    EXPECT_EQ(got.table,
              "client,region,rtt_ms,samples\n"
              "203.0.0.0/16,tokyo,5,2\n"
              "203.0.112.0/20,tokyo,15,2\n"
              "2001:db8::/32,tokyo,35,2\n");
}

}  // namespace
}  // namespace steerd::geo
