// A forecast as one self-contained page: who answers where before and after on two world maps, and
// the table. Inline SVG and style, no script, nothing loaded from elsewhere; light, dark and print.
// Thread rule: pure.
#pragma once

#include <string>

#include "cli/forecast_report.h"

namespace steerd::cli {

[[nodiscard]] std::string forecast_html(const ForecastReport& report);

}  // namespace steerd::cli
