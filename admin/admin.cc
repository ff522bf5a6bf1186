// See admin.h. Thread rule: opened and closed by the main thread; handle() runs on HTTP threads.
#include "admin/admin.h"

#include <fmt/format.h>

#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "admin/answer_history.h"
#include "admin/followers.h"
#include "admin/guard.h"
#include "admin/http_server.h"
#include "admin/listening.h"
#include "admin/pump.h"
#include "admin/routes.h"
#include "server/log.h"

namespace steerd::admin {

namespace {

using server::log;
using server::LogLevel;

/// Requests at once and per second, on each address; the Unix socket has its own, so that whoever
/// floods the others does not lock operators out. A thousand followers may come at once.
constexpr double kBurst = 2000;
constexpr double kPerSecond = 500;

/// What one address lets in. Its HTTP thread alone touches the buckets.
struct Door {
    bool local = false;
    base::Bucket rate{kBurst, kPerSecond};
    TokenGate tokens;
};

class Admin {
  public:
    Admin(const server::Desk& desk, const config::Model& model, std::string version)
        : config_(model.admin),
          context_{desk, answers_, std::move(version),
                   fmt::format("{:x}", desk.clock.now().wall.time_since_epoch().count())},
          pump_(desk.clock),
          followers_(Followers::Options{desk.clock, desk.events, context_.boot}) {
        remember_answers();
    }

    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;

    ~Admin() {
        pump_.stop();  // both wake everyone, so that the servers may end
        followers_.stop();
        servers_.clear();
        for (const auto& path : bound_) {
            std::error_code ignored;
            std::filesystem::remove(path, ignored);
        }
    }

    /// nullopt, or what went wrong.
    std::optional<std::string> open_all();

  private:
    std::optional<std::string> open_one(base::Result<server::Fd, std::string> listener, bool local,
                                        const std::string& address);
    void handle(Door& door, const Request& request, const Reply& reply);
    void remember_answers();
    std::optional<Response> refuse(Door& door, const Request& request, const Route& route);

    config::AdminConfig config_;
    AnswerHistory answers_;
    Context context_;
    Pump pump_;
    Followers followers_;
    std::vector<std::unique_ptr<Door>> doors_;
    std::vector<std::unique_ptr<HttpServer>> servers_;
    std::vector<std::filesystem::path> bound_;
};

std::optional<std::string> Admin::open_all() {
    for (const auto& path : config_.unix_sockets) {
        auto listener = listen_unix(path);
        if (listener) {
            bound_.push_back(path);
        }
        if (auto why = open_one(std::move(listener), true, "unix:" + path.string())) {
            return why;
        }
    }
    for (auto address : config_.tcp) {
        auto listener = listen_tcp(address);
        if (auto why = open_one(std::move(listener), false, address.text())) {
            return why;
        }
    }
    return std::nullopt;
}

std::optional<std::string> Admin::open_one(base::Result<server::Fd, std::string> listener,
                                           bool local, const std::string& address) {
    if (!listener) {
        return listener.error();
    }
    auto door = std::make_unique<Door>(
        Door{local, base::Bucket(kBurst, kPerSecond), TokenGate(config_.token_file)});
    auto server = HttpServer::start(
        std::move(*listener),
        {context_.desk.clock, context_.desk.events, pump_, followers_, local, HttpLimits{}},
        [this, &into = *door](const Request& request, Reply reply) {
            handle(into, request, reply);
        });
    if (server == nullptr) {
        return fmt::format("cannot serve HTTP on {}", address);
    }
    doors_.push_back(std::move(door));
    servers_.push_back(std::move(server));
    log(LogLevel::Notice, fmt::format("admin on {}", address));
    return std::nullopt;
}

/// At once, and every few seconds on the pump's thread until it stops.
void Admin::remember_answers() {
    answers_.add(context_.desk.clock.now().mono, context_.desk.snapshots.answers());
    pump_.limit_wait(AnswerHistory::kEvery, [this] { remember_answers(); });
}

std::optional<Response> Admin::refuse(Door& door, const Request& request, const Route& route) {
    if (auto foreign = refuse_foreign(request, config_.hosts)) {
        return foreign;
    }
    return route.changes ? door.tokens.refuse(request, context_.desk.clock.now().mono)
                         : std::nullopt;
}

void Admin::handle(Door& door, const Request& request, const Reply& reply) {
    try {
        if (!door.rate.take(context_.desk.clock.now().mono)) {
            Response slow = failure(429, "too many requests; ask again in a second");
            slow.headers.emplace_back("Retry-After", "1");
            reply(std::move(slow));
            return;
        }
        auto found = find_route(request);
        if (found.route == nullptr) {
            auto foreign = refuse_foreign(request, config_.hosts);
            reply(foreign ? std::move(*foreign) : std::move(found.refusal));
            return;
        }
        if (auto refusal = refuse(door, request, *found.route)) {
            reply(std::move(*refusal));
            return;
        }
        found.route->run({context_, request, std::move(found.rest)}, reply);
    } catch (const std::exception& error) {
        log(LogLevel::Error,
            fmt::format("admin: {} {}: {}", request.method, request.path, error.what()));
        reply(failure(500, "an error inside; see the log"));
    }
}

}  // namespace

base::Result<server::Upstairs, std::string> open(const server::Desk& desk,
                                                 const config::Model& model,
                                                 const std::string& version) {
    if (model.admin.unix_sockets.empty() && model.admin.tcp.empty()) {
        return server::Upstairs();
    }
    auto admin = std::make_shared<Admin>(desk, model, version);
    if (auto why = admin->open_all()) {
        return base::Err{std::move(*why)};
    }
    return server::Upstairs(std::move(admin));
}

}  // namespace steerd::admin
