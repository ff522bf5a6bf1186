#include "health/probers/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace steerd::probers {

namespace {

constexpr int kFirstForeignFd = 3;
constexpr int kMaxWaitMs = 500;

/// What a child is started with; the attributes of posix_spawn(3) as one value.
class SpawnSetup {
  public:
    explicit SpawnSetup(int output) {
        good_ = posix_spawn_file_actions_init(&actions_) == 0 && posix_spawnattr_init(&attr_) == 0;
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        const short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        good_ = good_ && posix_spawnattr_setflags(&attr_, flags) == 0 &&
                posix_spawnattr_setsigmask(&attr_, &none) == 0 &&
                posix_spawnattr_setsigdefault(&attr_, &all) == 0 &&
                posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0) == 0 &&
                posix_spawn_file_actions_adddup2(&actions_, output, 1) == 0 &&
                posix_spawn_file_actions_adddup2(&actions_, output, 2) == 0 &&
                posix_spawn_file_actions_addclosefrom_np(&actions_, kFirstForeignFd) == 0;
    }

    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;

    ~SpawnSetup() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attr_);
    }

    /// 0 or an errno.
    [[nodiscard]] int spawn(const std::vector<std::string>& command, pid_t& pid) const {
        if (!good_) {
            return ENOMEM;
        }
        std::vector<char*> arguments;
        for (const std::string& argument : command) {
            arguments.push_back(const_cast<char*>(argument.c_str()));  // the C API lacks a const
        }
        arguments.push_back(nullptr);
        return ::posix_spawnp(&pid, arguments[0], &actions_, &attr_, arguments.data(), environ);
    }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attr_{};
    bool good_ = false;
};

}  // namespace

Child::Child(pid_t pid, Fd pidfd, Fd output) noexcept
    : pid_(pid), pidfd_(std::move(pidfd)), output_(std::move(output)) {}

void Child::kill_group() const noexcept {
    if (!reaped_) {
        ::kill(-pid_, SIGKILL);  // until it is reaped the number is its own
    }
}

bool Child::try_reap(Exit& exit) noexcept {
    siginfo_t info{};
    const auto id = static_cast<id_t>(pid_);
    if (::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        reaped_ = true;  // so its number may be another's by now
        exit.lost = true;
        return true;
    }
    if (info.si_pid == 0) {
        return false;  // still running
    }
    kill_group();
    int status = 0;
    ::waitpid(pid_, &status, WNOHANG);
    reaped_ = true;
    exit.signalled = WIFSIGNALED(status);
    exit.code = exit.signalled ? WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

base::Result<std::unique_ptr<Child>, std::string> Children::start(
    const std::vector<std::string>& command) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return base::Err{error_words(errno, Reported::AtOnce)};
    }
    Fd reading(ends[0]);
    const Fd writing(ends[1]);
    ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
    pid_t pid = 0;
    if (const int error = SpawnSetup(writing.get()).spawn(command, pid); error != 0) {
        return base::Err{error_words(error, Reported::AtOnce)};
    }
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // close-on-exec by itself
    if (!pidfd.valid()) {
        const int error = errno;
        ::kill(-pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return base::Err{error_words(error, Reported::AtOnce)};
    }
    return std::make_unique<Child>(pid, std::move(pidfd), std::move(reading));
}

void Children::let_go(std::unique_ptr<Child> child) {
    reap_unwatched();
    child->close_output();
    child->kill_group();
    Child::Exit ignored;
    if (child->reaped() || child->try_reap(ignored)) {
        return;
    }
    const auto place = going_.emplace(going_.end(), Going{std::move(child), nullptr});
    auto poll = std::make_unique<UvPoll>([this, place](int) {
        Child::Exit exit;
        if (place->child->try_reap(exit)) {
            going_.erase(place);
        }
    });
    if (poll->open(loop_, place->child->pidfd()) == 0) {
        place->poll = std::move(poll);
        place->poll->watch(UV_READABLE);
    }
}

void Children::reap_unwatched() {
    going_.remove_if([](const Going& going) {
        Child::Exit ignored;
        return going.poll == nullptr && going.child->try_reap(ignored);
    });
}

Children::~Children() {
    int left_ms = kMaxWaitMs;
    for (Going& going : going_) {
        Child::Exit ignored;
        while (!going.child->try_reap(ignored) && left_ms > 0) {
            pollfd waiting{going.child->pidfd(), POLLIN, 0};
            ::poll(&waiting, 1, 1);
            --left_ms;
        }
    }
}

}  // namespace steerd::probers
