#include "geo/outline.h"

namespace steerd::geo {

namespace {

constexpr std::string_view kOutline =
#include "geo/outline.inc"
    ;

}  // namespace

std::string_view world_outline() noexcept { return kOutline; }

}  // namespace steerd::geo
