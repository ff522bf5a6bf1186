// The http and https probes: one GET on a fresh connection, by libcurl. The verdict falls as soon
// as it can: with the headers, or where a text is expected with that text. Everything the endpoint
// sends is bounded: octets of headers, the window of the body, and time (by the pool).
// RFC 9110, RFC 9112 (HTTP/1.0 and 1.1 answers), RFC 6066 §3 (SNI), RFC 9525 (names).
// Deliberately no redirect, cookie, compression or HTTP/2. Thread rule: the pool's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/ip.h"
#include "health/probe_spec.h"
#include "health/probers/body_search.h"
#include "health/probers/curl_driver.h"
#include "health/probers/job.h"
#include "health/probers/trust_store.h"

struct x509_store_ctx_st;  // OpenSSL's X509_STORE_CTX

namespace steerd::probers {

class HttpJob final : public Job {
  public:
    static constexpr std::size_t kMaxHeaderOctets = 64 * 1024;
    static constexpr std::size_t kBodyWindow = 256 * 1024;

    HttpJob(CurlDriver& curl, TrustStores& trust, const base::IpAddress& address,
            std::shared_ptr<const health::ProbeSpec> spec, Done done);
    ~HttpJob() override;

    void begin() override;

    [[nodiscard]] std::optional<base::Wall> certificate_expires() const override {
        return certificate_expires_;
    }

  private:
    static std::size_t on_header(const char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(const char* data, std::size_t size, std::size_t count, void* self);
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
    static CURLcode on_tls_context(CURL* easy, void* context, void* self);
    static int on_certificate(x509_store_ctx_st* context, void* self);

    [[nodiscard]] bool set_options();
    [[nodiscard]] std::string url() const;
    void judge(health::Outcome outcome, std::string reason);
    void judge_headers();
    void on_end(CURLcode code);
    [[nodiscard]] Judgement judge_end(CURLcode code) const;
    [[nodiscard]] Judgement judge_no_connection() const;
    [[nodiscard]] Judgement judge_no_trust() const;
    [[nodiscard]] std::string status_words() const;

    CurlDriver& curl_;
    TrustStores& trust_;
    base::SocketAddress target_;
    std::shared_ptr<const health::ProbeSpec> spec_;
    Done done_;
    CurlDriver::OnEnd on_end_;

    CURL* easy_ = nullptr;
    curl_slist* headers_ = nullptr;
    curl_slist* connect_to_ = nullptr;
    TrustStores::Store store_;
    char error_text_[CURL_ERROR_SIZE] = {};

    bool starting_ = false;  // inside begin(): an error now is one of connect() itself
    int open_error_ = 0;
    bool judged_ = false;
    bool headers_done_ = false;
    std::size_t header_octets_ = 0;
    std::optional<BodySearch> search_;
    int verify_error_ = 0;  // X509_V_OK
    std::optional<base::Wall> certificate_expires_;
};

}  // namespace steerd::probers
