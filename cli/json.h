// JSON for people's scripts: product.md §9. The one header that includes the JSON library (a heavy
// one), for the few files that print JSON. Keys keep the order they are written in.
#pragma once

#include <nlohmann/json.hpp>

namespace steerd::cli {

using Json = nlohmann::ordered_json;

}  // namespace steerd::cli
