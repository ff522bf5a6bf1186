// Who may ask, and who may change: Host, Origin, tokens, rates.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "admin/guard.h"

namespace steerd::admin {
namespace {

using std::chrono::seconds;

base::Mono at(int s) { return base::Mono(seconds(1000 + s)); }

TEST(Hosts, AreAddressesLocalhostAndThoseListed) {
    const std::vector<std::string> hosts{"ns1.example.net"};
    for (const char* good :
         {"127.0.0.1", "127.0.0.1:5380", "[::1]:5380", "[::1]", "localhost", "LOCALHOST:1",
          "ns1.example.net", "NS1.example.net.:5380", "192.0.2.1:80"}) {
        EXPECT_TRUE(host_is_ours(good, hosts)) << good;
    }
    for (const char* bad :
         {"", "evil.example", "ns1.example.net.evil.example", "[::1", "localhost.x",
          "127.0.0.1.evil.example:5380", "xlocalhost", ":5380", "[localhost"}) {
        EXPECT_FALSE(host_is_ours(bad, hosts)) << bad;
    }
}

TEST(Origins, MustBeThisVeryHost) {
    EXPECT_TRUE(origin_is_host("http://localhost:5380", "localhost:5380"));
    EXPECT_TRUE(origin_is_host("https://NS1.example.net", "ns1.example.net"));
    for (const char* bad : {"null", "http://evil.example", "http://localhost:5381",
                            "localhost:5380", "http://localhost:5380.evil.example", ""}) {
        EXPECT_FALSE(origin_is_host(bad, "localhost:5380")) << bad;
    }
}

Request from(const std::string& method, bool local = false) {
    Request request;
    request.method = method;
    request.peer.local = local;
    request.peer.address = "192.0.2.7";
    request.headers["host"] = "127.0.0.1:5380";
    return request;
}

TEST(Foreign, HostsAreRefusedOverTcpAndOriginsEverywhere) {
    auto request = from("GET");
    EXPECT_FALSE(refuse_foreign(request, {}));
    request.headers["host"] = "evil.example";
    EXPECT_EQ(refuse_foreign(request, {})->status, 421);
    request.peer.local = true;
    EXPECT_FALSE(refuse_foreign(request, {}));
    request.headers["origin"] = "http://other.example";
    EXPECT_EQ(refuse_foreign(request, {})->status, 403);
    auto cross = from("POST");
    cross.headers["sec-fetch-site"] = "cross-site";
    EXPECT_EQ(refuse_foreign(cross, {})->status, 403);
    cross.method = "GET";  // following a link is fine
    EXPECT_FALSE(refuse_foreign(cross, {}));
}

class Tokens : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name =
            (std::filesystem::temp_directory_path() / "steerd-token-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        file_ = folder_ / "token";
        std::ofstream(file_) << "  s3cret-token\n";
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    static Request with(const std::string& authorization) {
        auto request = from("PUT");
        if (!authorization.empty()) {
            request.headers["authorization"] = authorization;
        }
        return request;
    }

    std::filesystem::path folder_;
    std::filesystem::path file_;
};

TEST_F(Tokens, LetInWhoeverHasThemAndTheUnixSocket) {
    TokenGate gate(file_);
    EXPECT_FALSE(gate.refuse(with("Bearer s3cret-token"), at(0)));
    EXPECT_FALSE(gate.refuse(with("bearer s3cret-token "), at(0)));
    EXPECT_FALSE(gate.refuse(from("PUT", true), at(0)));
}

TEST_F(Tokens, RefuseEverythingElse) {
    TokenGate gate(file_);
    EXPECT_EQ(gate.refuse(with(""), at(0))->status, 401);
    EXPECT_EQ(gate.refuse(with("Bearer wrong"), at(0))->status, 403);
    EXPECT_EQ(gate.refuse(with("Bearer "), at(0))->status, 403);
    EXPECT_EQ(gate.refuse(with("Bearer"), at(0))->status, 403);
    EXPECT_EQ(gate.refuse(with("Basic s3cret-token"), at(0))->status, 403);
    EXPECT_EQ(gate.refuse(with("Bearer s3cret-token2"), at(0))->status, 403);
}

TEST_F(Tokens, AnEmptyOrMissingFileLetsNobodyIn) {
    std::ofstream(file_, std::ios::trunc) << "\n";
    EXPECT_EQ(TokenGate(file_).refuse(with("Bearer "), at(0))->status, 403);
    EXPECT_EQ(TokenGate(folder_ / "none").refuse(with("Bearer x"), at(0))->status, 403);
    EXPECT_EQ(TokenGate(std::nullopt).refuse(with("Bearer x"), at(0))->status, 403);
}

TEST_F(Tokens, MayBeExchangedWithoutARestart) {
    TokenGate gate(file_);
    std::ofstream(file_, std::ios::trunc) << "another";
    EXPECT_EQ(gate.refuse(with("Bearer s3cret-token"), at(0))->status, 403);
    EXPECT_FALSE(gate.refuse(with("Bearer another"), at(0)));
}

TEST_F(Tokens, GuessingIsLockedOutByAddressForAMinute) {
    TokenGate gate(file_);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(gate.refuse(with("Bearer guess"), at(i))->status, 403);
    }
    EXPECT_EQ(gate.refuse(with("Bearer s3cret-token"), at(20))->status, 429);
    auto elsewhere = with("Bearer s3cret-token");
    elsewhere.peer.address = "192.0.2.8";
    EXPECT_FALSE(gate.refuse(elsewhere, at(20)));
    EXPECT_FALSE(gate.refuse(with("Bearer s3cret-token"), at(70)));
}

TEST_F(Tokens, ManyAddressesTakeBoundedMemoryAndKeepTheLatest) {
    TokenGate gate(file_);
    auto request = with("Bearer guess");
    for (int i = 0; i < 10; ++i) {
        (void)gate.refuse(request, at(0));
    }
    for (int i = 0; i < 3000; ++i) {
        request.peer.address = "2001:db8::" + std::to_string(i);
        (void)gate.refuse(request, at(1));
    }
    request = with("Bearer s3cret-token");
    EXPECT_FALSE(gate.refuse(request, at(2)));  // the oldest was forgotten, not kept for ever
}

}  // namespace
}  // namespace steerd::admin
