// GET /api/v1/events: transitions and orders as they happen, as Server-Sent Events with ids. From
// now on; or behind `Last-Event-ID` (what a browser sends when it comes back), or with the `last=N`
// newest first. `follow=false` ends where there are no more. Thread rule: see routes.h.
#include <algorithm>
#include <charconv>
#include <utility>

#include "admin/event_stream.h"
#include "admin/routes.h"

namespace steerd::admin {

void get_events(const Call& call, const Reply& reply) {
    const auto& request = call.request;
    FollowEvents ask;
    ask.boot = call.context.boot;
    ask.after = call.context.desk.events.last();
    ask.follow = request.asked("follow").value_or("true") != "false";
    if (const auto text = request.asked("last")) {
        std::uint64_t last = 0;
        const auto read = std::from_chars(text->data(), text->data() + text->size(), last);
        if (read.ec != std::errc{} || read.ptr != text->data() + text->size()) {
            reply(failure(400, "last wants a number"));
            return;
        }
        ask.after -= std::min(ask.after, last);
    }
    const std::string seen = request.header("last-event-id");
    if (!seen.empty()) {
        ask.after = std::min(ask.after, id_seen(seen, call.context.boot));
    }
    Response response;
    response.type = "text/event-stream";
    response.events = std::move(ask);
    reply(std::move(response));
}

}  // namespace steerd::admin
