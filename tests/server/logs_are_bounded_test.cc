// Lines about events are cut down and what is missing is told; an entry of the journal is what its
// protocol says; the threads that answer never wait for the query log.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <thread>

#include "dns/message.h"
#include "server/fd.h"
#include "server/journal.h"
#include "server/log.h"
#include "server/log_limit.h"
#include "server/logfmt.h"
#include "server/query_tap.h"

namespace steerd::server {
namespace {

using std::chrono::seconds;

TEST(Log, TellsWhetherItsReaderKeepsUp) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    const Fd before(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    ASSERT_GE(::dup2(writer.get(), STDERR_FILENO), 0);
    const bool empty = log_has_room();
    std::array<char, 4096> octets{};
    std::size_t written = 0;
    while (log_has_room() && written < 64 * octets.size()) {
        written += static_cast<std::size_t>(::write(STDERR_FILENO, octets.data(), octets.size()));
    }
    const bool filled = log_has_room();
    const auto got = ::read(reader.get(), octets.data(), octets.size());
    const bool drained = log_has_room();
    ASSERT_GE(::dup2(before.get(), STDERR_FILENO), 0);
    EXPECT_TRUE(empty);
    EXPECT_FALSE(filled);
    EXPECT_EQ(written, 32U * 1024U) << "half of a pipe stays for others";
    EXPECT_EQ(got, static_cast<ssize_t>(octets.size()));
    EXPECT_TRUE(drained);
}

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

TEST(Logfmt, QuotesWhatCouldEndAValue) {
    Logfmt line("query");
    line.add("plain", "www.example.com.");
    line.add("empty", "");
    line.add("odd", "a \"b\" \\ \n=\x7f");
    EXPECT_EQ(line.take(),
              "query plain=www.example.com. empty=\"\" odd=\"a \\\"b\\\" \\\\ \\x0a=\\x7f\"");
}

TEST(QueryTap, ARingThatIsFullDropsAndCounts) {
    const TapOrders orders{{config::QueryLogRule{}}, false, 1};
    TapPoint point(orders);
    const auto query = dns::compose_query(dns::Name::parse("a.test.").value(), dns::RrType::A);
    policy::Snapshot snapshot;
    snapshot.generation = 7;
    policy::Request request;
    request.query = query;
    policy::Outcome outcome;
    outcome.size = 20;
    const std::array<std::uint8_t, 20> response{};
    for (int i = 0; i < 2100; ++i) {
        request.draw = static_cast<std::uint64_t>(i);
        point.offer(snapshot, request, outcome, response.data(), 53);
    }
    EXPECT_EQ(point.dropped(), 52U);
    std::uint64_t next = 0;
    const auto in_order = [&](const TapRecord& record) {
        EXPECT_EQ(record.draw, next++);
        EXPECT_EQ(record.generation, 7U);
        EXPECT_EQ(record.query_size, query.size());
        EXPECT_EQ(record.response_size, 0U);
    };
    EXPECT_EQ(point.drain(in_order), 2048U);
    EXPECT_EQ(point.drain(in_order), 0U);
    point.offer(snapshot, request, outcome, response.data(), 53);
    EXPECT_EQ(point.drain([](const TapRecord&) {}), 1U);
}

TEST(QueryTap, OneThreadPutsWhatAnotherTakes) {
    const TapOrders orders{{config::QueryLogRule{}}, true, 1};
    TapPoint point(orders);
    constexpr std::uint64_t kOffers = 50'000;
    std::atomic<bool> done{false};
    std::thread answers([&] {
        policy::Request request;
        policy::Outcome outcome;
        std::array<std::uint8_t, 64> octets{};
        outcome.size = octets.size();
        request.query = octets;
        for (std::uint64_t i = 0; i < kOffers; ++i) {
            octets.fill(static_cast<std::uint8_t>(i));
            request.draw = i;
            point.offer(policy::Snapshot{}, request, outcome, octets.data(), 53);
        }
        done = true;
    });
    std::uint64_t taken = 0;
    std::uint64_t next = 0;
    const auto take = [&](const TapRecord& record) {
        EXPECT_GE(record.draw, next);
        next = record.draw + 1;
        EXPECT_EQ(record.query[0], static_cast<std::uint8_t>(record.draw));
        EXPECT_EQ(record.response[63], record.query[63]);
        ++taken;
    };
    while (!done) {
        (void)point.drain(take);
    }
    answers.join();
    (void)point.drain(take);
    EXPECT_EQ(taken + point.dropped(), kOffers);
}

TEST(QueryTap, WhatIsTooLongIsLeftOut) {
    const TapOrders orders{{}, true, 1};
    TapPoint point(orders);
    const std::vector<std::uint8_t> query(513);
    const std::vector<std::uint8_t> response(1233);
    policy::Request request;
    request.query = query;
    policy::Outcome outcome;
    outcome.size = response.size();
    point.offer(policy::Snapshot{}, request, outcome, response.data(), 53);
    EXPECT_EQ(point.drain([](const TapRecord& record) {
        EXPECT_EQ(record.query_size, 0U);
        EXPECT_EQ(record.response_size, 0U);
        EXPECT_TRUE(record.dnstap);
        EXPECT_FALSE(record.log);
    }),
              1U);
}

}  // namespace
}  // namespace steerd::server
