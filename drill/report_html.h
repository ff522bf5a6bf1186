// A report as one self-contained page: timeline of each event, the curve of demand on what is out
// split by who is still there with the closed form beside it, load, places, sweep, verdicts, what
// is assumed and cited. Inline SVG and style, no script, nothing loaded from elsewhere; light, dark
// and print. Thread rule: pure.
#pragma once

#include <string>

#include "drill/rehearse.h"

namespace steerd::drill {

[[nodiscard]] std::string report_html(const Report& report);

}  // namespace steerd::drill
