// libcurl's multi interface on a libuv loop: curl says which descriptors it waits for and when it
// wants to be called, the loop calls it. Easy handles are kept and used again, their settings that
// never change are made once (curl_easy_setopt(3), libcurl-multi(3)).
// Deliberately without resolver, proxy, redirect, connection reuse, TLS session reuse and CA cache
// of curl's: a probe is a fresh look, and trust is handed in (trust_store.h).
// Thread rule: the pool's thread; destroy it after every transfer was taken back.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "health/probers/socket.h"
#include "health/probers/uv_handles.h"

namespace steerd::probers {

class CurlDriver {
  public:
    /// Told once for each transfer that ends; never inside a call of take() or give_back().
    using OnEnd = std::function<void(CURLcode)>;

    explicit CurlDriver(uv_loop_t* loop);
    CurlDriver(const CurlDriver&) = delete;
    CurlDriver& operator=(const CurlDriver&) = delete;
    ~CurlDriver();

    /// A handle with the common settings; nullptr when memory is out.
    [[nodiscard]] CURL* take();
    /// Ends the transfer if it runs. Not to be called inside a curl callback.
    void give_back(CURL* easy);
    /// Starts a transfer and drives it as far as it goes at once. `on_end` must live until
    /// give_back().
    [[nodiscard]] CURLMcode start(CURL* easy, const OnEnd* on_end);

    /// What curl wants to have done now; called once in each turn of the loop.
    void run_due();

    [[nodiscard]] bool due() const noexcept { return due_; }

    /// For CURLOPT_OPENSOCKETFUNCTION: a watched socket that is closed through the driver;
    /// CURL_SOCKET_BAD with errno set when there is none.
    [[nodiscard]] curl_socket_t open(base::IpFamily family);

  private:
    struct Watched {
        Fd fd;  // before the poll, so that it is closed after it
        std::unique_ptr<UvPoll> poll;
        int events = 0;
    };

    static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* unused);
    static int on_timer(CURLM* multi, long after_ms, void* self);
    static int on_close(void* self, curl_socket_t fd);
    void set_common(CURL* easy);
    void on_ready(curl_socket_t fd, int ready);
    void act(curl_socket_t fd, int bits);

    uv_loop_t* loop_;
    CURLM* multi_;
    UvTimer timer_;
    bool due_ = false;
    std::vector<CURL*> idle_;
    std::unordered_map<curl_socket_t, Watched> watched_;
};

}  // namespace steerd::probers
