// exec: the exit status is the verdict, the last line its reason; nothing outlives the deadline.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "harness.h"
#include "health/probers/exec_job.h"

namespace steerd::probers::test {
namespace {

using health::ProbeType;
using ::testing::StartsWith;

health::ProbeSpec shell(const std::string& script) {
    auto spec = spec_of(ProbeType::Exec, 0);
    spec.command = {"/bin/sh", "-c", script};
    return spec;
}

bool no_child_left() {
    return eventually([] { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; });
}

TEST(ExecProbe, JudgesByExitStatus) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"echo fine; exit 0", "pass: exit 0: fine"},
        {"exit 0", "pass: exit 0"},
        {"echo late >&2; exit 1", "slow: exit 1: late"},
        {"echo first; echo 'disk full'; echo; exit 2", "fail: exit 2: disk full"},
        {"exit 3", "inconclusive: exit 3"},
        {"exit 4", "fail: exit 4"},
        {"exit 127", "fail: exit 127"},
        {"kill -SEGV $$", "fail: signal 11"},
        {"printf 'a\\377b\\001c'", "pass: exit 0: a?b?c"},
        {"sleep 100 & echo forked", "pass: exit 0: forked"},
        {"cat", "pass: exit 0"},  // standard input is empty
    };
    std::vector<std::pair<health::ProbeSpec, std::string>> specs;
    for (const auto& [script, verdict] : cases) {
        specs.emplace_back(shell(script), "127.0.0.1");
    }
    Harness harness;
    const auto done = harness.run(specs);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        EXPECT_EQ(outcome_text(done[i].verdict), cases[i].second) << cases[i].first;
    }
    EXPECT_TRUE(no_child_left());
}

TEST(ExecProbe, SaysNothingWhenTheProgramCannotBeStarted) {
    auto missing = shell("");
    missing.command = {"/nonexistent/check"};
    auto not_executable = shell("");
    not_executable.command = {"/etc/passwd"};
    Harness harness;
    const auto done = harness.run({{missing, "127.0.0.1"}, {not_executable, "127.0.0.1"}});
    EXPECT_THAT(outcome_text(done[0].verdict), StartsWith("inconclusive: cannot start: "));
    EXPECT_THAT(outcome_text(done[1].verdict), StartsWith("inconclusive: cannot start: "));
}

TEST(ExecProbe, KillsTheWholeGroupAtTheDeadline) {
    const auto file =
        std::filesystem::temp_directory_path() / ("steerd-exec-" + std::to_string(::getpid()));
    auto hang = shell("trap '' TERM; sleep 100 & echo $! > " + file.string() + "; wait; sleep 100");
    hang.timeout = std::chrono::milliseconds(400);
    Harness harness;
    const auto verdict = harness.run_one(hang);
    EXPECT_EQ(outcome_text(verdict), "fail: timeout after 400ms");
    EXPECT_LT(verdict.latency, std::chrono::milliseconds(1400));
    pid_t grandchild = 0;
    std::ifstream(file) >> grandchild;
    std::filesystem::remove(file);
    ASSERT_GT(grandchild, 0);
    // It may stay a zombie for whoever adopted it, but runs no more.
    EXPECT_TRUE(eventually([grandchild] {
        std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
        std::string pid;
        std::string name;
        std::string state;
        return !(stat >> pid >> name >> state) || state == "Z" || state == "X";
    }));
    EXPECT_TRUE(no_child_left());
}

TEST(ExecProbe, ReadsEndlessOutputAndKeepsItsEnd) {
    auto endless = shell("yes chatter");
    endless.timeout = std::chrono::milliseconds(400);
    const auto much = shell("head -c 3000000 /dev/zero; echo; echo end");
    Harness harness;
    const auto done = harness.run({{endless, "127.0.0.1"}, {much, "127.0.0.1"}});
    EXPECT_EQ(outcome_text(done[0].verdict), "fail: timeout after 400ms");
    EXPECT_EQ(outcome_text(done[1].verdict), "pass: exit 0: end");
    EXPECT_TRUE(no_child_left());
}

TEST(ExecProbe, InheritsNoDescriptorAndNoBlockedSignal) {
    const auto spec = shell("ls /proc/self/fd | wc -l; grep -c 'SigBlk:.0*0$' /proc/self/status");
    Harness harness;
    EXPECT_EQ(outcome_text(harness.run_one(spec)), "pass: exit 0: 1");
    const auto count = shell("ls /proc/self/fd | wc -l | tr -d ' '");
    EXPECT_EQ(outcome_text(harness.run_one(count)), "pass: exit 0: 4");  // and that of ls itself
}

TEST(ExecProbe, PutsTheAddressInEveryArgument) {
    const auto address = base::IpAddress::parse("2001:db8::1").value();
    const std::vector<std::string> command = {"check", "%ADDRESS%", "--url=[%ADDRESS%]/%ADDRESS%"};
    EXPECT_EQ(
        command_for(command, address),
        (std::vector<std::string>{"check", "2001:db8::1", "--url=[2001:db8::1]/2001:db8::1"}));
    auto spec = shell("");
    spec.command = {"/bin/echo", "checking %ADDRESS%"};
    Harness harness;
    EXPECT_EQ(outcome_text(harness.run_one(spec, "127.0.0.9")), "pass: exit 0: checking 127.0.0.9");
}

TEST(LastLine, SkipsBlankLinesAndIsBounded) {
    EXPECT_EQ(last_line(""), "");
    EXPECT_EQ(last_line("\n \n"), "");
    EXPECT_EQ(last_line("one"), "one");
    EXPECT_EQ(last_line("one\n  two \r\n\n"), "two");
    EXPECT_EQ(last_line(std::string(5000, 'x')).size(), 160U);
}

}  // namespace
}  // namespace steerd::probers::test
