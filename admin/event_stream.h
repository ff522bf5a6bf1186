// Events as Server-Sent Events (WHATWG HTML, "Server-sent events"): each with an id, so that a
// reader who comes back says what he has seen and gets the rest. Holds a few events of text at a
// time, whatever happens meanwhile: a reader who does not read costs no more than that.
// Thread rule: one owner.
#pragma once

#include <span>
#include <string>

#include "admin/http.h"
#include "server/event_log.h"

namespace steerd::admin {

class EventStream {
  public:
    EventStream(const server::EventLog& events, FollowEvents ask);

    /// Fills `out` with what there is; 0: nothing new (or the end, where `ask` does not follow).
    [[nodiscard]] std::size_t read(std::span<char> out);

    [[nodiscard]] std::uint64_t seen() const noexcept { return ask_.after; }

    [[nodiscard]] bool follows() const noexcept { return ask_.follow; }

  private:
    void refill();

    const server::EventLog& events_;
    FollowEvents ask_;
    std::string text_;
    std::size_t sent_ = 0;  // of text_
};

/// The next few events above `after`, which then is the id of the last one told.
[[nodiscard]] std::string events_text(const server::EventLog& events, const std::string& boot,
                                      std::uint64_t& after);

/// What `Last-Event-ID` says: the number, 0 where the id is of another process or no id at all.
[[nodiscard]] std::uint64_t id_seen(const std::string& last_event_id, const std::string& boot);

}  // namespace steerd::admin
