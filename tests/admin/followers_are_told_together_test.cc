// Sockets that follow events: each event reaches all of them, whoever goes or does not read is let
// go, and the end comes to all.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "admin/event_stream.h"
#include "admin/followers.h"

namespace steerd::admin {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Counts who is over; waits with a deadline.
class Ends {
  public:
    std::function<void()> one() {
        return [this] {
            const std::lock_guard lock(mutex_);
            ++count_;
            changed_.notify_all();
        };
    }

    bool reach(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(20), [&] { return count_ >= count; });
    }

    int count() {
        const std::lock_guard lock(mutex_);
        return count_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

struct Pair {
    server::Fd ours;
    server::Fd theirs;
};

Pair pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    const timeval patience{20, 0};
    ::setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return {server::Fd(fds[0]), server::Fd(fds[1])};
}

/// Until `size` octets are there, the peer ends or the deadline comes.
std::string read_from(const server::Fd& fd, std::size_t size) {
    std::string out;
    std::array<char, 4096> room{};
    while (out.size() < size) {
        const auto n = ::recv(fd.get(), room.data(), std::min(room.size(), size - out.size()), 0);
        if (n <= 0) {
            break;
        }
        out.append(room.data(), static_cast<std::size_t>(n));
    }
    return out;
}

control::Event transition(std::uint64_t id) {
    control::Event event;
    event.id = id;
    event.kind = control::EventKind::Transition;
    event.name = "tokyo";
    event.to = "down";
    event.cause = std::string(500, 'x');
    return event;
}

std::string text_after(const server::EventLog& log, std::uint64_t after) {
    std::string text;
    for (;;) {
        const auto more = events_text(log, "abc", after);
        if (more.empty()) {
            return text;
        }
        text += more;
    }
}

class FollowersTest : public ::testing::Test {
  protected:
    Followers::Options options() { return {clock_, log_, "abc", seconds(30), seconds(15)}; }

    base::RealClock clock_;
    server::EventLog log_;
    Ends ends_;
};

TEST_F(FollowersTest, EachIsToldEachEventOnceFromWhereItStands) {
    std::vector<Pair> pairs;  // outlive the followers, whose sockets they are
    Followers followers(options());
    log_.append({transition(1), transition(2)});
    for (std::uint64_t i = 0; i < 60; ++i) {
        pairs.push_back(pair());
        ASSERT_TRUE(followers.take(pairs.back().ours.get(), i % 3, ends_.one()));
    }
    for (std::uint64_t id = 3; id <= 100; ++id) {
        log_.append({transition(id)});
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto expected = text_after(log_, i % 3);
        EXPECT_EQ(read_from(pairs[i].theirs, expected.size()), expected) << i;
    }
    EXPECT_EQ(ends_.count(), 0);
}

TEST_F(FollowersTest, WhoGoesIsNoticedThoughNothingHappens) {
    std::vector<Pair> pairs;
    Followers followers(options());
    for (int i = 0; i < 50; ++i) {
        pairs.push_back(pair());
        ASSERT_TRUE(followers.take(pairs.back().ours.get(), 0, ends_.one()));
    }
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
        pairs[i].theirs.reset();
    }
    EXPECT_TRUE(ends_.reach(25));
    log_.append({transition(1)});
    const auto expected = text_after(log_, 0);
    for (std::size_t i = 1; i < pairs.size(); i += 2) {
        EXPECT_EQ(read_from(pairs[i].theirs, expected.size()), expected);
    }
    EXPECT_EQ(ends_.count(), 25);
}

TEST_F(FollowersTest, CatchingUpLeavesNobodyWhoHadGone) {
    Followers followers(options());
    for (int round = 1; round <= 20; ++round) {
        std::vector<Pair> pairs;
        for (int i = 0; i < 50; ++i) {
            pairs.push_back(pair());
            ASSERT_TRUE(followers.take(pairs.back().ours.get(), 0, ends_.one()));
        }
        for (auto& one : pairs) {
            one.theirs.reset();
        }
        // A busy machine may need more than its patience.
        for (int tries = 0; tries < 100 && ends_.count() < round * 50; ++tries) {
            followers.catch_up();
        }
        ASSERT_EQ(ends_.count(), round * 50);
    }
}

TEST_F(FollowersTest, WhoReadsNothingIsLetGoAndWhoReadsLateGetsAll) {
    auto hasty = options();
    hasty.patience = milliseconds(2500);
    auto never = pair();
    auto late = pair();
    Followers followers(hasty);
    ASSERT_TRUE(followers.take(never.ours.get(), 0, ends_.one()));
    ASSERT_TRUE(followers.take(late.ours.get(), 0, ends_.one()));
    for (std::uint64_t id = 1; id <= 2000; ++id) {
        log_.append({transition(id)});
    }
    const auto expected = text_after(log_, 0);
    EXPECT_EQ(read_from(late.theirs, expected.size()), expected);
    EXPECT_TRUE(ends_.reach(1));
    EXPECT_EQ(ends_.count(), 1);
}

TEST_F(FollowersTest, AQuietStreamIsKeptAlive) {
    auto lively = options();
    lively.keep_alive = milliseconds(100);
    auto one = pair();
    Followers followers(lively);
    ASSERT_TRUE(followers.take(one.ours.get(), 0, ends_.one()));
    EXPECT_EQ(read_from(one.theirs, 6), ":\n\n:\n\n");
    log_.append({transition(1)});
    std::string got;
    while (got.find("\n\n", got.find("id: ")) == std::string::npos) {
        const auto more = read_from(one.theirs, 1);
        ASSERT_FALSE(more.empty()) << got;
        got += more;
    }
    EXPECT_NE(got.find("id: abc-1\ndata: {"), std::string::npos) << got;
}

TEST_F(FollowersTest, TheEndComesToAllAndNobodyIsTakenAfter) {
    std::vector<Pair> pairs;
    Followers followers(options());
    for (int i = 0; i < 50; ++i) {
        pairs.push_back(pair());
        ASSERT_TRUE(followers.take(pairs.back().ours.get(), 0, ends_.one()));
    }
    followers.stop();
    EXPECT_EQ(ends_.count(), 50);
    auto one = pair();
    EXPECT_FALSE(followers.take(one.ours.get(), 0, ends_.one()));
    EXPECT_EQ(ends_.count(), 50);
    log_.append({transition(1)});  // tells nobody
}

}  // namespace
}  // namespace steerd::admin
