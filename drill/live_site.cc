// The parent's side: fork, orders over a socket pair, signals.
#include "drill/live_site.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "drill/live_site_loop.h"

namespace steerd::drill {

namespace {

constexpr int kAnswerMs = 5000;  // a machine under load is slow, not broken

}  // namespace

LiveSite::LiveSite(SitePlan plan) : plan_(std::move(plan)) {}

LiveSite::~LiveSite() { kill(); }

bool LiveSite::heard() const noexcept {
    pollfd waiting{control_.get(), POLLIN, 0};
    char answer = 0;
    return ::poll(&waiting, 1, kAnswerMs) == 1 &&
           ::recv(control_.get(), &answer, 1, MSG_DONTWAIT) == 1 && answer == kSiteDone;
}

std::optional<std::string> LiveSite::start() {
    if (pid_ > 0 || plan_.ports.empty()) {
        return std::nullopt;
    }
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return fmt::format("no socket pair for an endpoint: {}", std::strerror(errno));
    }
    control_ = LiveFd(pair[0]);
    LiveFd theirs(pair[1]);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {
            ::_exit(1);  // it died before the line above
        }
        run_site(plan_, theirs.get());
    }
    if (pid_ < 0) {
        return fmt::format("no process for an endpoint: {}", std::strerror(errno));
    }
    theirs.reset();
    if (!heard()) {
        kill();
        return fmt::format("the endpoint at {} did not start listening", plan_.address.text());
    }
    return std::nullopt;
}

void LiveSite::kill() noexcept {
    if (pid_ <= 0) {
        return;
    }
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    frozen_ = false;
    control_.reset();
}

void LiveSite::freeze() {
    if (pid_ > 0 && !frozen_) {
        (void)behave({0, 0, Cut::All});  // the signal below stops it even when this went wrong
        ::kill(pid_, SIGSTOP);
        frozen_ = true;
    }
}

std::optional<std::string> LiveSite::recover() {
    if (pid_ > 0 && frozen_) {
        ::kill(pid_, SIGCONT);
        frozen_ = false;
    }
    return pid_ > 0 ? behave({}) : start();
}

std::optional<std::string> LiveSite::behave(const SiteBehaviour& behaviour) {
    if (pid_ <= 0 || frozen_) {
        return std::nullopt;  // the dead do not behave
    }
    if (::send(control_.get(), &behaviour, sizeof behaviour, MSG_NOSIGNAL) != sizeof behaviour ||
        !heard()) {
        return fmt::format("the endpoint at {} does not take orders", plan_.address.text());
    }
    return std::nullopt;
}

}  // namespace steerd::drill
