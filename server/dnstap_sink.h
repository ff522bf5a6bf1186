// Where dnstap messages go: frames of Frame Streams by libfstrm (Debian's libfstrm), to a Unix
// socket that a reader listens on, or a file. libfstrm has a thread and a queue of its own: it
// connects again when the reader comes back, and drops what finds no room. The one file that
// includes fstrm.h is dnstap_sink.cc. Thread rule: one owner; dropped() from any.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/model.h"
#include "server/counter.h"

namespace steerd::server {

struct TapRecord;

class DnstapSink {
  public:
    /// Throws std::runtime_error where a file cannot be opened. A socket may come later.
    DnstapSink(const config::DnstapConfig& to, std::string identity);
    DnstapSink(const DnstapSink&) = delete;
    DnstapSink& operator=(const DnstapSink&) = delete;
    /// Writes what is queued, as far as the reader takes it.
    ~DnstapSink();

    /// Two messages, the query and the response; how many were taken.
    unsigned put(const TapRecord& record);

    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(); }

  private:
    struct Stream;

    std::string identity_;
    std::unique_ptr<Stream> stream_;
    Counter dropped_;
};

/// dnstap.proto's Dnstap with one Message: AUTH_RESPONSE, or AUTH_QUERY.
[[nodiscard]] std::vector<std::uint8_t> dnstap_message(const TapRecord& record, bool response,
                                                       const std::string& identity);

}  // namespace steerd::server
