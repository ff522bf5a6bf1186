// $INCLUDE: what it restores, how messages name the file, and that it reaches nothing outside the
// folder of the zone's file, nor goes on for ever.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

using dns::RrType;

class Include : public ::testing::Test {
  protected:
    Include() {
        std::string pattern = ::testing::TempDir() + "zonesXXXXXX";
        top_ = ::mkdtemp(pattern.data());
        std::filesystem::create_directory(top_ + "/in");
        folder_ = top_ + "/in";
    }

    ~Include() override { std::filesystem::remove_all(top_); }

    Include(const Include&) = delete;
    Include& operator=(const Include&) = delete;

    void write(const std::string& path, const std::string& text) const {
        std::ofstream(path) << text;
    }

    std::shared_ptr<const Zone> load(const std::string& lines) {
        write(folder_ + "/zone", kHead + lines);
        problems_ = base::Problems();
        return load_zone(name("example.com."), folder_ + "/zone", {}, problems_);
    }

    /// The problems with the folder's path taken out.
    std::string told() const {
        auto text = problems_.text();
        for (auto at = text.find(folder_); at != std::string::npos; at = text.find(folder_)) {
            text.replace(at, folder_.size(), "IN");
        }
        return text;
    }

    std::string top_;
    std::string folder_;
    base::Problems problems_;
};

TEST_F(Include, ReadsAFileAndRestoresOriginAndOwner) {
    std::filesystem::create_directory(folder_ + "/sub");
    write(folder_ + "/sub/a.inc", "x A 192.0.2.1\n$ORIGIN deep\ny A 192.0.2.2\n");
    const auto zone = load(
        "own A 192.0.2.9\n$INCLUDE sub/a.inc sub ; with an origin\n TXT mine\nz A 192.0.2.3\n"
        "$INCLUDE \"sub/a.inc\"\n");
    ASSERT_NE(zone, nullptr) << told();
    for (const auto* owner : {"x.sub.example.com.", "y.deep.sub.example.com.", "z.example.com.",
                              "x.example.com.", "y.deep.example.com."}) {
        EXPECT_EQ(rdata_at(*zone, owner, RrType::A).size(), 1U) << owner;
    }
    EXPECT_EQ(rdata_at(*zone, "own.example.com.", RrType::TXT).size(), 1U);
}

TEST_F(Include, MistakesInsideNameTheIncludedFile) {
    write(folder_ + "/a.inc", "\nx A 1.2\n");
    EXPECT_EQ(load("$INCLUDE a.inc\ny A 3.4\n"), nullptr);
    EXPECT_EQ(told(),
              "IN/a.inc:2:5: error: '1.2' is not an IPv4 address\n"
              "IN/zone:5:5: error: '3.4' is not an IPv4 address");
}

TEST_F(Include, ConflictsAcrossFilesNameBoth) {
    write(folder_ + "/a.inc", "x A 192.0.2.1\n");
    EXPECT_EQ(load("$INCLUDE a.inc\nx CNAME y\n"), nullptr);
    EXPECT_EQ(told(), "IN/zone:5:3: error: CNAME beside A at x.example.com. (see IN/a.inc:1)");
}

TEST_F(Include, RefusesWhatIsOutside) {
    write(top_ + "/secret", "x A 192.0.2.1\n");
    std::filesystem::create_symlink(top_ + "/secret", folder_ + "/link");
    std::filesystem::create_directory_symlink(top_, folder_ + "/up");
    const std::string inside = "': must be a path inside the zone file's folder";
    const std::string out = "': leads out of the zone file's folder";
    for (const auto& [word, why] :
         std::vector<std::pair<std::string, std::string>>{{"../secret", inside},
                                                          {"in/../../secret", inside},
                                                          {"sub/..", inside},
                                                          {top_ + "/secret", inside},
                                                          {"link", out},
                                                          {"up/secret", out}}) {
        EXPECT_EQ(load("$INCLUDE " + word + "\n"), nullptr);
        EXPECT_EQ(told(), "IN/zone:4:10: error: cannot include '" + word + why);
    }
}

TEST_F(Include, FollowsLinksThatStayInside) {
    std::filesystem::create_directory(folder_ + "/..data");
    write(folder_ + "/..data/real", "x A 192.0.2.1\n");
    std::filesystem::create_symlink("..data/real", folder_ + "/link");
    EXPECT_NE(load("$INCLUDE link\n"), nullptr) << told();
}

TEST_F(Include, RefusesWhatIsNoFile) {
    ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
    std::filesystem::create_directory(folder_ + "/dir");
    EXPECT_EQ(load("$INCLUDE pipe\n$INCLUDE dir\n$INCLUDE none\n"), nullptr);
    EXPECT_EQ(told(),
              "IN/zone:4:10: error: cannot include 'pipe': not a regular file\n"
              "IN/zone:5:10: error: cannot include 'dir': not a regular file\n"
              "IN/zone:6:10: error: cannot include 'none': No such file or directory");
}

TEST_F(Include, LoopsEnd) {
    write(folder_ + "/a", "$INCLUDE b\n");
    write(folder_ + "/b", "$INCLUDE a\n");
    EXPECT_EQ(load("$INCLUDE a\n$INCLUDE zone\n"), nullptr);
    EXPECT_EQ(told(),
              "IN/b:1:10: error: 'a' includes itself\n"
              "IN/zone:5:10: error: 'zone' includes itself");
}

TEST_F(Include, DepthIsBounded) {
    for (int i = 0; i < 11; ++i) {
        write(folder_ + "/d" + std::to_string(i),
              "$INCLUDE d" + std::to_string(i + 1) + "\nx" + std::to_string(i) + " A 192.0.2.1\n");
    }
    EXPECT_EQ(load("$INCLUDE d0\n"), nullptr);
    EXPECT_EQ(told(), "IN/d9:1:10: error: includes are over 10 files deep");
}

TEST_F(Include, NumberIsBounded) {
    std::string many;
    for (int i = 0; i < 30; ++i) {
        many += "$INCLUDE l2\n";
    }
    std::string more = many;
    for (auto at = more.find("l2"); at != std::string::npos; at = more.find("l2")) {
        more.replace(at, 2, "l3");
    }
    write(folder_ + "/l1", many);
    write(folder_ + "/l2", more);
    write(folder_ + "/l3", "");
    std::string text;
    for (int i = 0; i < 30; ++i) {
        text += "$INCLUDE l1\n";
    }
    EXPECT_EQ(load(text), nullptr);
    EXPECT_NE(told().find("over 10000 includes in one zone"), std::string::npos);
}

TEST_F(Include, AZoneFileThatCannotBeReadIsAProblem) {
    EXPECT_EQ(load_zone(name("example.com."), folder_ + "/none", {}, problems_), nullptr);
    EXPECT_EQ(told(), "IN/none: error: cannot read: No such file or directory");
    problems_ = base::Problems();
    EXPECT_EQ(load_zone(name("example.com."), folder_, {}, problems_), nullptr);
    EXPECT_EQ(told(), "IN: error: cannot read: not a regular file");
}

TEST_F(Include, RelativePathsOfTheZoneWork) {
    write(folder_ + "/a.inc", "x A 1.2\n");
    write(folder_ + "/zone", kHead + "$INCLUDE a.inc\n");
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
    EXPECT_EQ(load_zone(name("example.com."), "zone", {}, problems_), nullptr);
    std::filesystem::current_path(before);
    EXPECT_EQ(told(), "a.inc:1:5: error: '1.2' is not an IPv4 address");
}

}  // namespace
}  // namespace steerd::zones::testing
