// See guard.h. Thread rule: one owner each.
#include "admin/guard.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include "admin/json.h"
#include "base/ip.h"
#include "base/text.h"
#include "server/log.h"

namespace steerd::admin {

namespace {

constexpr unsigned kWrongTokens = 10;
constexpr base::Duration kLockedFor = std::chrono::minutes(1);
constexpr std::size_t kMaxAddresses = 1024;
constexpr std::size_t kMaxToken = 4096;
constexpr std::string_view kBearer = "bearer ";
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// "example.net:80" to "example.net", "[::1]:80" to "::1".
std::string host_name(std::string_view host) {
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        return end == std::string_view::npos ? std::string() : std::string(host.substr(1, end - 1));
    }
    std::string name = base::ascii_lower(host.substr(0, host.find(':')));
    if (name.ends_with('.')) {
        name.pop_back();
    }
    return name;
}

/// Hashes first: equal lengths to compare in constant time, whatever was sent.
bool same_secret(std::string_view a, std::string_view b) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash_a{};
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash_b{};
    const auto bytes = [](std::string_view text) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): octets as OpenSSL wants them
        return reinterpret_cast<const unsigned char*>(text.data());
    };
    SHA256(bytes(a), a.size(), hash_a.data());
    SHA256(bytes(b), b.size(), hash_b.data());
    return CRYPTO_memcmp(hash_a.data(), hash_b.data(), hash_a.size()) == 0;
}

std::string read_token(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(kMaxToken, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return std::string(trimmed(text));
}

Response unauthorized(std::string message) {
    Response response = failure(401, message);
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"steerd\"");
    return response;
}

}  // namespace

Response failure(int status, const std::string& message) {
    Response response;
    response.status = status;
    response.body = text_of(Json{{"error", message}}) + "\n";
    return response;
}

bool host_is_ours(std::string_view host, const std::vector<std::string>& hosts) {
    const std::string name = host_name(host);
    return name == "localhost" || base::IpAddress::parse(name).has_value() ||
           std::ranges::any_of(hosts,
                               [&](const std::string& ours) { return host_name(ours) == name; });
}

bool origin_is_host(std::string_view origin, std::string_view host) {
    const auto scheme = origin.find("://");
    return scheme != std::string_view::npos &&
           base::ascii_lower(origin.substr(scheme + 3)) == base::ascii_lower(host);
}

std::optional<Response> TokenGate::refuse(const Request& request, base::Mono now) {
    if (request.peer.local) {
        return std::nullopt;
    }
    if (const auto found = wrong_.find(request.peer.address); found != wrong_.end()) {
        if (now - found->second.last >= kLockedFor) {
            wrong_.erase(found);
        } else if (found->second.count >= kWrongTokens) {
            Response response =
                failure(429, "too many wrong tokens from this address; wait a minute");
            response.headers.emplace_back("Retry-After", "60");
            return response;
        }
    }
    const std::string given = request.header("authorization");
    if (given.empty()) {
        return unauthorized("changes over TCP need the header \"Authorization: Bearer TOKEN\"");
    }
    if (!file_) {
        return failure(403,
                       "nothing can be changed over TCP: [admin] has no token_file; use the "
                       "Unix socket");
    }
    const std::string token = read_token(*file_);
    if (token.empty()) {
        return failure(403, fmt::format("nothing can be changed over TCP: {} is missing, empty or "
                                        "unreadable",
                                        file_->string()));
    }
    const bool bearer = base::ascii_lower(given.substr(0, kBearer.size())) == kBearer;
    if (!bearer || !same_secret(trimmed(std::string_view(given).substr(kBearer.size())), token)) {
        note_wrong(request.peer.address, now);
        return failure(403, "wrong token");
    }
    wrong_.erase(request.peer.address);
    return std::nullopt;
}

void TokenGate::note_wrong(const std::string& address, base::Mono now) {
    if (log_.take(now)) {
        server::log(server::LogLevel::Warning, fmt::format("admin: wrong token from {}", address));
    }
    if (wrong_.size() >= kMaxAddresses && !wrong_.contains(address)) {
        wrong_.erase(std::ranges::min_element(wrong_, {},
                                              [](const auto& entry) { return entry.second.last; }));
    }
    auto& wrong = wrong_[address];
    ++wrong.count;
    wrong.last = now;
}

std::optional<Response> refuse_foreign(const Request& request,
                                       const std::vector<std::string>& hosts) {
    const std::string host = request.header("host");
    const std::string origin = request.header("origin");
    // A browser cannot reach a Unix socket, and people write any host there.
    if (!request.peer.local && !host_is_ours(host, hosts)) {
        return failure(421, fmt::format("the host \"{}\" is not this server; add it to [admin] "
                                        "hosts",
                                        host));
    }
    if (!origin.empty() && !origin_is_host(origin, host)) {
        return failure(403, fmt::format("a page of \"{}\" may not ask this server", origin));
    }
    const std::string site = request.header("sec-fetch-site");
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (!reads && !site.empty() && site != "same-origin" && site != "none") {
        return failure(403, "a page of another site may not change anything here");
    }
    return std::nullopt;
}

}  // namespace steerd::admin
