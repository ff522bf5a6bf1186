// HTTP/1.1 on one listening socket, by libmicrohttpd on a thread of its own (RFC 9112 is its
// business). Turns what came into a Request and hands it to the one handler; a reply that comes
// later wakes the connection. Everything is bounded: header and body sizes, connections, followers
// of events, the time to say what is wanted, the time a reply may take.
// The only file but pump.cc that knows the library. Thread rule: made and destroyed by the main
// thread; the handler is called on the server's own thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "admin/followers.h"
#include "admin/http.h"
#include "admin/pump.h"
#include "base/clock.h"
#include "server/event_log.h"
#include "server/fd.h"

namespace steerd::admin {

struct HttpLimits {
    std::size_t body = 16 * 1024;
    unsigned connections = 1280;
    unsigned followers = 1024;
    base::Duration to_ask = std::chrono::seconds(10);    // from accept to a whole request
    base::Duration to_reply = std::chrono::seconds(30);  // from a whole request to its reply
    base::Duration idle = std::chrono::seconds(30);      // a reader that takes nothing
};

class HttpServer {
  public:
    struct Options {
        const base::Clock& clock;
        server::EventLog& events;
        Pump& pump;
        Followers& crowd;
        bool local = false;  // a Unix socket
        HttpLimits limits;
    };

    /// Must not throw.
    using Handler = std::function<void(const Request&, Reply)>;

    /// nullptr where the library refuses.
    [[nodiscard]] static std::unique_ptr<HttpServer> start(server::Fd listener, Options options,
                                                           Handler handler);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    /// REQUIRES: the pump and the crowd were stopped.
    ~HttpServer();

  private:
    struct Impl;
    explicit HttpServer(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace steerd::admin
