// A name costs what its octets cost: the memory of a large zone, and that all of it is found again.
// STEERD_ZONE_NAMES=1000000 in the environment prints seconds and memory for a zone of that size.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

using dns::RrType;

class LargeZone : public ::testing::Test {
  protected:
    LargeZone() : path_(::testing::TempDir() + "large" + std::to_string(::getpid()) + ".zone") {}

    ~LargeZone() override { std::remove(path_.c_str()); }

    LargeZone(const LargeZone&) = delete;
    LargeZone& operator=(const LargeZone&) = delete;

    std::shared_ptr<const Zone> load(std::size_t names) {
        {
            std::ofstream file(path_);
            file << kHead;
            for (std::size_t i = 0; i < names; ++i) {
                file << "host" << i << " IN A 10." << (i >> 16 & 255) << "." << (i >> 8 & 255)
                     << "." << (i & 255) << "\n";
            }
        }
        base::Problems problems;
        const auto begin = std::chrono::steady_clock::now();
        auto zone = load_zone(name("example.com."), path_, {}, problems);
        took_ = std::chrono::steady_clock::now() - begin;
        EXPECT_NE(zone, nullptr) << problems.text();
        return zone;
    }

    std::string path_;
    std::chrono::duration<double> took_{};
};

TEST_F(LargeZone, TakesUnderAHundredOctetsForAName) {
    constexpr std::size_t kNames = 100'000;
    const auto zone = load(kNames);
    ASSERT_NE(zone, nullptr);
    EXPECT_EQ(zone->record_count(), kNames + 2);
    EXPECT_EQ(zone->name_count(), kNames + 1);
    EXPECT_LT(zone->memory_octets(), kNames * 100);
    for (std::size_t i = 0; i < kNames; i += 37) {
        const auto finding =
            zone->lookup(name("host" + std::to_string(i) + ".example.com."), RrType::A);
        ASSERT_EQ(finding.kind, FindingKind::Records) << i;
        const std::uint8_t address[] = {10, static_cast<std::uint8_t>(i >> 16),
                                        static_cast<std::uint8_t>(i >> 8),
                                        static_cast<std::uint8_t>(i)};
        ASSERT_EQ(rdata_of(finding.rrset), std::vector<std::string>{hex(address)});
    }
    EXPECT_EQ(zone->lookup(name("host100000.example.com."), RrType::A).kind, FindingKind::NxDomain);
}

TEST_F(LargeZone, PrintsItsFigures) {
    // STEERD_ZONE_NAMES=1000000 in a release build gives the figures worth quoting.
    const char* const wanted = std::getenv("STEERD_ZONE_NAMES");
    const std::size_t names = wanted == nullptr ? 20'000 : std::strtoul(wanted, nullptr, 10);
    const auto zone = load(names);
    ASSERT_NE(zone, nullptr);
    EXPECT_GE(zone->name_count(), names);
    std::ifstream status("/proc/self/status");
    std::string peak;
    while (std::getline(status, peak) && !peak.starts_with("VmHWM")) {
    }
    std::printf("%zu names loaded in %.2f s, %zu octets, %s\n", zone->name_count(), took_.count(),
                zone->memory_octets(), peak.c_str());
}

}  // namespace
}  // namespace steerd::zones::testing
