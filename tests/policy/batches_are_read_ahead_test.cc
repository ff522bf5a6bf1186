// What is fetched for a batch before it is answered: the names that are there, the clients of large
// views, and nothing for what is no usual query. That it changes no answer, every test that asks by
// Asking::send() shows, since that reads ahead too.
#include <gtest/gtest.h>

#include "asking.h"
#include "policy/ahead.h"

namespace steerd::policy::testing {
namespace {

/// So many countries in turn that the view's table is a large one.
WorldText large_world() {
    WorldText world;
    for (std::uint32_t i = 0; i < 6000; ++i) {
        const std::uint32_t first = (1U << 24) + (i << 12);
        world.geoip += std::to_string(first) + "," + std::to_string(first + 4095) + "," +
                       (i % 2 == 0 ? "JP" : "US") + "\n";
    }
    return world;
}

/// So many names that no near cache holds them.
std::string large_zone() {
    std::string lines = kZoneLines;
    for (int i = 0; i < 30000; ++i) {
        lines += "host" + std::to_string(i) + " A 192.0.2.1\n";
    }
    return lines;
}

using Packet = std::vector<std::uint8_t>;

Packet packet_of(std::string_view name, std::string_view subnet) {
    dns::QueryOptions options;
    if (!subnet.empty()) {
        options.edns.emplace().subnet = net(subnet);
    }
    return dns::compose_query(*dns::Name::parse(name), dns::RrType::A, options);
}

Ahead ahead_of(const Snapshot& snapshot, const std::vector<Packet>& packets) {
    std::vector<Request> batch(packets.size());
    for (std::size_t i = 0; i < packets.size(); ++i) {
        batch[i].query = packets[i];
    }
    return read_ahead(snapshot, batch);
}

TEST(ReadAhead, ComesToNamesAndClients) {
    const Asking s(build(kAnswerConfig, large_zone(), large_world()));
    ASSERT_EQ(s.snapshot.plan->far_views.size(), 1U);
    const std::vector<Packet> packets = {packet_of("geo.example.com.", "1.2.3.0/24"),
                                         packet_of("nothing.example.com.", "1.200.16.0/20"),
                                         packet_of("example.org.", "2001:db8::/48"),
                                         packet_of("mail.example.com.", "")};
    const Ahead ahead = ahead_of(s.snapshot, packets);
    EXPECT_EQ(ahead.names, 2U);
    EXPECT_EQ(ahead.clients, 2U) << "of subnets, and of IPv4";
    EXPECT_EQ(ahead_of(s.snapshot, std::vector<Packet>(20, packets[0])).names, 8U);
}

TEST(ReadAhead, LeavesAloneWhatIsNear) {
    const Asking s;
    EXPECT_TRUE(s.snapshot.plan->far_views.empty());
    const Ahead ahead = ahead_of(s.snapshot, {packet_of("geo.example.com.", "203.0.113.0/24")});
    EXPECT_EQ(ahead.names, 0U);
    EXPECT_EQ(ahead.clients, 0U);
}

TEST(ReadAhead, LeavesOutWhatEndsTooEarly) {
    const Asking s(build(kAnswerConfig, large_zone(), large_world()));
    const Packet whole = packet_of("geo.example.com.", "1.2.3.0/24");
    constexpr std::size_t kQuestionEnd = dns::kHeaderSize + 17 + 4;
    constexpr std::size_t kBeforeAddress = 11 + 8;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const auto end = whole.begin() + static_cast<std::ptrdiff_t>(size);
        const Ahead ahead = ahead_of(s.snapshot, {Packet(whole.begin(), end)});
        EXPECT_EQ(ahead.names, size < kQuestionEnd ? 0U : 1U) << size;
        EXPECT_EQ(ahead.clients, size > kQuestionEnd + kBeforeAddress ? 1U : 0U) << size;
    }
}

TEST(ReadAhead, MutatedPacketsDoNoHarm) {
    const Asking s(build(kAnswerConfig, large_zone(), large_world()));
    base::Rng rng(4);
    Ahead all;
    for (int i = 0; i < 20000; ++i) {
        Packet packet = packet_of("host77.example.com.", "1.2.3.0/24");
        for (int n = 0; n < 3; ++n) {
            packet[rng.below(packet.size())] = static_cast<std::uint8_t>(rng.next());
        }
        packet.resize(rng.below(packet.size() + 1));
        const Ahead ahead = ahead_of(s.snapshot, {packet, packet});
        ASSERT_LE(ahead.names, 2U);
        ASSERT_LE(ahead.clients, 2U);
        all.names += ahead.names;
        all.clients += ahead.clients;
    }
    EXPECT_GT(all.names, 1000U);
    EXPECT_GT(all.clients, 100U);
}

}  // namespace
}  // namespace steerd::policy::testing
