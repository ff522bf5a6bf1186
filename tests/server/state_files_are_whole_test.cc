// State files: written whole or not at all, the newest text wins, a failure is told.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>

#include "server/state_writer.h"

namespace steerd::server {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
    std::ifstream in(file);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

class StateFiles : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "steerd-state-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }

    void TearDown() override { fs::remove_all(folder_); }

    fs::path folder_;
};

TEST_F(StateFiles, AreReplacedWholeAndLeaveNothingBehind) {
    const auto file = folder_ / "state.json";
    EXPECT_EQ(write_atomically(file, "one"), std::nullopt);
    EXPECT_EQ(write_atomically(file, "two"), std::nullopt);
    EXPECT_EQ(content(file), "two");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(StateFiles, AFolderThatIsGoneIsToldInWords) {
    const auto why = write_atomically(folder_ / "nowhere" / "state.json", "text");
    ASSERT_TRUE(why);
    EXPECT_NE(why->find("nowhere"), std::string::npos);
}

TEST_F(StateFiles, TheWriterEndsWithTheNewestTextOnDisk) {
    const auto file = folder_ / "state.json";
    std::uint64_t last = 0;  // told only once it is on disk
    {
        StateWriter writer(file, [&](std::uint64_t version, const auto& why) {
            EXPECT_EQ(why, std::nullopt);
            EXPECT_GT(version, last);
            EXPECT_EQ(content(file), std::to_string(version));
            last = version;
        });
        for (std::uint64_t i = 1; i <= 100; ++i) {
            writer.write(i, [i] { return std::to_string(i); });
        }
    }
    EXPECT_EQ(last, 100U);
    EXPECT_EQ(content(file), "100");
}

TEST_F(StateFiles, TheWriterTellsAFailure) {
    std::mutex mutex;
    std::string told;
    {
        StateWriter writer(folder_ / "nowhere" / "state.json", [&](std::uint64_t, const auto& why) {
            const std::lock_guard lock(mutex);
            told = why.value_or("");
        });
        writer.write(1, [] { return std::string("text"); });
    }
    EXPECT_FALSE(told.empty());
}

}  // namespace
}  // namespace steerd::server
