// See event_stream.h. Thread rule: one owner.
#include "admin/event_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "admin/event_json.h"

namespace steerd::admin {

namespace {

constexpr std::size_t kAtOnce = 32;

}  // namespace

EventStream::EventStream(const server::EventLog& events, FollowEvents ask)
    : events_(events), ask_(std::move(ask)), text_("retry: 2000\n\n") {}

std::string events_text(const server::EventLog& events, const std::string& boot,
                        std::uint64_t& after) {
    std::string text;
    for (const auto& event : events.after(after, kAtOnce)) {
        if (event->id > after + 1 && after > 0) {
            const Json missed = {{"kind", "missed"}, {"count", event->id - after - 1}};
            text += fmt::format("data: {}\n\n", text_of(missed));
        }
        text +=
            fmt::format("id: {}-{}\ndata: {}\n\n", boot, event->id, text_of(event_json(*event)));
        after = event->id;
    }
    return text;
}

void EventStream::refill() {
    text_ = events_text(events_, ask_.boot, ask_.after);
    sent_ = 0;
}

std::size_t EventStream::read(std::span<char> out) {
    if (sent_ == text_.size()) {
        refill();
    }
    const std::size_t n = std::min(out.size(), text_.size() - sent_);
    std::copy_n(text_.data() + sent_, n, out.data());
    sent_ += n;
    return n;
}

std::uint64_t id_seen(const std::string& last_event_id, const std::string& boot) {
    std::string_view number = last_event_id;
    if (const auto dash = number.find('-'); dash != std::string_view::npos) {
        if (number.substr(0, dash) != boot) {
            return 0;  // an earlier process: everything of this one is new
        }
        number.remove_prefix(dash + 1);
    }
    std::uint64_t id = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), id);
    return read.ec == std::errc{} && read.ptr == number.data() + number.size() ? id : 0;
}

}  // namespace steerd::admin
