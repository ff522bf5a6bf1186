// Lines about events are cut down and what is missing is told; an entry of the journal is what its
// protocol says.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "server/fd.h"
#include "server/journal.h"
#include "server/log_limit.h"

namespace steerd::server {
namespace {

using std::chrono::seconds;

TEST(LogLimit, CutsDownAFloodAndTellsHowMuchIsMissing) {
    LogLimit limit;
    const base::Mono start{seconds(100)};
    int written = 0;
    for (int i = 0; i < 5000; ++i) {
        written += limit.take(start) ? 1 : 0;
    }
    EXPECT_EQ(written, 1000);
    EXPECT_EQ(limit.untold(start), 4000U);
    EXPECT_FALSE(limit.take(start));
    EXPECT_EQ(limit.untold(start + seconds(1)), 0U);  // too early to tell again
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(limit.take(start + seconds(1))) << i;
    }
    EXPECT_FALSE(limit.take(start + seconds(1)));
    EXPECT_EQ(limit.untold(start + seconds(11)), 2U);
    EXPECT_EQ(limit.untold(start + seconds(30)), 0U);
    EXPECT_EQ(limit.suppressed(), 4002U);
}

TEST(Journal, AnEntryHasFieldsAndNoLineThatWasNotMeant) {
    const std::array fields{LogField{"ENDPOINT", "tokyo"}, LogField{"WHO", ""},
                            LogField{"CAUSE", "a\nMESSAGE=b"}};
    EXPECT_EQ(journal_entry(5, "hello", fields),
              std::string("PRIORITY=5\nSYSLOG_IDENTIFIER=steerd\nMESSAGE=hello\n"
                          "STEERD_ENDPOINT=tokyo\nSTEERD_CAUSE\n\x0b\0\0\0\0\0\0\0a\nMESSAGE=b\n",
                          105));
}

TEST(Journal, IsSentToWhoListens) {
    const auto path =
        std::filesystem::temp_directory_path() / ("steerd-journal-" + std::to_string(::getpid()));
    EXPECT_FALSE(send_to_journal(path.c_str(), "x"));
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_TRUE(send_to_journal(path.c_str(), "MESSAGE=x\n"));
    std::array<char, 64> got{};
    ASSERT_EQ(::recv(fd.get(), got.data(), got.size(), MSG_DONTWAIT), 10);
    EXPECT_EQ(std::string_view(got.data(), 10), "MESSAGE=x\n");
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace steerd::server
