#include "health/probers/http_job.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>

namespace steerd::probers {

namespace {

template <typename T>
bool set(CURL* easy, CURLoption option, T value) {
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

/// An address as it stands in a URL.
std::string url_host(const base::IpAddress& address) {
    return address.is_v4() ? address.text() : "[" + address.text() + "]";
}

std::optional<base::Wall> to_wall(const ASN1_TIME* time) {
    std::tm utc{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) {
        return std::nullopt;
    }
    const auto seconds = std::chrono::seconds(::timegm(&utc));
    // RFC 5280 §4.1.2.5 lets a certificate say 9999; nanoseconds in 64 bits end in 2262.
    if (seconds >= std::chrono::duration_cast<std::chrono::seconds>(base::Duration::max())) {
        return base::Wall::max();
    }
    return base::Wall(seconds);
}

bool is_status_line(std::string_view line) { return line.substr(0, 5) == "HTTP/"; }

bool ends_headers(std::string_view line) { return line == "\r\n" || line == "\n"; }

}  // namespace

HttpJob::HttpJob(CurlDriver& curl, TrustStores& trust, const base::IpAddress& address,
                 std::shared_ptr<const health::ProbeSpec> spec, Done done)
    : curl_(curl),
      trust_(trust),
      target_{address, spec->port},
      spec_(std::move(spec)),
      done_(std::move(done)),
      on_end_([this](CURLcode code) { on_end(code); }) {
    if (!spec_->expect_body.empty()) {
        search_.emplace(spec_->expect_body, kBodyWindow);
    }
}

HttpJob::~HttpJob() {
    if (easy_ != nullptr) {
        curl_.give_back(easy_);
    }
    curl_slist_free_all(headers_);
    curl_slist_free_all(connect_to_);
}

void HttpJob::begin() {
    if (spec_->type == health::ProbeType::Https && spec_->verify) {
        auto store = trust_.get(spec_->ca_file);
        if (!store) {
            judge(health::Outcome::Inconclusive, store.error());
            return;
        }
        store_ = *store;
    }
    easy_ = curl_.take();
    if (easy_ == nullptr || !set_options()) {
        judge(health::Outcome::Inconclusive, "no memory for the request");
        return;
    }
    starting_ = true;
    if (curl_.start(easy_, &on_end_) != CURLM_OK) {
        judge(health::Outcome::Inconclusive, "no memory for the request");
    }
    starting_ = false;
}

std::string HttpJob::url() const {
    std::string out = spec_->type == health::ProbeType::Https ? "https://" : "http://";
    if (spec_->host.empty()) {
        out += url_host(target_.address) + ":" + std::to_string(target_.port);
    } else if (const auto literal = base::IpAddress::parse(spec_->host)) {
        out += url_host(*literal);
    } else {
        out += spec_->host;
    }
    return out + (spec_->path.substr(0, 1) == "/" ? "" : "/") + spec_->path;
}

bool HttpJob::set_options() {
    headers_ = curl_slist_append(nullptr, "Connection: close");
    // The host of the URL is only said; where the connection goes is fixed here, for whatever host
    // and port, so that no resolver is ever asked.
    const std::string connect_to =
        "::" + url_host(target_.address) + ":" + std::to_string(target_.port);
    connect_to_ = curl_slist_append(nullptr, connect_to.c_str());
    const long verify = spec_->verify ? 1 : 0;
    return headers_ != nullptr && connect_to_ != nullptr &&
           set(easy_, CURLOPT_URL, url().c_str()) && set(easy_, CURLOPT_HTTPHEADER, headers_) &&
           set(easy_, CURLOPT_CONNECT_TO, connect_to_) &&
           set(easy_, CURLOPT_ERRORBUFFER, &error_text_[0]) &&
           set(easy_, CURLOPT_SSL_VERIFYPEER, verify) &&
           set(easy_, CURLOPT_SSL_VERIFYHOST, verify * 2) &&
           set(easy_, CURLOPT_SSL_CTX_FUNCTION, &HttpJob::on_tls_context) &&
           set(easy_, CURLOPT_SSL_CTX_DATA, this) &&
           set(easy_, CURLOPT_OPENSOCKETFUNCTION, &HttpJob::on_open) &&
           set(easy_, CURLOPT_OPENSOCKETDATA, this) &&
           set(easy_, CURLOPT_HEADERFUNCTION, &HttpJob::on_header) &&
           set(easy_, CURLOPT_HEADERDATA, this) &&
           set(easy_, CURLOPT_WRITEFUNCTION, &HttpJob::on_body) &&
           set(easy_, CURLOPT_WRITEDATA, this);
}

curl_socket_t HttpJob::on_open(void* self, curlsocktype /*purpose*/, curl_sockaddr* /*address*/) {
    auto& job = *static_cast<HttpJob*>(self);
    const curl_socket_t fd = job.curl_.open(job.target_.address.family());
    job.open_error_ = fd == CURL_SOCKET_BAD ? errno : 0;
    return fd;
}

CURLcode HttpJob::on_tls_context(CURL* /*easy*/, void* context, void* self) {
    auto* tls = static_cast<SSL_CTX*>(context);
    auto& job = *static_cast<HttpJob*>(self);
    if (job.store_ != nullptr) {
        SSL_CTX_set1_cert_store(tls, job.store_.get());
    }
    // In place of OpenSSL's own step, to see the certificate whether it is good or not.
    SSL_CTX_set_cert_verify_callback(tls, &HttpJob::on_certificate, self);
    return CURLE_OK;
}

int HttpJob::on_certificate(x509_store_ctx_st* context, void* self) {
    auto& job = *static_cast<HttpJob*>(self);
    if (X509* leaf = X509_STORE_CTX_get0_cert(context); leaf != nullptr) {
        job.certificate_expires_ = to_wall(X509_get0_notAfter(leaf));
    }
    if (!job.spec_->verify) {
        return 1;
    }
    const int good = X509_verify_cert(context);
    job.verify_error_ = X509_STORE_CTX_get_error(context);
    return good;
}

std::size_t HttpJob::on_header(const char* data, std::size_t size, std::size_t count, void* self) {
    auto& job = *static_cast<HttpJob*>(self);
    const std::string_view line(data, size * count);
    job.header_octets_ += line.size();
    if (job.header_octets_ > kMaxHeaderOctets) {
        job.judge(health::Outcome::Fail, "headers over 64 KiB");
    } else if (is_status_line(line)) {
        job.headers_done_ = false;
    } else if (ends_headers(line) && !job.headers_done_) {
        job.judge_headers();
    }
    return job.judged_ ? 0 : line.size();  // 0 ends the transfer
}

std::size_t HttpJob::on_body(const char* data, std::size_t size, std::size_t count, void* self) {
    auto& job = *static_cast<HttpJob*>(self);
    if (!job.search_) {
        return 0;
    }
    switch (job.search_->feed({data, size * count})) {
        case BodySearch::State::Found:
            job.judge(health::Outcome::Pass, job.status_words());
            return 0;
        case BodySearch::State::NotInWindow:
            job.judge(health::Outcome::Fail, job.status_words() +
                                                 " without the expected text in "
                                                 "its first 256 KiB");
            return 0;
        case BodySearch::State::Searching:
            break;
    }
    return size * count;
}

std::string HttpJob::status_words() const {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return "http " + std::to_string(status);
}

void HttpJob::judge_headers() {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 100 && status < 200 && status != 101) {
        return;  // interim (RFC 9110 §15.2), the answer is still to come
    }
    headers_done_ = true;
    const auto& ranges = spec_->expect_status;
    const bool expected = std::any_of(ranges.begin(), ranges.end(), [status](const auto& range) {
        return status >= range.first && status <= range.second;
    });
    if (!expected) {
        judge(health::Outcome::Fail, status_words());
    } else if (!search_) {
        judge(health::Outcome::Pass, status_words());
    }
}

void HttpJob::judge(health::Outcome outcome, std::string reason) {
    judged_ = true;
    done_({outcome, std::move(reason)});
}

void HttpJob::on_end(CURLcode code) {
    if (!judged_) {
        Judgement judgement = judge_end(code);
        judge(judgement.outcome, std::move(judgement.reason));
    }
}

Judgement HttpJob::judge_end(CURLcode code) const {
    using health::Outcome;
    if (verify_error_ != X509_V_OK) {
        return judge_no_trust();  // curl tells by what is left in OpenSSL's queue, which may differ
    }
    switch (code) {
        case CURLE_OK:
            return {Outcome::Fail, headers_done_ ? status_words() + " without the expected text"
                                                 : "connection closed within the headers"};
        case CURLE_COULDNT_CONNECT:
            return judge_no_connection();
        case CURLE_PEER_FAILED_VERIFICATION:
            return judge_no_trust();
        case CURLE_GOT_NOTHING:
            return {Outcome::Fail, "connection closed without an answer"};
        case CURLE_PARTIAL_FILE:
            return {Outcome::Fail, status_words() + " without the expected text, cut short"};
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
            return {Outcome::Fail, "not an http answer"};
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR: {
            long error = 0;
            curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &error);
            if (error != 0) {
                return judge_error(static_cast<int>(error), Reported::Later);
            }
            break;
        }
        case CURLE_OUT_OF_MEMORY:  // also how curl says that one line of the headers was too long
            return starting_ ? Judgement{Outcome::Inconclusive, "no memory for the request"}
                             : Judgement{Outcome::Fail, "header line too long"};
        case CURLE_URL_MALFORMAT:
            return {Outcome::Inconclusive, "host and path make no URL"};
        default:
            break;
    }
    const std::string_view words =
        error_text_[0] != '\0' ? &error_text_[0] : curl_easy_strerror(code);
    return {Outcome::Fail,
            printable((code == CURLE_SSL_CONNECT_ERROR ? "tls: " : "") + std::string(words))};
}

Judgement HttpJob::judge_no_connection() const {
    if (open_error_ != 0) {
        return judge_error(open_error_, Reported::AtOnce);
    }
    long os_error = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
    const int error = static_cast<int>(os_error);
    if (!starting_) {
        return judge_error(error, Reported::Later);
    }
    // Within microseconds: connect() itself, or a very near router; the routing table knows.
    const bool route_matters = error == EHOSTUNREACH || error == ENETUNREACH;
    if (route_matters && local_route_error(target_) == 0) {
        return judge_error(error, Reported::Later);
    }
    return judge_error(error, Reported::AtOnce);
}

Judgement HttpJob::judge_no_trust() const {
    using health::Outcome;
    switch (verify_error_) {
        case X509_V_OK:
            return {Outcome::Fail,
                    printable("certificate is not for " +
                              (spec_->host.empty() ? target_.address.text() : spec_->host))};
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return {Outcome::Fail, "certificate expired"};
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return {Outcome::Fail, "certificate not yet valid"};
        default:
            return {Outcome::Fail, printable(std::string("certificate not trusted: ") +
                                             X509_verify_cert_error_string(verify_error_))};
    }
}

}  // namespace steerd::probers
