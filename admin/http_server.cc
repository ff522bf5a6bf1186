// See http_server.h. A connection with a route's answer under way is suspended: the library then
// spends nothing on it, and the pump resumes it. One that follows events is suspended for good once
// the past is sent: its socket is followers.h's until that lets it go.
// Thread rule: callbacks run on the library's one thread for this socket; Exchange::reply on any.
#include "admin/http_server.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdarg>
#include <exception>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "admin/event_stream.h"
#include "admin/peer.h"
#include "base/text.h"
#include "server/log.h"

namespace steerd::admin {

namespace {

constexpr std::size_t kConnectionMemory = 16 * 1024;  // request line and headers
constexpr std::size_t kStreamBlock = 4096;
constexpr std::array<std::string_view, 6> kHeaders{
    "host", "origin", "authorization", "last-event-id", "sec-fetch-site", "content-length"};

/// One request and its reply.
class Exchange {
  public:
    Exchange(MHD_Connection* at, Pump& pump) : connection_(at), pump_(pump) {}

    Request request;
    bool asked = false;
    bool too_large = false;
    std::uint64_t wait = 0;

    /// From any thread; only the first counts.
    void reply(Response response) {
        bool wake = false;
        {
            const std::lock_guard lock(mutex_);
            if (response_ || taken_) {
                return;
            }
            response_ = std::move(response);
            wake = suspended_;
        }
        if (wake) {
            pump_.wake(connection_);
        }
    }

    /// The reply if it is there; else puts the connection to sleep until it is.
    /// Where it can neither be had nor waited for, the server stops.
    std::optional<Response> take_or_sleep() {
        const std::lock_guard lock(mutex_);
        if (response_) {
            taken_ = true;
            return std::exchange(response_, std::nullopt);
        }
        suspended_ = pump_.sleep(connection_);
        return std::nullopt;
    }

    [[nodiscard]] bool sleeps() const {
        const std::lock_guard lock(mutex_);
        return suspended_;
    }

  private:
    MHD_Connection* connection_;
    Pump& pump_;
    mutable std::mutex mutex_;
    std::optional<Response> response_;
    bool suspended_ = false;
    bool taken_ = false;
};

using ExchangePointer = std::shared_ptr<Exchange>;

struct Following {
    EventStream stream;
    MHD_Connection* connection;
    int fd;
    Followers& crowd;
    std::atomic<unsigned>& followers;
    bool handed = false;  // to the crowd
};

ssize_t read_events(void* cls, std::uint64_t, char* out, std::size_t most) {
    auto& following = *static_cast<Following*>(cls);
    const std::size_t n = following.handed ? 0 : following.stream.read({out, most});
    if (n > 0) {
        return static_cast<ssize_t>(n);
    }
    if (following.handed || !following.stream.follows()) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    // The library asks for more only when all before is with the kernel.
    auto* const connection = following.connection;
    MHD_suspend_connection(connection);
    following.handed = true;
    const auto over = [connection, &followers = following.followers] {
        --followers;
        MHD_resume_connection(connection);
    };
    if (following.crowd.take(following.fd, following.stream.seen(), over)) {
        return 0;
    }
    --following.followers;
    MHD_resume_connection(connection);
    return MHD_CONTENT_READER_END_OF_STREAM;
}

void end_following(void* cls) {
    const std::unique_ptr<Following> following(static_cast<Following*>(cls));
    if (!following->handed) {
        --following->followers;
    }
}

MHD_Result add_query(void* cls, MHD_ValueKind, const char* key, const char* value) {
    static_cast<Request*>(cls)->query[key] = value == nullptr ? "" : value;
    return MHD_YES;
}

MHD_Result add_header(void* cls, MHD_ValueKind, const char* key, const char* value) {
    const std::string name = base::ascii_lower(key);
    if (std::ranges::find(kHeaders, name) != kHeaders.end()) {
        static_cast<Request*>(cls)->headers[name] = value == nullptr ? "" : value;
    }
    return MHD_YES;
}

/// The library is C: nothing may be thrown through it.
std::string made_body(const Response& response) noexcept {
    try {
        return response.make();
    } catch (const std::exception& error) {
        server::log(server::LogLevel::Error, fmt::format("admin: {}", error.what()));
        return "{\"error\": \"an error inside; see the log\"}\n";
    }
}

void say(void*, const char* format, va_list) {
    // The library's own complaints are about single connections; they are of no use to operators.
    (void)format;
}

}  // namespace

struct HttpServer::Impl {
    Impl(const Options& with, Handler call) : options(with), handler(std::move(call)) {}

