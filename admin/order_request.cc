// See order_request.h. Thread rule: pure.
#include "admin/order_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "admin/json.h"
#include "base/text.h"

namespace steerd::admin {

namespace {

constexpr int kMaxDepth = 4;

/// Read without exceptions; a deep text is refused before it costs anything.
std::optional<Json> read(std::string_view body) {
    bool deep = false;
    const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > kMaxDepth;
        return !deep;
    };
    Json json = Json::parse(body, shallow, false);
    if (deep || json.is_discarded() || !json.is_object()) {
        return std::nullopt;
    }
    return json;
}

/// nullopt: absent or null. The error names the key.
base::Result<std::optional<std::string>, std::string> text(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) {
        return std::optional<std::string>();
    }
    if (!found->is_string()) {
        return base::Err{fmt::format("\"{}\" must be a text", key)};
    }
    return std::optional(found->get<std::string>());
}

}  // namespace

base::Result<control::SetOrder, std::string> parse_order(std::string_view body, base::Wall now) {
    const auto json = read(body);
    if (!json) {
        return base::Err{std::string(R"(the body must be JSON like {"state": "drain"})")};
    }
    for (const auto& [key, value] : json->items()) {
        if (key != "state" && key != "for" && key != "reason" && key != "force") {
            return base::Err{
                fmt::format("unknown key \"{}\"; there are state, for, reason, force", key)};
        }
    }
    const auto state = text(*json, "state");
    const auto length = text(*json, "for");
    const auto reason = text(*json, "reason");
    for (const auto* read_text : {&state, &length, &reason}) {
        if (!*read_text) {
            return base::Err{read_text->error()};
        }
    }
    control::SetOrder order;
    const auto word = health::parse_order_state(state->value_or(""));
    if (!word) {
        return base::Err{std::string(R"("state" must be "drain", "up" or "down")")};
    }
    order.state = *word;
    if (*length) {
        const auto duration = base::parse_duration(**length);
        if (!duration || *duration <= base::Duration::zero()) {
            return base::Err{fmt::format(
                "\"for\" must be a duration like \"30m\" or \"2h\", got \"{}\"", **length)};
        }
        order.until = now + *duration;
    }
    order.reason = reason->value_or("");
    const bool controls = std::ranges::any_of(
        order.reason, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
    if (order.reason.size() > kMaxReason || controls) {
        return base::Err{
            fmt::format("\"reason\" has at most {} octets and no control characters", kMaxReason)};
    }
    if (const auto force = json->find("force"); force != json->end()) {
        if (!force->is_boolean()) {
            return base::Err{std::string(R"("force" must be true or false)")};
        }
        order.force = force->get<bool>();
    }
    return order;
}

}  // namespace steerd::admin
