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

void EventStream::refill() {
    text_.clear();
    sent_ = 0;
    for (const auto& event : events_.after(ask_.after, kAtOnce)) {
        if (event->id > ask_.after + 1 && ask_.after > 0) {
            const Json missed = {{"kind", "missed"}, {"count", event->id - ask_.after - 1}};
            text_ += fmt::format("data: {}\n\n", text_of(missed));
        }
        text_ += fmt::format("id: {}-{}\ndata: {}\n\n", ask_.boot, event->id,
                             text_of(event_json(*event)));
        ask_.after = event->id;
    }
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

void EventStream::keep_alive() {
    if (sent_ == text_.size()) {
        text_ = ":\n\n";
        sent_ = 0;
    }
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