    Options options;
    Handler handler;
    MHD_Daemon* daemon = nullptr;
    std::atomic<unsigned> followers{0};
    std::mutex mutex;
    std::map<MHD_Connection*, std::uint64_t> slow;  // connections that have not asked yet

    static MHD_Result on_request(void* cls, MHD_Connection* connection, const char* url,
                                 const char* method, const char* version, const char* data,
                                 std::size_t* size, void** own);
    static void on_end(void* cls, MHD_Connection* connection, void** own,
                       MHD_RequestTerminationCode code);
    static void on_connection(void* cls, MHD_Connection* connection, void** own,
                              MHD_ConnectionNotificationCode code);

    ExchangePointer begin(MHD_Connection* connection, const char* url, const char* method);
    void ask(MHD_Connection* connection, const ExchangePointer& exchange);
    MHD_Result send(MHD_Connection* connection, const Response& response, bool close);
    MHD_Response* make(MHD_Connection* connection, const Response& response);
    void expect_request(MHD_Connection* connection);
    void stop_expecting(MHD_Connection* connection);
};

/// A client that does not say what it wants in time is cut off; its descriptor is closed by the
/// library when it notices.
void HttpServer::Impl::expect_request(MHD_Connection* connection) {
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == nullptr) {
        return;
    }
    const int fd = info->connect_fd;
    const std::lock_guard lock(mutex);
    slow[connection] = options.pump.limit_wait(options.limits.to_ask, [this, connection, fd] {
        const std::lock_guard inner(mutex);
        if (slow.erase(connection) > 0) {
            ::shutdown(fd, SHUT_RDWR);
        }
    });
}

void HttpServer::Impl::stop_expecting(MHD_Connection* connection) {
    std::uint64_t wait = 0;
    {
        const std::lock_guard lock(mutex);
        const auto found = slow.find(connection);
        if (found == slow.end()) {
            return;
        }
        wait = found->second;
        slow.erase(found);
    }
    options.pump.forget(wait);
}

void HttpServer::Impl::on_connection(void* cls, MHD_Connection* connection, void**,
                                     MHD_ConnectionNotificationCode code) {
    auto& self = *static_cast<Impl*>(cls);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        self.expect_request(connection);
    } else {
        self.stop_expecting(connection);
    }
}

ExchangePointer HttpServer::Impl::begin(MHD_Connection* connection, const char* url,
                                        const char* method) {
    auto exchange = std::make_shared<Exchange>(connection, options.pump);
    Request& request = exchange->request;
    request.method = method;
    request.path = url;
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, &request);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &request);
    const std::string length = request.header("content-length");
    std::uint64_t octets = 0;
    std::from_chars(length.data(), length.data() + length.size(), octets);
    exchange->too_large = octets > options.limits.body;
    if (const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)) {
        request.peer = peer_of(info->connect_fd, options.local);
    }
    return exchange;
}

void HttpServer::Impl::ask(MHD_Connection* connection, const ExchangePointer& exchange) {
    stop_expecting(connection);
    exchange->asked = true;
    const Reply reply = [exchange](Response response) { exchange->reply(std::move(response)); };
    if (exchange->too_large) {
        reply(failure(413,
                      fmt::format("a request's body has at most {} octets", options.limits.body)));
        return;
    }
    handler(exchange->request, reply);
}

