// Who may do what: product.md §7. Reading is open on what [admin] listens on; changing needs the
// Unix socket or the token. A web page elsewhere must not drive it: over TCP the Host must be one
// of ours (a foreign name that points here is DNS rebinding), and a browser's Origin must be this
// very host. Rates are bounded by buckets that refill. No I/O but the token's file, read at each
// use so that it can be exchanged without a restart. Thread rule: one owner each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/http.h"
#include "base/bucket.h"
#include "base/clock.h"

namespace steerd::admin {

/// Whether a Host header names this server: an IP literal, localhost or one of `hosts`, with any
/// port.
[[nodiscard]] bool host_is_ours(std::string_view host, const std::vector<std::string>& hosts);
/// Whether a browser's Origin ("http://localhost:5380") is the page of this very Host.
[[nodiscard]] bool origin_is_host(std::string_view origin, std::string_view host);

/// Tells whether a change over TCP brings the token. Wrong ones are counted by address: after some
/// of them even the right one is refused for a while, so that guessing takes for ever.
class TokenGate {
  public:
    explicit TokenGate(std::optional<std::filesystem::path> file) : file_(std::move(file)) {}

    /// nullopt: let in; else the refusal to send (401, 403, 429).
    [[nodiscard]] std::optional<Response> refuse(const Request& request, base::Mono now);

  private:
    struct Wrong {
        unsigned count = 0;
        base::Mono last{};
    };

    void note_wrong(const std::string& address, base::Mono now);

    std::optional<std::filesystem::path> file_;
    std::map<std::string, Wrong> wrong_;  // by address; bounded
    base::Bucket log_{5, 0.2};
};

/// nullopt: go on; else the refusal (403, 421).
[[nodiscard]] std::optional<Response> refuse_foreign(const Request& request,
                                                     const std::vector<std::string>& hosts);

}  // namespace steerd::admin
