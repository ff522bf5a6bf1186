// The table of learned round trips, with injected values: what one prefix is believed to have, and
// who makes room when the table is full.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "server/learned_rtts.h"

namespace steerd::server {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr base::Wall kStart{std::chrono::hours(24 * 20'000)};

base::IpAddress address(const char* text) { return base::IpAddress::parse(text).value(); }

bool holds(const LearnedRtts& table, const base::IpAddress& client, base::Wall now) {
    const auto rows = table.rows(now);
    return std::any_of(rows.begin(), rows.end(),
                       [&](const auto& row) { return row.client.contains(client); });
}

/// What the table says of the one prefix in it.
LearnedRtts::Row only_row(const LearnedRtts& table, base::Wall now) {
    const auto rows = table.rows(now);
    EXPECT_EQ(rows.size(), 1U);
    return rows.empty() ? LearnedRtts::Row{} : rows.front();
}

TEST(LearnedRoundTrips, AreKeptBySlash24AndSlash48) {
    LearnedRtts table(64, 1);
    table.record(address("192.0.2.7"), 20'000, kStart);
    table.record(address("192.0.2.200"), 30'000, kStart);
    table.record(address("192.0.3.7"), 40'000, kStart);
    table.record(address("2001:db8:1:2::3"), 50'000, kStart);
    table.record(address("2001:db8:1:ffff::"), 60'000, kStart);
    table.record(address("2001:db8:2::"), 70'000, kStart);
    std::map<std::string, LearnedRtts::Row> rows;
    for (const auto& row : table.rows(kStart)) {
        rows[row.client.text()] = row;
    }
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows["192.0.2.0/24"].samples, 2U);
    EXPECT_EQ(rows["192.0.2.0/24"].rtt_us, 20'000U);
    EXPECT_EQ(rows["192.0.3.0/24"].rtt_us, 40'000U);
    EXPECT_EQ(rows["2001:db8:1::/48"].samples, 2U);
    EXPECT_EQ(rows["2001:db8:1::/48"].rtt_us, 50'000U);
    EXPECT_EQ(rows["2001:db8:2::/48"].rtt_us, 70'000U);
    EXPECT_EQ(rows["2001:db8:2::/48"].last, kStart);
}

TEST(LearnedRoundTrips, OfOneMinuteTheLeastCounts) {
    LearnedRtts table(8, 1);
    for (const std::uint32_t us : {90'000U, 31'000U, 250'000U, 32'000U}) {
        table.record(address("192.0.2.7"), us, kStart + seconds(us / 10'000));
    }
    EXPECT_EQ(only_row(table, kStart).rtt_us, 31'000U);
    EXPECT_EQ(only_row(table, kStart).samples, 4U);
}

TEST(LearnedRoundTrips, FourLateMinutesOfNineDoNotMoveAPrefix) {
    LearnedRtts table(8, 1);
    auto now = kStart;
    for (int i = 0; i < 9; ++i, now += minutes(1)) {
        table.record(address("192.0.2.7"), 30'000, now);
    }
    for (int i = 0; i < 4; ++i, now += minutes(1)) {
        table.record(address("192.0.2.7"), 3'000'000, now);
    }
    EXPECT_EQ(only_row(table, now).rtt_us, 30'000U);
    table.record(address("192.0.2.7"), 3'000'000, now);  // the fifth: this is no accident
    EXPECT_EQ(only_row(table, now).rtt_us, 3'000'000U);
    EXPECT_EQ(only_row(table, now).samples, 14U);
}

TEST(LearnedRoundTrips, OfAnEvenNumberTheLowerMiddleCounts) {
    LearnedRtts table(8, 1);
    table.record(address("192.0.2.7"), 40'000, kStart);
    table.record(address("192.0.2.7"), 20'000, kStart + minutes(1));
    EXPECT_EQ(only_row(table, kStart).rtt_us, 20'000U);
    table.record(address("192.0.2.7"), 30'000, kStart + minutes(2));
    EXPECT_EQ(only_row(table, kStart).rtt_us, 30'000U);
}

TEST(LearnedRoundTrips, AreForgottenAfterNinetyDays) {
    LearnedRtts table(8, 1);
    table.record(address("192.0.2.7"), 40'000, kStart);
    EXPECT_EQ(table.rows(kStart + LearnedRtts::kForget).size(), 1U);
    const auto later = kStart + LearnedRtts::kForget + seconds(1);
    EXPECT_TRUE(table.rows(later).empty());
    table.record(address("192.0.2.7"), 90'000, later);
    EXPECT_EQ(only_row(table, later).rtt_us, 90'000U);
    EXPECT_EQ(only_row(table, later).samples, 1U);
}

TEST(LearnedRoundTrips, NeverGrowAndPassersByMakeRoomForEachOther) {
    LearnedRtts table(8, 1);  // one set: everybody shares the same eight places
    for (int i = 0; i < 7; ++i) {
        for (int n = 0; n < 10; ++n) {
            table.record(base::IpAddress::v4(0x08080000U + (static_cast<unsigned>(i) << 8)), 10'000,
                         kStart);
        }
    }
    for (unsigned i = 0; i < 1000; ++i) {
        table.record(base::IpAddress::v4(0x09000000U + (i << 8)), 500, kStart + seconds(i));
    }
    const auto rows = table.rows(kStart + seconds(1000));
    EXPECT_EQ(rows.size(), 8U);
    EXPECT_EQ(
        std::count_if(rows.begin(), rows.end(), [](const auto& r) { return r.samples == 10; }), 7);
    EXPECT_TRUE(
        holds(table, base::IpAddress::v4(0x09000000U + (999U << 8)), kStart + seconds(1000)));
}

TEST(LearnedRoundTrips, AFullTableTakesTheStalePlaceFirst) {
    LearnedRtts table(8, 1);
    for (unsigned i = 0; i < 8; ++i) {
        const auto when = i == 3 ? kStart - LearnedRtts::kForget - hours(1) : kStart;
        table.restore({base::IpPrefix(base::IpAddress::v4(0x08080000U + (i << 8)), 24), 10'000,
                       i == 3 ? 1'000'000U : 5U, when});
    }
    table.record(address("9.9.9.9"), 500, kStart);
    EXPECT_FALSE(holds(table, base::IpAddress::v4(0x08080300U), kStart));
    EXPECT_EQ(table.rows(kStart).size(), 8U);
}

TEST(LearnedRoundTrips, WhatWasRestoredWeighsLikeWhatWasSeen) {
    LearnedRtts table(8, 1);
    const LearnedRtts::Row row{base::IpPrefix::parse("2001:db8:1::/48").value(), 30'000, 400,
                               kStart - hours(5)};
    table.restore(row);
    EXPECT_EQ(only_row(table, kStart), row);
    for (int i = 0; i < 4; ++i) {
        table.record(address("2001:db8:1::5"), 80'000, kStart + minutes(i));
    }
    EXPECT_EQ(only_row(table, kStart).rtt_us, 30'000U);
    table.record(address("2001:db8:1::5"), 80'000, kStart + minutes(4));
    EXPECT_EQ(only_row(table, kStart).rtt_us, 80'000U);
    EXPECT_EQ(only_row(table, kStart).samples, 405U);
}

}  // namespace
}  // namespace steerd::server