MHD_Result HttpServer::Impl::on_request(void* cls, MHD_Connection* connection, const char* url,
                                        const char* method, const char*, const char* data,
                                        std::size_t* size, void** own) {
    auto& self = *static_cast<Impl*>(cls);
    if (*own == nullptr) {
        auto exchange = self.begin(connection, url, method);
        const bool refuse = exchange->too_large;
        *own = new ExchangePointer(exchange);
        if (!refuse) {
            return MHD_YES;
        }
        // Said before the body comes, so that nothing of it is read.
        self.ask(connection, exchange);
        const auto refusal = exchange->take_or_sleep();
        return refusal ? self.send(connection, *refusal, true) : MHD_NO;
    }
    const ExchangePointer exchange = *static_cast<ExchangePointer*>(*own);
    if (*size > 0) {
        std::string& body = exchange->request.body;
        if (body.size() + *size > self.options.limits.body) {
            return MHD_NO;  // a body in chunks that says no length: cut off
        }
        body.append(data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (!exchange->asked) {
        self.ask(connection, exchange);
    } else if (exchange->wait != 0) {
        self.options.pump.forget(exchange->wait);
    }
    auto response = exchange->take_or_sleep();
    if (response) {
        return self.send(connection, *response, false);
    }
    if (exchange->wait != 0 || !exchange->sleeps()) {
        return MHD_NO;  // woken without a reply, or not put to sleep: the server stops
    }
    exchange->wait = self.options.pump.limit_wait(self.options.limits.to_reply, [exchange] {
        exchange->reply(failure(504,
                                "no answer in time; whether it was done is not known, see "
                                "the status"));
    });
    return MHD_YES;
}

MHD_Response* HttpServer::Impl::make(MHD_Connection* connection, const Response& response) {
    if (!response.events) {
        const std::string body = response.make ? made_body(response) : response.body;
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): copied, not written to
        return MHD_create_response_from_buffer(body.size(), const_cast<char*>(body.data()),
                                               MHD_RESPMEM_MUST_COPY);
    }
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (followers >= options.limits.followers) {
        options.crowd.catch_up();  // who has just gone makes room
    }
    if (++followers > options.limits.followers || info == nullptr) {
        --followers;
        return nullptr;
    }
    auto following = std::make_unique<Following>(
        Following{EventStream(options.events, *response.events), connection, info->connect_fd,
                  options.crowd, followers});
    MHD_Response* made = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, kStreamBlock, read_events, following.get(), end_following);
    if (made == nullptr) {
        --followers;
        return nullptr;
    }
    (void)following.release();  // end_following has it now
    // No chunks: what follows the past is not the library's, and ends with the connection.
    MHD_set_response_options(made, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return made;
}

MHD_Result HttpServer::Impl::send(MHD_Connection* connection, const Response& response,
                                  bool close) {
    int status = response.status;
    MHD_Response* made = make(connection, response);
    if (made == nullptr) {
        status = 503;
        made = make(connection, failure(status, "too many follow the events already"));
        if (made == nullptr) {
            return MHD_NO;
        }
    }
    MHD_add_response_header(made, "Content-Type", response.type.c_str());
    MHD_add_response_header(made, "Cache-Control", "no-store");
    MHD_add_response_header(made, "X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) {
        MHD_add_response_header(made, name.c_str(), value.c_str());
    }
    if (close) {
        MHD_add_response_header(made, "Connection", "close");
    }
    const MHD_Result result = MHD_queue_response(connection, static_cast<unsigned>(status), made);
    MHD_destroy_response(made);
    return result;
}

void HttpServer::Impl::on_end(void* cls, MHD_Connection* connection, void** own,
                              MHD_RequestTerminationCode code) {
    auto& self = *static_cast<Impl*>(cls);
    const std::unique_ptr<ExchangePointer> exchange(static_cast<ExchangePointer*>(*own));
    *own = nullptr;
    if (exchange != nullptr && (*exchange)->wait != 0) {
        self.options.pump.forget((*exchange)->wait);
    }
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        self.expect_request(connection);  // the next one of a kept connection
    }
}

std::unique_ptr<HttpServer> HttpServer::start(server::Fd listener, Options options,
                                              Handler handler) {
    auto impl = std::make_unique<Impl>(options, std::move(handler));
    const auto idle_s = std::chrono::duration_cast<std::chrono::seconds>(options.limits.idle);
    impl->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, nullptr, nullptr, &Impl::on_request, impl.get(),  //
        MHD_OPTION_EXTERNAL_LOGGER, say, nullptr,            //
        MHD_OPTION_LISTEN_SOCKET, listener.get(),            //
        MHD_OPTION_CONNECTION_LIMIT, options.limits.connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kConnectionMemory,  //
        MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(idle_s.count()),
        MHD_OPTION_NOTIFY_COMPLETED, &Impl::on_end, impl.get(),  //
        MHD_OPTION_NOTIFY_CONNECTION, &Impl::on_connection, impl.get(), MHD_OPTION_END);
    if (impl->daemon == nullptr) {
        return nullptr;
    }
    (void)listener.release();  // the library closes it
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { MHD_stop_daemon(impl_->daemon); }

}  // namespace steerd::admin
