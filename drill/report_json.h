// A report as JSON: product.md §9, with more keys. The same report gives the same bytes; how long
// it took and on how many threads is no part of it. Thread rule: pure.
#pragma once

#include <string>

#include "drill/rehearse.h"

namespace steerd::drill {

[[nodiscard]] std::string report_json(const Report& report);

}  // namespace steerd::drill
