#include "health/probers/curl_driver.h"

#include <cerrno>

namespace steerd::probers {

namespace {

/// Idle easy handles that are kept (each holds a few KiB).
constexpr std::size_t kMaxIdle = 256;
constexpr int kMaxRunsPerTurn = 4;
constexpr long kBufferSize = 8192;

/// Options of curl are variadic; what can be refused are only those this build lacks.
template <typename T>
void set(CURL* easy, CURLoption option, T value) {
    CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

}  // namespace

CurlDriver::CurlDriver(uv_loop_t* loop)
    : loop_(loop), multi_(curl_multi_init()), timer_(loop, [this] {
          due_ = true;
          run_due();
      }) {
    CHECK(multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlDriver::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlDriver::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

CurlDriver::~CurlDriver() {
    for (CURL* easy : idle_) {
        curl_easy_cleanup(easy);
    }
    curl_multi_cleanup(multi_);
}

CURL* CurlDriver::take() {
    if (!idle_.empty()) {
        CURL* easy = idle_.back();
        idle_.pop_back();
        return easy;
    }
    CURL* easy = curl_easy_init();
    if (easy != nullptr) {
        set_common(easy);
    }
    return easy;
}

void CurlDriver::give_back(CURL* easy) {
    curl_multi_remove_handle(multi_, easy);
    if (idle_.size() < kMaxIdle) {
        idle_.push_back(easy);
    } else {
        curl_easy_cleanup(easy);
    }
}

CURLMcode CurlDriver::start(CURL* easy, const OnEnd* on_end) {
    set(easy, CURLOPT_PRIVATE, on_end);
    const CURLMcode code = curl_multi_add_handle(multi_, easy);
    if (code == CURLM_OK) {
        act(CURL_SOCKET_TIMEOUT, 0);
    }
    return code;
}

void CurlDriver::run_due() {
    // curl often wants to be called again at once between two of its states; a timer for that would
    // cost a millisecond each.
    for (int run = 0; due_ && run < kMaxRunsPerTurn; ++run) {
        due_ = false;
        act(CURL_SOCKET_TIMEOUT, 0);
    }
}

curl_socket_t CurlDriver::open(base::IpFamily family) {
    Watched watched{open_socket(family, Transport::Tcp), nullptr, 0};
    const int fd = watched.fd.get();
    if (!watched.fd.valid()) {
        return CURL_SOCKET_BAD;
    }
    watched.poll = std::make_unique<UvPoll>([this, fd](int ready) { on_ready(fd, ready); });
    if (const int error = watched.poll->open(loop_, fd); error != 0) {
        errno = -error;
        return CURL_SOCKET_BAD;
    }
    watched_.insert_or_assign(fd, std::move(watched));
    return fd;
}

int CurlDriver::on_socket(CURL* /*easy*/, curl_socket_t fd, int what, void* self,
                          void* /*unused*/) {
    auto& watched = static_cast<CurlDriver*>(self)->watched_;
    const auto found = watched.find(fd);
    if (found == watched.end()) {
        return 0;  // already closed
    }
    Watched& socket = found->second;
    socket.events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                    ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    if (what == CURL_POLL_REMOVE || socket.events == 0) {
        socket.events = 0;
        socket.poll->stop();
    } else {
        socket.poll->watch(socket.events);
    }
    return 0;
}

int CurlDriver::on_timer(CURLM* /*multi*/, long after_ms, void* self) {
    auto& driver = *static_cast<CurlDriver*>(self);
    driver.due_ = after_ms == 0;
    if (after_ms > 0) {
        driver.timer_.start(std::chrono::milliseconds(after_ms));
    } else {
        driver.timer_.stop();
    }
    return 0;
}

int CurlDriver::on_close(void* self, curl_socket_t fd) {
    static_cast<CurlDriver*>(self)->watched_.erase(fd);
    return 0;
}

void CurlDriver::on_ready(curl_socket_t fd, int ready) {
    const int bits = ((ready & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                     ((ready & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
    act(fd, bits);
    // After an error libuv watches no longer, while curl thinks it does.
    const auto found = watched_.find(fd);
    if (found != watched_.end() && found->second.events != 0) {
        found->second.poll->watch(found->second.events);
    }
}

void CurlDriver::act(curl_socket_t fd, int bits) {
    int running = 0;
    curl_multi_socket_action(multi_, fd, bits, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) {
            const CURLcode result = message->data.result;
            const OnEnd* on_end = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &on_end);
            (*on_end)(result);
        }
    }
}

void CurlDriver::set_common(CURL* easy) {
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_PROXY, "");  // none, whatever the environment says
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_FRESH_CONNECT, 1L);
    set(easy, CURLOPT_FORBID_REUSE, 1L);
    set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    set(easy, CURLOPT_PATH_AS_IS, 1L);
    set(easy, CURLOPT_USERAGENT, "steerd");
    set(easy, CURLOPT_BUFFERSIZE, kBufferSize);
    set(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);  // else each ended transfer walks the whole cache
    set(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    set(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    set(easy, CURLOPT_CAINFO, static_cast<const char*>(nullptr));
    set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    set(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlDriver::on_close);
    set(easy, CURLOPT_CLOSESOCKETDATA, this);
}

}  // namespace steerd::probers
