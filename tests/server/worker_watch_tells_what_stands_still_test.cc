// What an operator is told of threads that stand still and of connections that wait: once, again
// after a minute, and when it is over; never because we were held up ourselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/worker_watch.h"

namespace steerd::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class Watch : public ::testing::Test {
  protected:
    using Lines = std::vector<std::string>;

    /// Looks every 250 ms for so long, with the beats of both threads moving or not.
    Lines pass(base::Duration time, bool first_moves, bool second_moves) {
        Lines said;
        for (base::Duration passed{}; passed < time; passed += milliseconds(250)) {
            now_ += milliseconds(250);
            look(first_moves, second_moves, said);
        }
        return said;
    }

    void look(bool first_moves, bool second_moves, Lines& said) {
        beats_[0] += first_moves ? 1U : 0U;
        beats_[1] += second_moves ? 1U : 0U;
        for (auto& line : watch_.look(now_, beats_, waited_)) {
            said.push_back(std::move(line.text));
        }
    }

    WorkerWatch watch_{{"TCP", "UDP on 192.0.2.1:53"}};
    base::Mono now_{seconds(1000)};
    std::vector<std::uint64_t> beats_{1, 1};
    std::uint64_t waited_ = 0;
};

TEST_F(Watch, SaysNothingWhileAllMove) {
    EXPECT_EQ(pass(seconds(600), true, true), Lines{});
    EXPECT_EQ(watch_.stalled(), 0U);
}

TEST_F(Watch, NamesAThreadThatStandsStillOnceAMinuteAndItsEnd) {
    (void)pass(seconds(10), true, true);
    EXPECT_EQ(pass(milliseconds(2750), true, false), Lines{});
    const auto first = pass(seconds(30), true, false);
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first.front(),
              "the thread for UDP on 192.0.2.1:53 has not moved for 3.0 s: its queries wait");
    EXPECT_EQ(watch_.stalled(), 1U);
    EXPECT_EQ(pass(seconds(90), true, false).size(), 1U);
    const auto over = pass(seconds(60), true, true);
    ASSERT_EQ(over.size(), 1U);
    EXPECT_THAT(over.front(), HasSubstr("UDP on 192.0.2.1:53 moves again after 12"));
    EXPECT_EQ(watch_.stalled(), 0U);
}

TEST_F(Watch, BlamesNobodyForATimeInWhichItWasHeldUpItself) {
    Lines said = pass(seconds(10), true, true);
    now_ += seconds(30);  // the process was stopped
    look(false, false, said);
    EXPECT_EQ(said, Lines{});
    EXPECT_EQ(pass(seconds(2), false, false), Lines{});
    EXPECT_EQ(pass(seconds(10), true, true), Lines{});
}

TEST_F(Watch, TellsThatConnectionsWaitOnceAMinuteAndItsEnd) {
    (void)pass(seconds(10), true, true);
    Lines said;
    for (int i = 0; i < 80; ++i) {
        waited_ += 7;
        const auto more = pass(seconds(1), true, true);
        said.insert(said.end(), more.begin(), more.end());
    }
    ASSERT_EQ(said.size(), 2U);
    EXPECT_THAT(said.front(), HasSubstr("TCP connections wait for a descriptor (7 times"));
    EXPECT_THAT(said.back(), HasSubstr("(420 times"));
    EXPECT_EQ(pass(seconds(60), true, true), Lines{"TCP connections are accepted again"});
}

}  // namespace
}  // namespace steerd::server
