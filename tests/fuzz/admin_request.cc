// Any octets as what a stranger says on an admin connection: to the real HTTP server, its guards
// and every route behind it, with a desk that answers at once. What must hold: every connection
// ends soon after the stranger has said all, and what is answered is HTTP. Over the Unix socket
// changes are let in, so orders' bodies are read; the guard of Host and Origin is asked apart.
// Thread rule: the server's own threads beside the fuzzer's.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "admin/admin.h"
#include "admin/guard.h"
#include "config/model.h"
#include "scene.h"
#include "server/desk.h"
#include "server/fd.h"
#include "target.h"

namespace {

using namespace steerd;  // NOLINT: one file, one purpose

// Who announces a body and sends less is waited for, up to ten seconds: we hang up before. A server
// that hangs itself stops taking connections, and the fuzzer's own limit finds that.
constexpr int kPatience_ms = 250;

/// Goes on a second at each look, so that no bucket of requests runs empty.
class RunningClock final : public base::Clock {
  public:
    [[nodiscard]] base::Now now() const noexcept override {
        const auto seconds = std::chrono::seconds(++looks_);
        return {base::Mono{} + seconds, base::Wall{} + seconds};
    }

  private:
    mutable std::atomic<std::int64_t> looks_{1'000'000};
};

class Server {
  public:
    Server() {
        char folder[] = "/tmp/steerd-fuzz-XXXXXX";
        fuzz::require(mkdtemp(folder) != nullptr, "a folder of its own");
        folder_ = folder;
        snapshots_.publish(std::make_shared<const policy::Snapshot>(fuzz::snapshots().at(1)));
        model_.admin.unix_sockets = {folder_ / "admin.sock"};
        auto opened = admin::open(desk_, model_, "fuzz");
        fuzz::require(bool(opened), "the admin side opens");
        open_ = *opened;
    }

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    ~Server() {
        open_.reset();
        std::filesystem::remove_all(folder_);
    }

    [[nodiscard]] server::Fd connect() const {
        server::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        (folder_ / "admin.sock").string().copy(to.sun_path, sizeof(to.sun_path) - 1);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how sockets are addressed
        const int got = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to));
        fuzz::require(got == 0, "a connection is accepted");
        return fd;
    }

  private:
    void ask(server::DeskRequest request) const {
        if (auto* const ready = std::get_if<server::AskReady>(&request)) {
            ready->reply(true);
        } else if (auto* const status = std::get_if<server::AskStatus>(&request)) {
            auto told = std::make_shared<server::ServerStatus>();
            told->plan = snapshots_.current()->plan;
            status->reply(told);
        } else if (auto* const order = std::get_if<server::AskOrder>(&request)) {
            order->reply({server::OrderOutcome::Done, "", {}});
        } else if (auto* const reload = std::get_if<server::AskReload>(&request)) {
            reload->reply({});
        }
    }

    RunningClock clock_;
    std::filesystem::path folder_;
    server::SnapshotCell snapshots_;
    server::EventLog events_;
    config::Model model_;
    server::Desk desk_{clock_, snapshots_, events_,
                       [this](server::DeskRequest request) { ask(std::move(request)); },
                       [] { return std::vector<const server::WorkerCounters*>(); }};
    server::Upstairs open_;
};

/// All of the text, in two pieces; stops where the server has hung up.
void say(int fd, std::string_view text) {
    const std::size_t half = text.size() / 2;
    for (std::string_view piece : {text.substr(0, half), text.substr(half)}) {
        while (!piece.empty()) {
            const auto sent = ::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return;
            }
            piece.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    ::shutdown(fd, SHUT_WR);
}

/// Until the server ends it or says no more; a stream of events has no end of its own.
std::string hear(int fd) {
    std::string heard;
    char octets[4096];
    while (heard.find("text/event-stream") == std::string::npos) {
        pollfd readable{fd, POLLIN, 0};
        if (::poll(&readable, 1, kPatience_ms) != 1) {
            break;
        }
        const auto got = ::recv(fd, octets, sizeof(octets), 0);
        if (got <= 0) {
            break;
        }
        heard.append(octets, static_cast<std::size_t>(got));
    }
    return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Server server;
    const fuzz::Input input(data, size);
    std::string text(input.text().substr(0, 64 * 1024));
    // A head that never ends is waited for: seconds in which nothing is learnt.
    if (text.find("\r\n\r\n") == std::string::npos) {
        text += "\r\n\r\n";
    }
    const server::Fd fd = server.connect();
    say(fd.get(), text);
    const std::string heard = hear(fd.get());
    fuzz::require(heard.empty() || heard.rfind("HTTP/1.", 0) == 0, "what is answered is HTTP");

    const std::size_t line = text.find('\n');
    const std::string host = text.substr(0, line);
    const std::string origin = line == std::string::npos ? "" : text.substr(line + 1);
    if (admin::origin_is_host(origin, host)) {
        fuzz::require(origin.size() > host.size(), "an origin names a scheme and the host");
    }
    static_cast<void>(admin::host_is_ours(host, {"steerd.example"}));
    return 0;
}
