// Text that goes into a page: reports and maps write HTML and SVG of their own, and what they show
// comes from configurations. Thread rule: pure.
#pragma once

#include <string>
#include <string_view>

namespace steerd::base {

/// `&`, `<`, `>` and both quotes as entities: fit for text and for attributes.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace steerd::base
