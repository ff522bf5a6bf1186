// The learner with its file: whose round trips count, when the file is written, that ages grow over
// restarts, and that a file which cannot be used is kept beside.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "server/rtt_learner.h"

namespace steerd::server {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kHeader[] = "client,region,rtt_ms,samples,age_days\n";
constexpr base::Wall kStart{std::chrono::hours(24 * 20'000)};

std::string content(const fs::path& file) {
    std::ifstream in(file);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

base::IpAddress address(const char* text) { return base::IpAddress::parse(text).value(); }

/// Stands still until told otherwise; the thread that writes the file looks at it, too.
class SharedClock final : public base::Clock {
  public:
    [[nodiscard]] base::Now now() const noexcept override {
        const std::lock_guard lock(mutex_);
        return clock_.now();
    }

    void advance(base::Duration by) {
        const std::lock_guard lock(mutex_);
        clock_.advance(by);
    }

  private:
    mutable std::mutex mutex_;
    base::ManualClock clock_{{base::Mono(seconds(1000)), kStart}};
};

class Learning : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "steerd-learn-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        options_ = {folder_ / "learned.csv", "tokyo", {}};
    }

    void TearDown() override { fs::remove_all(folder_); }

    /// As a server that starts now.
    std::unique_ptr<RttLearner> start() {
        return std::make_unique<RttLearner>(clock_, options_, std::vector<RttFeed*>{&feed_});
    }

    /// The file as if it had been written at that time: clocks here are not the machine's.
    void written_at(base::Wall when) const {
        const timespec at{std::chrono::duration_cast<seconds>(when.time_since_epoch()).count(), 0};
        const timespec both[2] = {at, at};
        ASSERT_EQ(::utimensat(AT_FDCWD, options_.file.c_str(), both, 0), 0);
    }

    /// What the server would write if it stopped now.
    std::string at_stop(std::unique_ptr<RttLearner> learner) const {
        learner.reset();
        return content(options_.file);
    }

    SharedClock clock_;
    RttFeed feed_;
    fs::path folder_;
    LearnOptions options_;
};

TEST_F(Learning, WritesRowsOfThisRegionByPrefix) {
    auto learner = start();
    feed_.put({address("9.9.9.9"), 12'345});
    feed_.put({address("8.8.8.8"), 20'000});
    feed_.put({address("2a00:1450::1"), 999});
    clock_.advance(hours(12));
    feed_.put({address("8.8.8.9"), 10'000});
    learner->collect();
    clock_.advance(hours(36));
    EXPECT_EQ(at_stop(std::move(learner)), std::string(kHeader) +
                                               "8.8.8.0/24,tokyo,10.000,2,1.500\n"
                                               "9.9.9.0/24,tokyo,12.345,1,1.500\n"
                                               "2a00:1450::/48,tokyo,0.999,1,1.500\n");
}

TEST_F(Learning, LeavesOutWhatIsNotPublicUnlessANetworkTellsOfIt) {
    options_.networks = {base::IpPrefix::parse("10.1.0.0/16").value()};
    auto learner = start();
    for (const char* client : {"127.0.0.1", "10.2.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1",
                               "203.0.113.1", "::1", "fe80::1", "fd00::1", "2002:808:808::1"}) {
        feed_.put({address(client), 1000});
    }
    learner->collect();
    feed_.put({address("10.1.7.1"), 2000});
    EXPECT_EQ(at_stop(std::move(learner)),
              std::string(kHeader) + "10.1.7.0/24,tokyo,2.000,1,0.000\n");
}

TEST_F(Learning, CountsAllOfANetworkAndNothingBesideIt) {
    options_.networks = {
        base::IpPrefix::parse("10.1.2.0/25").value(), base::IpPrefix::parse("10.1.0.0/23").value(),
        base::IpPrefix::parse("fd00:1::/32").value(), base::IpPrefix::parse("8.8.8.0/24").value(),
        base::IpPrefix::parse("255.255.255.255").value()};
    auto learner = start();
    for (const char* client : {"10.1.2.128", "10.1.2.255", "10.0.255.255", "10.1.3.0", "fd00::1",
                               "fd00:2::1", "255.255.255.254"}) {
        feed_.put({address(client), 1000});
    }
    for (const char* client : {"10.1.0.0", "10.1.1.255", "10.1.2.0", "10.1.2.127", "8.8.8.8",
                               "fd00:1:ffff::1", "255.255.255.255"}) {
        feed_.put({address(client), 2000});
    }
    EXPECT_EQ(at_stop(std::move(learner)), std::string(kHeader) +
                                               "8.8.8.0/24,tokyo,2.000,1,0.000\n"
                                               "10.1.0.0/24,tokyo,2.000,1,0.000\n"
                                               "10.1.1.0/24,tokyo,2.000,1,0.000\n"
                                               "10.1.2.0/24,tokyo,2.000,2,0.000\n"
                                               "255.255.255.0/24,tokyo,2.000,1,0.000\n"
                                               "fd00:1:ffff::/48,tokyo,2.000,1,0.000\n");
}

TEST_F(Learning, LeavesNoFileWhereNothingWasLearned) {
    auto learner = start();
    feed_.put({address("127.0.0.1"), 1000});
    learner->collect();
    learner.reset();
    EXPECT_FALSE(fs::exists(options_.file));
}

TEST_F(Learning, CostsNothingBeforeAndAfter) {
    feed_.put({address("8.8.8.8"), 20'000});
    feed_.measure(-1, address("8.8.8.8"));
    std::size_t seen = 0;
    feed_.drain([&](const auto&) { ++seen; });
    start().reset();
    feed_.put({address("8.8.8.8"), 20'000});
    feed_.drain([&](const auto&) { ++seen; });
    EXPECT_EQ(seen, 0U);
    EXPECT_FALSE(fs::exists(options_.file));
}

TEST_F(Learning, AgesGrowOverRestarts) {
    auto learner = start();
    feed_.put({address("8.8.8.8"), 20'000});
    feed_.put({address("8.8.8.8"), 30'000});
    learner.reset();
    written_at(kStart);
    clock_.advance(hours(24 * 10));  // it was not running
    learner = start();
    clock_.advance(hours(12));
    EXPECT_EQ(at_stop(std::move(learner)),
              std::string(kHeader) + "8.8.8.0/24,tokyo,20.000,2,10.500\n");
    written_at(kStart + hours(24 * 10 + 12));
    learner = start();
    feed_.put({address("8.8.8.8"), 21'000});
    EXPECT_EQ(at_stop(std::move(learner)),
              std::string(kHeader) + "8.8.8.0/24,tokyo,20.000,3,0.000\n");
}

TEST_F(Learning, IsWrittenAtTheFirstSampleThenEveryFiveMinutes) {
    const auto rows_on_disk = [&] {
        const auto text = content(options_.file);
        return std::count(text.begin(), text.end(), '\n') - 1;
    };
    // The writer is a thread of its own.
    const auto becomes = [&](auto rows) {
        for (int i = 0; i < 1000 && rows_on_disk() != rows; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return rows_on_disk() == rows;
    };
    auto learner = start();
    learner->collect();
    EXPECT_FALSE(fs::exists(options_.file));
    feed_.put({address("8.8.8.8"), 20'000});
    learner->collect();
    EXPECT_TRUE(becomes(1));
    fs::remove(options_.file);
    feed_.put({address("9.9.9.9"), 20'000});
    clock_.advance(minutes(5) - seconds(1));
    learner->collect();  // not due, so nothing is handed to the writer
    clock_.advance(seconds(1));
    learner->collect();
    EXPECT_TRUE(becomes(2));
    EXPECT_NE(content(options_.file).find("8.8.8.0/24,tokyo,20.000,1,0.003"), std::string::npos);
}

TEST_F(Learning, KeepsAFileThatCannotBeUsedBeside) {
    const std::string row = "8.8.8.0/24,tokyo,20.000,2,1.000\n";
    const std::string bad[] = {
        "",
        "garbage\n\x01\xff",
        std::string(kHeader) + row + "8.8.9.0/24,tokyo,20.000,",              // cut short
        std::string(kHeader) + row + "9.9.9.0/24,virginia,20.000,2,1.000\n",  // of another node
        std::string(kHeader) + row + "AS64500,tokyo,20.000,2,1.000\n",
        std::string(kHeader) + row + "8.8.0.0/16,tokyo,20.000,2,1.000\n",
        "client,region,rtt_ms\n8.8.8.0/24,tokyo,20.000\n",
    };
    int number = 0;
    for (const auto& text : bad) {
        std::ofstream(options_.file, std::ios::binary) << text;
        testing::internal::CaptureStderr();
        auto learner = start();
        const auto said = testing::internal::GetCapturedStderr();
        const auto aside =
            options_.file.string() + (++number == 1 ? ".bad" : ".bad" + std::to_string(number));
        EXPECT_NE(said.find("cannot be used"), std::string::npos) << text;
        EXPECT_NE(said.find("kept as " + aside), std::string::npos) << said;
        EXPECT_EQ(content(aside), text);
        feed_.put({address("9.9.9.9"), 5'000});
        EXPECT_EQ(at_stop(std::move(learner)),
                  std::string(kHeader) + "9.9.9.0/24,tokyo,5.000,1,0.000\n");
    }
}

TEST_F(Learning, NeverReplacesWhatItCouldNotMoveAway) {
    fs::create_directory(options_.file);
    for (int i = 1; i <= 100; ++i) {
        std::ofstream(options_.file.string() + (i == 1 ? ".bad" : ".bad" + std::to_string(i)));
    }
    testing::internal::CaptureStderr();
    auto learner = start();
    EXPECT_NE(testing::internal::GetCapturedStderr().find("nothing learned will be written"),
              std::string::npos);
    feed_.put({address("9.9.9.9"), 5'000});
    learner->collect();
    learner.reset();
    EXPECT_TRUE(fs::is_directory(options_.file));
}

TEST(RttFeeds, DropWhatDoesNotFitAndGoOn) {
    RttFeed feed;
    feed.turn_on();
    for (std::uint32_t i = 1; i <= 10'000; ++i) {
        feed.put({base::IpAddress::v4(i), i});
    }
    std::uint32_t seen = 0;
    feed.drain([&](const auto& sample) { EXPECT_EQ(sample.rtt_us, ++seen); });
    EXPECT_EQ(seen, 4096U);
    feed.put({base::IpAddress::v4(7), 77});
    feed.drain([&](const auto& sample) { seen = sample.rtt_us; });
    EXPECT_EQ(seen, 77U);
}

TEST(RttFeeds, LoseNothingBetweenTwoThreadsThatKeepUp) {
    RttFeed feed;
    feed.turn_on();
    constexpr std::uint32_t kAll = 100'000;
    std::atomic<std::uint32_t> taken{0};
    std::thread accepting([&] {
        for (std::uint32_t i = 1; i <= kAll; ++i) {
            while (i - taken.load() > 4000) {
                std::this_thread::yield();
            }
            feed.put({base::IpAddress::v4(i), i});
        }
    });
    std::uint32_t next = 1;
    while (next <= kAll && !HasFailure()) {
        feed.drain([&](const auto& sample) {
            EXPECT_EQ(sample.rtt_us, next);
            EXPECT_EQ(sample.client.v4_value(), next);
            ++next;
        });
        taken = next - 1;  // only now is there room
    }
    taken = kAll;
    accepting.join();
}

}  // namespace
}  // namespace steerd::server
