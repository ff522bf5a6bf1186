// A drill that was killed leaves its directory; the next one removes it, and nothing else.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "drill/live_folder.h"

namespace steerd::drill {
namespace {

namespace fs = std::filesystem;

class LiveFolders : public testing::Test {
  protected:
    void SetUp() override {
        std::string path = fs::temp_directory_path() / "steerd-test-XXXXXX";
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        home_ = path;
        const char* const old = std::getenv("TMPDIR");
        before_ = old == nullptr ? "" : old;
        ::setenv("TMPDIR", path.c_str(), 1);
    }

    void TearDown() override {
        if (before_.empty()) {
            ::unsetenv("TMPDIR");
        } else {
            ::setenv("TMPDIR", before_.c_str(), 1);
        }
        fs::remove_all(home_);
    }

    /// The directory of a process that ends without its destructors.
    fs::path left_by_another() {
        const pid_t pid = ::fork();
        if (pid == 0) {
            const LiveFolder folder;
            fs::create_directory(folder.path() / "state");
            fs::create_symlink(home_ / "kept", folder.path() / "state" / "link");
            std::ofstream(home_ / "path") << folder.path().string();
            ::_exit(folder.path().empty() ? 1 : 0);
        }
        int status = -1;
        ::waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
        std::string path;
        std::ifstream(home_ / "path") >> path;
        EXPECT_TRUE(fs::is_directory(path));
        return path;
    }

    fs::path home_;

  private:
    std::string before_;
};

TEST_F(LiveFolders, GoWithTheirDrill) {
    fs::path path;
    {
        const LiveFolder folder;
        path = folder.path();
        ASSERT_TRUE(fs::is_directory(path));
        EXPECT_EQ(path.parent_path(), home_);
        std::ofstream(path / "file") << "x";
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(LiveFolders, OfKilledDrillsGoWithTheNext) {
    fs::create_directory(home_ / "kept");
    std::ofstream(home_ / "kept" / "file") << "x";
    const fs::path left = left_by_another();
    const LiveFolder next;
    EXPECT_FALSE(fs::exists(left));
    EXPECT_TRUE(fs::is_directory(next.path()));
    EXPECT_TRUE(fs::exists(home_ / "kept" / "file")) << "a link was followed";
}

TEST_F(LiveFolders, OfOthersStay) {
    const LiveFolder alive;
    const fs::path left = left_by_another();  // this finds `alive` and lets it be
    fs::create_directory(home_ / "steerd-drill-nolock");
    fs::create_directory(home_ / "elsewhere");
    fs::copy(left, home_ / "elsewhere" / "drill",
             fs::copy_options::copy_symlinks | fs::copy_options::recursive);
    fs::create_directory_symlink(home_ / "elsewhere" / "drill", home_ / "steerd-drill-linked");
    EXPECT_EQ(remove_left_folders(home_), 1U);
    EXPECT_FALSE(fs::exists(left));
    EXPECT_TRUE(fs::exists(alive.path()));
    EXPECT_TRUE(fs::exists(home_ / "steerd-drill-nolock"));
    EXPECT_TRUE(fs::exists(home_ / "steerd-drill-linked"));
    EXPECT_TRUE(fs::exists(home_ / "elsewhere" / "drill" / "drill.lock"));
    EXPECT_EQ(remove_left_folders(home_ / "nowhere"), 0U);
}

}  // namespace
}  // namespace steerd::drill
