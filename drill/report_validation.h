// The part of a drill's report about real resolvers: what they are, how close they came to the
// simulation and the closed form, and their curves over both. The page's part uses the style sheet
// of report_html.cc. Thread rule: pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "drill/report_text.h"
#include "drill/validate_figures.h"

namespace steerd::drill {

/// With its heading.
[[nodiscard]] std::string validation_text(const Validation& validation, const TextStyle& style);
/// Adds "validation", one object for each resolver with its curves in full, and "validation_run",
/// what holds for all of them.
void add_validation_json(const Validation& validation, nlohmann::ordered_json& out);
/// Without a heading.
[[nodiscard]] std::string validation_html(const Validation& validation);

}  // namespace steerd::drill
