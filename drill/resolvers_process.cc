#include "drill/resolvers_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"

namespace steerd::drill {

namespace {

constexpr std::size_t kMostSaid = 8192;
constexpr int kPollMs = 20;

}  // namespace

ResolverProcess::ResolverProcess(std::filesystem::path program, std::vector<std::string> arguments,
                                 std::filesystem::path folder)
    : program_(std::move(program)), arguments_(std::move(arguments)), folder_(std::move(folder)) {}

ResolverProcess::~ResolverProcess() { kill(); }

std::optional<std::string> ResolverProcess::start() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return fmt::format("no pipe: {}", std::strerror(errno));
    }
    LiveFd ours(ends[0]);
    const LiveFd theirs(ends[1]);
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    // Everything the child needs is made before the fork.
    const std::string program = program_.string();
    const std::string folder = folder_.string();
    std::vector<const char*> arguments{program.c_str()};
    for (const std::string& argument : arguments_) {
        arguments.push_back(argument.c_str());
    }
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::setpgid(0, 0);  // a Ctrl-C is for the drill alone
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        if (::getppid() != parent || ::chdir(folder.c_str()) != 0 ||
            ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(theirs.get(), STDOUT_FILENO) < 0 ||
            ::dup2(theirs.get(), STDERR_FILENO) < 0) {
            ::_exit(126);
        }
        ::unsetenv("NOTIFY_SOCKET");  // systemd's door to whoever runs the drill
        ::unsetenv("LISTEN_FDS");
        ::execv(program.c_str(), const_cast<char* const*>(arguments.data()));  // NOLINT: its API
        ::_exit(127);
    }
    if (pid_ < 0) {
        return fmt::format("no process: {}", std::strerror(errno));
    }
    output_ = std::move(ours);
    return std::nullopt;
}

void ResolverProcess::read() {
    std::array<char, 4096> buffer;
    while (output_) {
        const auto got = ::read(output_.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got == 0) {
            output_.reset();
        }
        if (got <= 0) {
            return;
        }
        said_.append(buffer.data(), static_cast<std::size_t>(got));
        if (said_.size() > kMostSaid) {
            said_.erase(0, said_.size() - kMostSaid);
        }
    }
}

void ResolverProcess::kill() noexcept {
    if (pid_ <= 0) {
        return;
    }
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

bool ResolverProcess::running() noexcept {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
    }
    return pid_ > 0;
}

std::string output_of(const std::filesystem::path& program, std::vector<std::string> arguments,
                      int seconds) {
    const base::RealClock clock;
    const base::Mono deadline = clock.now().mono + std::chrono::seconds(seconds);
    ResolverProcess process(program, std::move(arguments), "/");
    if (process.start()) {
        return {};
    }
    while (process.running() && clock.now().mono < deadline) {
        process.read();
        ::poll(nullptr, 0, kPollMs);
    }
    process.read();
    return process.said();
}

}  // namespace steerd::drill
