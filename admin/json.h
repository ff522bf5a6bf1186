// JSON of the admin API (product.md §7, §9). The one header here that includes the JSON library (a
// heavy one), for the few files that make JSON. Keys keep the order they are written in.
// Thread rule: plain values.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace steerd::admin {

using Json = nlohmann::ordered_json;

/// Causes hold what strangers sent: whatever is not UTF-8 becomes a replacement character.
[[nodiscard]] inline std::string text_of(const Json& json, int indent = -1) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace steerd::admin
