// The coasts of the world, for maps in pages: Natural Earth's, public domain
// (geo/model/outline.py). Thread rule: constant data.
#pragma once

#include <string_view>

namespace steerd::geo {

/// An SVG path in tenths of a degree: x is east, y is south, 0 0 is off Africa; 84 N to 60 S.
[[nodiscard]] std::string_view world_outline() noexcept;

}  // namespace steerd::geo
