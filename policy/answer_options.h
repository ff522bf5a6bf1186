// The EDNS options of an answer that speak of the server or the connection and not of the name:
// NSID (RFC 5001), cookie (RFC 7873 §5.2, RFC 9018), idle timeout (RFC 7828 §3.3.2), and why there
// is no answer (RFC 8914). The client subnet is the walk's. A bad cookie changes nothing here but
// Outcome::cookie: who limits traffic goes by that.
// Thread rule: one owner, on the stack of answer(); its octets must live until the writer is done.
#pragma once

#include <array>
#include <cstdint>

#include "dns/cookie.h"
#include "dns/query.h"
#include "dns/response.h"
#include "policy/answer.h"

namespace steerd::policy {

class AnswerOptions {
  public:
    AnswerOptions(const dns::Query& query, dns::ResponseWriter& writer) noexcept
        : query_(query), writer_(writer) {}

    /// What does not depend on the answer; before any record is added.
    void begin(const Plan& plan, const Request& request, Outcome& outcome) noexcept;
    /// Why it was not answered, where it was not.
    void explain(const Outcome& outcome) noexcept;

  private:
    const dns::Query& query_;
    dns::ResponseWriter& writer_;
    dns::Cookie cookie_;
    std::array<std::uint8_t, 2> idle_{};
};

}  // namespace steerd::policy
