// The file of cookie secrets, every way to get it wrong, and its exchange by a reload.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/cookie_secrets.h"
#include "server/loader.h"

namespace steerd::server {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kOne = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const std::string kTwo = "DD3BDF9344B678B185A6F5CB60FCA715";

class CookieSecretsFile : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "steerd-cookies-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        file_ = folder_ / "secrets";
    }

    void TearDown() override { fs::remove_all(folder_); }

    void write(const std::string& text, fs::perms mode = fs::perms::owner_read) {
        fs::remove(file_);
        std::ofstream(file_, std::ios::binary) << text;
        fs::permissions(file_, mode);
    }

    std::optional<dns::CookieSecrets> read(const std::string& text,
                                           fs::perms mode = fs::perms::owner_read) {
        write(text, mode);
        problems_ = {};
        return read_cookie_secrets(file_, problems_);
    }

    std::string refused(const std::string& text) {
        EXPECT_FALSE(read(text)) << text;
        EXPECT_TRUE(problems_.has_errors());
        EXPECT_THAT(problems_.text(), Not(HasSubstr(kOne.substr(0, 30)))) << "secrets stay secret";
        return problems_.text();
    }

    LoadedPlan load(const LoadOptions& options = {}) {
        std::ofstream(folder_ / "zone") << "$TTL 60\n@ SOA ns1 host 1 60 60 60 60\n@ NS ns1\n"
                                           "ns1 A 192.0.2.53\n";
        std::ofstream(folder_ / "steerd.toml")
            << "[server]\nlisten = [\"127.0.0.1:0\"]\n"
            << (fs::exists(file_) ? "cookie_secrets = \"secrets\"\n" : "")
            << "[geo]\ncountry_table = \"none\"\n[zones.\"example.com\"]\nfile = \"zone\"\n";
        return load_plan(folder_ / "steerd.toml", options);
    }

    /// A reload, of a process that was started with `start`.
    static LoadOptions after(const LoadedPlan& previous, const LoadedPlan& start) {
        LoadOptions options;
        options.previous = previous.plan;
        options.running = start.model;
        return options;
    }

    fs::path folder_;
    fs::path file_;
    base::Problems problems_;
};

TEST_F(CookieSecretsFile, OneOrTwoWithWordsAboutThem) {
    const auto one = read(kOne);
    ASSERT_TRUE(one);
    EXPECT_EQ(one->count, 1U);
    EXPECT_EQ(one->secrets[0][0], 0xE5);
    EXPECT_EQ(one->secrets[0][15], 0xCF);
    const auto two =
        read("# made by hand\r\n\r\n  " + kTwo + "\t\r\n; the old one\n" + kOne + "\n");
    ASSERT_TRUE(two);
    EXPECT_EQ(two->count, 2U);
    EXPECT_EQ(two->secrets[0][0], 0xDD);
    EXPECT_EQ(two->secrets[1], one->secrets[0]);
    EXPECT_EQ(problems_.text(), "");
}

TEST_F(CookieSecretsFile, EveryMistakeHasItsPlace) {
    EXPECT_THAT(refused("\n" + kOne.substr(1) + "\n" + kOne + "0\n"),
                ::testing::AllOf(HasSubstr("secrets:2:1: error: a cookie secret has 32"),
                                 HasSubstr("secrets:3:1: error")));
    EXPECT_THAT(refused(kOne.substr(0, 30) + "0g"), HasSubstr("secrets:1:1: error"));
    EXPECT_THAT(refused(kOne.substr(0, 30) + "+1"), HasSubstr("secrets:1:1: error"));
    EXPECT_THAT(refused(kOne + "\n" + kTwo + "\n" + kOne + "\n"),
                HasSubstr("secrets:3:1: error: more than 2"));
    EXPECT_THAT(refused("# nothing\n"), HasSubstr("has no cookie secret"));
    EXPECT_THAT(refused(""), HasSubstr("has no cookie secret"));
    EXPECT_THAT(refused(std::string(5000, '\n')), HasSubstr("more than 4096 octets"));
    fs::remove(file_);
    EXPECT_FALSE(read_cookie_secrets(file_, problems_));
    EXPECT_THAT(problems_.text(), HasSubstr("cannot be read: No such file"));
    problems_ = {};
    EXPECT_FALSE(read_cookie_secrets(folder_, problems_)) << "a folder";
}

TEST_F(CookieSecretsFile, ThatOthersMayReadIsAWarning) {
    EXPECT_TRUE(read(kOne, fs::perms::owner_read | fs::perms::others_read));
    EXPECT_THAT(problems_.text(), HasSubstr("warning: everyone on this machine may read"));
}

TEST_F(CookieSecretsFile, AReloadReadsItAnewAndABadOneChangesNothing) {
    write(kOne);
    const auto first = load();
    ASSERT_NE(first.plan, nullptr) << first.problems.text();
    EXPECT_EQ(first.plan->cookies.count, 1U);
    write(kTwo + "\n" + kOne);
    const auto second = load(after(first, first));
    ASSERT_NE(second.plan, nullptr);
    EXPECT_EQ(second.plan->cookies.count, 2U);
    EXPECT_EQ(second.plan->cookies.secrets[1], first.plan->cookies.secrets[0]);
    write("broken");
    const auto third = load(after(second, first));
    EXPECT_EQ(third.plan, nullptr);
    EXPECT_THAT(third.problems.text(), HasSubstr("secrets:1:1: error"));
}

TEST_F(CookieSecretsFile, WithoutOneASecretIsMadeAtStartAndKept) {
    const auto first = load();
    ASSERT_NE(first.plan, nullptr) << first.problems.text();
    EXPECT_EQ(first.plan->cookies.count, 1U);
    EXPECT_NE(first.plan->cookies, load().plan->cookies) << "another process, another secret";
    const auto reloaded = load(after(first, first));
    EXPECT_EQ(reloaded.plan->cookies, first.plan->cookies);
}

}  // namespace
}  // namespace steerd::server
