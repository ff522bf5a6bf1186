// Truncated, mutated and hostile database files: refused or sane, never a crash, a hang or memory
// out of proportion. Run under ASan and UBSan.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "geo/database.h"
#include "geo/world_builder.h"
#include "tests/geo/helpers.h"
#include "tests/geo/mmdb_writer.h"

namespace steerd::geo {
namespace {

using testing::in_country;
using testing::ip;
using testing::MmdbWriter;
using testing::net;
namespace mmdb = testing::mmdb;

class HostileDatabase : public ::testing::Test {
  protected:
    base::Result<Database, std::string> open(std::string_view octets) {
        // A file of its own each time: cutting one that has blocks makes the disk wait.
        std::filesystem::remove(folder_ / "bad.mmdb");
        testing::write_file(folder_ / "bad.mmdb", octets);
        return Database::open(folder_ / "bad.mmdb");
    }

    std::string error_of(std::string_view octets) {
        const auto database = open(octets);
        return database ? "accepted" : database.error();
    }

    testing::TempFolder folder_;
};

std::string good_file(bool nested, unsigned record_size) {
    MmdbWriter::Options options;
    options.nested = nested;
    options.record_size = record_size;
    options.aliases = true;
    MmdbWriter writer(options);
    base::Rng rng(7);
    for (int i = 0; i < 40; ++i) {
        Facts facts = in_country(i % 2 == 0 ? "JP" : "US");
        facts.asn = static_cast<std::uint32_t>(64500 + i);
        facts.location = Location{rng.unit() * 90, rng.unit() * 180};
        const auto length = static_cast<unsigned>(8 + rng.below(17));
        writer.insert(
            base::IpPrefix(base::IpAddress::v4(static_cast<std::uint32_t>(rng.next())), length),
            facts);
    }
    writer.insert(net("2001:db8::/32"), in_country("DE"));
    return writer.octets();
}

/// Asks and joins as much as a server would.
void use(Database database) {
    base::Rng rng(11);
    for (int i = 0; i < 50; ++i) {
        const auto found =
            database.lookup(base::IpAddress::v4(static_cast<std::uint32_t>(rng.next())));
        ASSERT_LE(found.length, 32U);
    }
    ASSERT_LE(database.lookup(ip("2001:db8::1")).length, 128U);
    WorldInput input;
    input.databases.push_back({"bad.mmdb", std::move(database)});
    const auto world = build_world(std::move(input));
    ASSERT_GE(world->place_count(), 1U);
}

TEST_F(HostileDatabase, EveryTruncationIsRefused) {
    const std::string good = good_file(true, 24);
    ASSERT_TRUE(open(good));
    for (std::size_t size = 0; size < good.size(); size += 1 + size / 97) {
        EXPECT_FALSE(open(std::string_view(good).substr(0, size))) << size;
    }
    EXPECT_FALSE(open(std::string_view(good).substr(0, good.size() - 1)));
}

TEST_F(HostileDatabase, TruncationInTheMiddleIsRefusedWithItsReason) {
    const std::string good = good_file(true, 24);
    const std::size_t marker = good.find("\xAB\xCD\xEFMaxMind.com");
    // The tree lost its end, the metadata is whole.
    const std::string cut = good.substr(0, 50) + good.substr(marker);
    EXPECT_NE(error_of(cut).find("truncated"), std::string::npos) << error_of(cut);
    // The data lost its end.
    const std::string less = good.substr(0, marker - 400) + good.substr(marker);
    EXPECT_NE(error_of(less), "accepted");
}

TEST_F(HostileDatabase, OtherThingsAreRefused) {
    EXPECT_NE(error_of("").find("empty"), std::string::npos);
    EXPECT_NE(error_of("client,region,rtt_ms\n").find("no MaxMind DB"), std::string::npos);
    EXPECT_NE(error_of(std::string(200000, '\0')).find("no MaxMind DB"), std::string::npos);
    EXPECT_NE(error_of("\xAB\xCD\xEFMaxMind.com"), "accepted");
    const auto missing = Database::open(folder_ / "absent.mmdb");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().find("No such file"), std::string::npos);
    const auto directory = Database::open(folder_.path());
    ASSERT_FALSE(directory);
    EXPECT_NE(directory.error().find("not a regular file"), std::string::npos);
}

TEST_F(HostileDatabase, WithoutAnyFactIsRefused) {
    MmdbWriter writer;
    writer.insert_value(net("192.0.2.0/24"), mmdb::map({{"is_anonymous", mmdb::u16(1)}}));
    EXPECT_NE(error_of(writer.octets()).find("no country"), std::string::npos);
    MmdbWriter strings;
    strings.insert_value(net("192.0.2.0/24"), mmdb::text("JP"));
    EXPECT_NE(error_of(strings.octets()).find("no country"), std::string::npos);
}

TEST_F(HostileDatabase, RandomOctetsAreRefused) {
    base::Rng rng(3);
    for (int i = 0; i < 200; ++i) {
        std::string octets(static_cast<std::size_t>(rng.below(4000)), '\0');
        for (char& octet : octets) {
            octet = static_cast<char>(rng.next());
        }
        if (i % 2 == 0) {
            octets += "\xAB\xCD\xEFMaxMind.com";
            for (int k = 0; k < 60; ++k) {
                octets += static_cast<char>(rng.next());
            }
        }
        EXPECT_FALSE(open(octets));
    }
}

TEST_F(HostileDatabase, MutatedFilesAreRefusedOrSane) {
    base::Rng rng(5);
    int accepted = 0;
    for (int round = 0; round < 400; ++round) {
        std::string octets = good_file(round % 2 == 0, round % 3 == 0 ? 28U : 24U);
        const auto hits = 1 + rng.below(4);
        for (std::uint64_t i = 0; i < hits; ++i) {
            // Half of them in the metadata at the end, where a single octet does most harm.
            const std::uint64_t from = rng.below(2) == 0 ? octets.size() - 230 : 0;
            octets[from + rng.below(octets.size() - from)] = static_cast<char>(rng.next());
        }
        auto database = open(octets);
        if (database) {
            ++accepted;
            use(std::move(*database));
        }
    }
    EXPECT_GT(accepted, 20);  // else the test would show nothing about the walk
}

/// A file with this tree (pairs of records, 32 bits), data section and plain metadata.
std::string file_of(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& nodes,
                    const std::string& data, unsigned ip_version) {
    using namespace mmdb;
    std::string out;
    for (const auto& [left, right] : nodes) {
        out += big_endian(left, 4) + big_endian(right, 4);
    }
    out += std::string(16, '\0') + data + "\xAB\xCD\xEFMaxMind.com";
    return out + map({{"binary_format_major_version", u16(2)},
                      {"binary_format_minor_version", u16(0)},
                      {"build_epoch", u64(1)},
                      {"database_type", text("x")},
                      {"description", map({})},
                      {"ip_version", u16(static_cast<std::uint16_t>(ip_version))},
                      {"languages", array({})},
                      {"node_count", u32(static_cast<std::uint32_t>(nodes.size()))},
                      {"record_size", u16(32)}});
}

TEST_F(HostileDatabase, CirclesAreRefused) {
    const std::string data = MmdbWriter::flat(in_country("JP"));
    EXPECT_NE(error_of(file_of({{1, 3 + 16}, {2, 3}, {1, 3}}, data, 4)).find("circle"),
              std::string::npos);
    EXPECT_NE(error_of(file_of({{0, 1 + 16}}, data, 4)), "accepted");
    EXPECT_NE(error_of(file_of({{1, 2 + 16}, {1, 1}}, data, 6)), "accepted");
}

TEST_F(HostileDatabase, TreesDeeperThanAnAddressAreRefused) {
    const std::string data = MmdbWriter::flat(in_country("JP"));
    const auto chain = [&](std::uint32_t depth) {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> nodes;
        for (std::uint32_t i = 0; i < depth; ++i) {
            nodes.emplace_back(i + 1 < depth ? i + 1 : depth + 16, depth + 16);
        }
        return nodes;
    };
    EXPECT_EQ(error_of(file_of(chain(32), data, 4)), "accepted");
    EXPECT_NE(error_of(file_of(chain(33), data, 4)).find("deeper"), std::string::npos);
    EXPECT_EQ(error_of(file_of(chain(128), data, 6)), "accepted");
    EXPECT_NE(error_of(file_of(chain(129), data, 6)).find("deeper"), std::string::npos);
    EXPECT_NE(error_of(file_of(chain(20000), data, 6)).find("deeper"), std::string::npos);
}

TEST_F(HostileDatabase, SharedNodesCannotMultiplyLeaves) {
    // 30 nodes whose both records name the next one spell 2^30 leaves.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> nodes;
    for (std::uint32_t i = 0; i < 30; ++i) {
        nodes.emplace_back(i + 1, i + 1);
    }
    nodes.emplace_back(31 + 16, 31);
    const std::string data = MmdbWriter::flat(in_country("JP"));
    EXPECT_NE(error_of(file_of(nodes, data, 4)).find("too many leaves"), std::string::npos);
    for (std::uint32_t i = 0; i < 95; ++i) {
        nodes.insert(nodes.begin(), {0, 0});
    }
    for (std::uint32_t i = 0; i + 1 < nodes.size(); ++i) {
        nodes[i] = {i + 1, i + 1};
    }
    nodes.back() = {static_cast<std::uint32_t>(nodes.size()) + 16,
                    static_cast<std::uint32_t>(nodes.size())};
    EXPECT_NE(error_of(file_of(nodes, data, 6)), "accepted");
}

TEST_F(HostileDatabase, RecordsOutsideTheDataAreRefused) {
    const std::string data = MmdbWriter::flat(in_country("JP"));
    const auto size = static_cast<std::uint32_t>(data.size());
    for (const std::uint32_t record : {1 + 1U, 1 + 15U, 1 + 16U + size, 0xFFFFFFFFU}) {
        EXPECT_NE(error_of(file_of({{1 + 16, record}}, data, 4)), "accepted") << record;
    }
}

TEST_F(HostileDatabase, DataThatCannotBeDecodedIsRefused) {
    using namespace mmdb;
    const std::string good = MmdbWriter::flat(in_country("JP"));
    const auto second = static_cast<std::uint32_t>(2 + 16);
    const auto with = [&](const std::string& value) {
        return error_of(
            file_of({{1, second + static_cast<std::uint32_t>(value.size())}, {second, 2}},
                    value + good, 4));
    };
    EXPECT_EQ(with(map({{"country_code", text("JP")}})), "accepted");
    EXPECT_NE(with(header(7, 3) + text("a")), "accepted");        // pairs are missing
    EXPECT_NE(with(header(7, 1) + u16(5) + u16(5)), "accepted");  // a key that is no text
    EXPECT_NE(with(map({{"location", header(3, 7) + "abcdefg"}})),
              "accepted");  // a double of 7 octets
    EXPECT_NE(with(map({{"latitude", header(3, 4) + "abcd"}})), "accepted");
    EXPECT_NE(with(map({{"country", pointer(0xFFFFFF)}})), "accepted");
    EXPECT_NE(with(map({{"country", std::string("\x00\x05", 2)}})), "accepted");  // container
    EXPECT_NE(with(pointer(0)), "accepted");  // a pointer to itself
}

TEST_F(HostileDatabase, HugeMapsSharedByManyRecordsDoNotHang) {
    using namespace mmdb;
    // 20,000 records, each a pointer to one map of 20,000 pairs that never names a country: 4 *
    // 10^8 steps for whoever reads each record to its end, in a file of half a megabyte.
    MmdbWriter writer;
    std::string pairs = header(7, 20000);
    for (int i = 0; i < 20000; ++i) {
        pairs += text("k") + u16(1);
    }
    const std::uint32_t map_at = writer.add_raw(pairs);
    for (unsigned i = 0; i < 20000; ++i) {
        writer.insert_offset(base::IpPrefix(base::IpAddress::v4(i << 8), 24),
                             writer.add_raw(pointer(map_at)));
    }
    EXPECT_NE(error_of(writer.octets()).find("cannot be decoded"), std::string::npos);
}

TEST_F(HostileDatabase, NestedPointersInTheMetadataDoNotHang) {
    using namespace mmdb;
    // "languages" as an array of two pointers to an array of two pointers ...: 2^60 texts.
    std::string good = good_file(true, 24);
    const std::size_t marker = good.find("\xAB\xCD\xEFMaxMind.com") + 14;
    std::string metadata = header(7, 1) + text("languages");
    for (int i = 0; i < 60; ++i) {
        // Each array is 2 + 5 + 5 octets long; both pointers name the next one.
        const auto next = static_cast<std::uint32_t>(metadata.size() + 12);
        metadata += array({pointer(next), pointer(next)});
    }
    metadata += text("en");
    EXPECT_NE(error_of(good.substr(0, marker) + metadata).find("metadata"), std::string::npos);
}

TEST_F(HostileDatabase, MetadataThatMakesNoSenseIsRefused) {
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string octets = good_file(true, 24);
        const std::size_t at = octets.rfind(from);
        EXPECT_NE(at, std::string::npos);
        octets.replace(at, from.size(), to);
        return error_of(octets);
    };
    using namespace mmdb;
    const std::string size = text("record_size");
    EXPECT_NE(with(size + u16(24), size + u16(23)), "accepted");
    EXPECT_NE(with(size + u16(24), size + u16(0)), "accepted");
    EXPECT_NE(with(size + u16(24), size + u16(32)), "accepted");
    EXPECT_NE(with(size, text("rekord_size")), "accepted");
    const std::string version = text("ip_version");
    EXPECT_NE(with(version + u16(6), version + u16(5)), "accepted");
    const std::string major = text("binary_format_major_version");
    EXPECT_NE(with(major + u16(2), major + u16(3)), "accepted");
    // Node counts whose product with 6 octets wraps in 32 bits.
    std::string octets = good_file(true, 24);
    const std::size_t at = octets.rfind(text("node_count")) + text("node_count").size() + 1;
    octets.replace(at, 4, big_endian(715827883, 4));
    EXPECT_NE(error_of(octets).find("truncated"), std::string::npos);
}

}  // namespace
}  // namespace steerd::geo
