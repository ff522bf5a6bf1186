#include "health/probers/exec_job.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace steerd::probers {

namespace {

constexpr std::size_t kTailOctets = 4096;
/// One turn of the loop reads this much of one program at most, so that a chatterer holds up
/// nobody.
constexpr std::size_t kReadPerTurn = 64 * 1024;
/// More than a pipe holds (pipe(7)): what is there when the program has ended.
constexpr std::size_t kReadAtExit = 256 * 1024;
constexpr std::size_t kMaxReasonLine = 160;

}  // namespace

std::vector<std::string> command_for(const std::vector<std::string>& command,
                                     const base::IpAddress& address) {
    constexpr std::string_view kMark = "%ADDRESS%";
    const std::string text = address.text();
    std::vector<std::string> out = command;
    for (std::string& argument : out) {
        for (std::size_t at = argument.find(kMark); at != std::string::npos;
             at = argument.find(kMark, at + text.size())) {
            argument.replace(at, kMark.size(), text);
        }
    }
    return out;
}

std::string last_line(std::string_view output) {
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t end = output.find_last_not_of(kBlank);
    if (end == std::string_view::npos) {
        return {};
    }
    output = output.substr(0, end + 1);
    output.remove_prefix(output.find_last_of('\n') + 1);  // npos + 1 is 0
    output.remove_prefix(output.find_first_not_of(kBlank));
    return printable(output, kMaxReasonLine);
}

ExecJob::ExecJob(uv_loop_t* loop, Children& children, const base::IpAddress& address,
                 std::shared_ptr<const health::ProbeSpec> spec, Done done)
    : loop_(loop),
      children_(children),
      address_(address),
      spec_(std::move(spec)),
      done_(std::move(done)) {}

ExecJob::~ExecJob() {
    output_poll_.reset();
    exit_poll_.reset();
    if (child_ != nullptr) {
        children_.let_go(std::move(child_));
    }
}

void ExecJob::begin() {
    auto child = Children::start(command_for(spec_->command, address_));
    if (!child) {
        done_({health::Outcome::Inconclusive, "cannot start: " + child.error()});
        return;
    }
    child_ = std::move(child).value();
    output_poll_ = std::make_unique<UvPoll>([this](int) { on_output(); });
    exit_poll_ = std::make_unique<UvPoll>([this](int) { on_exit(); });
    if (output_poll_->open(loop_, child_->output()) != 0 ||
        exit_poll_->open(loop_, child_->pidfd()) != 0) {
        done_({health::Outcome::Inconclusive, "cannot watch the program"});
        return;
    }
    output_poll_->watch(UV_READABLE);
    exit_poll_->watch(UV_READABLE);
}

bool ExecJob::read_output(std::size_t limit) {
    std::array<char, 16 * 1024> chunk;
    for (std::size_t total = 0; total < limit;) {
        const ssize_t got = ::read(child_->output(), chunk.data(), chunk.size());
        if (got <= 0) {
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        }
        const auto size = static_cast<std::size_t>(got);
        total += size;
        tail_.append(chunk.data(), size);
        if (tail_.size() > kTailOctets) {
            tail_.erase(0, tail_.size() - kTailOctets);
        }
    }
    return true;
}

void ExecJob::on_output() {
    if (!read_output(kReadPerTurn)) {
        output_poll_->stop();  // closed; the program may still run
    }
}

void ExecJob::on_exit() {
    Child::Exit exit;
    if (!child_->try_reap(exit)) {
        return;
    }
    output_poll_->stop();
    exit_poll_->stop();
    static_cast<void>(read_output(kReadAtExit));
    done_(judge_exit(exit));
}

Judgement ExecJob::judge_exit(const Child::Exit& exit) const {
    using health::Outcome;
    if (exit.lost) {
        return {Outcome::Inconclusive, "exit status lost"};
    }
    std::string words = (exit.signalled ? "signal " : "exit ") + std::to_string(exit.code);
    if (const std::string line = last_line(tail_); !line.empty()) {
        words += ": " + line;
    }
    if (exit.signalled) {
        return {Outcome::Fail, std::move(words)};
    }
    switch (exit.code) {
        case 0:
            return {Outcome::Pass, std::move(words)};
        case 1:
            return {Outcome::Slow, std::move(words)};
        case 3:
            return {Outcome::Inconclusive, std::move(words)};
        default:
            return {Outcome::Fail, std::move(words)};
    }
}

}  // namespace steerd::probers
