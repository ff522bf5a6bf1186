// The status for people, made of its JSON (admin/status_json.h). Thread rule: pure.
#pragma once

#include <string>

#include "cli/json.h"

namespace steerd::cli {

[[nodiscard]] std::string status_text(const Json& status, bool colours);

}  // namespace steerd::cli
