// What files of comma-separated values have in common, whoever wrote them: spreadsheets put a byte
// order mark first. Thread rule: pure.
#pragma once

#include <string_view>

namespace steerd::base {

/// The text behind the UTF-8 byte order mark, where there is one.
[[nodiscard]] constexpr std::string_view without_mark(std::string_view text) noexcept {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    return text.substr(0, kMark.size()) == kMark ? text.substr(kMark.size()) : text;
}

}  // namespace steerd::base
