#include "drill/live_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace steerd::drill {

namespace {

constexpr std::size_t kMostWords = 200'000;
constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kLastWords = 8;
constexpr std::size_t kMostReply = 65536;

/// The part of a line behind the time or priority that the log begins it with.
std::string_view text_of(std::string_view line) {
    constexpr std::string_view kMark = "transition ";
    const auto at = line.find(kMark);
    return at == std::string_view::npos ? std::string_view{} : line.substr(at + kMark.size());
}

}  // namespace

std::optional<TransitionWord> parse_transition(std::string_view line) {
    const std::string_view text = text_of(line);
    const auto space = text.find(' ');
    const auto colon = text.find(": ", space == std::string_view::npos ? 0 : space);
    if (space == std::string_view::npos || colon == std::string_view::npos) {
        return std::nullopt;
    }
    TransitionWord word;
    word.endpoint = text.substr(0, space);
    word.address = text.substr(space + 1, colon - space - 1);
    const std::string_view change = text.substr(colon + 2);
    const auto arrow = change.find(" -> ");
    if (arrow == std::string_view::npos) {
        return std::nullopt;
    }
    word.from = change.substr(0, arrow);
    const std::string_view to = change.substr(arrow + 4);
    word.to = to.substr(0, to.find(' '));
    return word;
}

LiveServer::LiveServer(std::filesystem::path program, std::filesystem::path folder)
    : program_(std::move(program)), folder_(std::move(folder)) {}

LiveServer::~LiveServer() { kill(); }

std::optional<std::string> LiveServer::start() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return fmt::format("no pipe for the server: {}", std::strerror(errno));
    }
    LiveFd ours(ends[0]);
    const LiveFd theirs(ends[1]);
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    // Everything the child needs is made before the fork.
    const std::string program = program_.string();
    const std::string config = (folder_ / "steerd.toml").string();
    std::array<const char*, 5> arguments{program.c_str(), "serve", "-c", config.c_str(), nullptr};
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::setpgid(0, 0);  // a Ctrl-C is for the drill alone
        if (::getppid() != parent) {
            ::_exit(1);
        }
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        ::dup2(nothing, STDIN_FILENO);
        ::dup2(nothing, STDOUT_FILENO);
        ::dup2(theirs.get(), STDERR_FILENO);
        ::unsetenv("NOTIFY_SOCKET");  // systemd's door to whoever runs the drill
        ::unsetenv("LISTEN_FDS");
        ::execv(program.c_str(), const_cast<char* const*>(arguments.data()));  // NOLINT: its API
        ::_exit(127);
    }
    if (pid_ < 0) {
        return fmt::format("no process for the server: {}", std::strerror(errno));
    }
    log_ = std::move(ours);
    partial_.clear();
    return std::nullopt;
}

void LiveServer::signal(int number) noexcept {
    if (pid_ > 0) {
        ::kill(pid_, number);
    }
}

void LiveServer::kill() noexcept {
    if (pid_ <= 0) {
        return;
    }
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

bool LiveServer::ended_by_itself() noexcept {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        return true;
    }
    return false;
}

void LiveServer::read(base::Mono now) {
    std::array<char, 8192> buffer;
    while (log_) {
        const auto got = ::read(log_.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            if (got == 0) {
                log_.reset();  // a reader that is always ready would spin
            }
            return;
        }
        for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
            if (c != '\n') {
                if (partial_.size() < kLongestLine) {
                    partial_ += c;
                }
            } else if (words_.size() < kMostWords) {
                words_.push_back({now, std::exchange(partial_, {})});
            } else {
                partial_.clear();
            }
        }
    }
}

const ServerWord* LiveServer::find(std::string_view part, std::size_t from) const {
    for (std::size_t i = from; i < words_.size(); ++i) {
        if (words_[i].text.find(part) != std::string::npos) {
            return &words_[i];
        }
    }
    return nullptr;
}

std::string LiveServer::last_words() const {
    std::string out;
    for (std::size_t i = words_.size() - std::min(words_.size(), kLastWords); i < words_.size();
         ++i) {
        out += "\n  " + words_[i].text;
    }
    return out;
}

std::optional<std::string> call_admin(const AdminCall& call, base::Duration timeout) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = call.socket.string();
    if (path.size() >= sizeof address.sun_path) {
        return "the path of the admin socket is too long";
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const LiveFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(timeout).count();
    timeval patience{us / 1'000'000, us % 1'000'000};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fmt::format("the server's admin socket does not answer ({})", std::strerror(errno));
    }
    const std::string request = fmt::format(
        "{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        call.method, call.target, call.body.size(), call.body);
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
        return "the order could not be sent";
    }
    std::string reply;
    std::array<char, 4096> buffer;
    ssize_t got = 0;
    while (reply.size() < kMostReply &&
           (got = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0) {
        reply.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (reply.starts_with("HTTP/1.1 2")) {
        return std::nullopt;
    }
    const auto body = reply.find("\r\n\r\n");
    return fmt::format("refused: {}", body == std::string::npos ? reply.substr(0, 200)
                                                                : reply.substr(body + 4, 400));
}

}  // namespace steerd::drill
