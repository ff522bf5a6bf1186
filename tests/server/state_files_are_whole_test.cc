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
    {
        StateWriter writer(file, [](const std::string& why) { FAIL() << why; });
        for (int i = 0; i <= 100; ++i) {
            writer.write([i] { return std::to_string(i); });
        }
    }
    EXPECT_EQ(content(file), "100");
}

TEST_F(StateFiles, TheWriterTellsAFailure) {
    std::mutex mutex;
    std::string told;
    {
        StateWriter writer(folder_ / "nowhere" / "state.json", [&](const std::string& why) {
            const std::lock_guard lock(mutex);
            told = why;
        });
        writer.write([] { return std::string("text"); });
    }
    EXPECT_FALSE(told.empty());
}

}  // namespace
}  // namespace steerd::server
