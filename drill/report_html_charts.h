// The page's charts, from figures to SVG. Not an interface: only report_html.cc includes it.
// Thread rule: pure.
#pragma once

#include <string>

#include "drill/rehearse.h"

namespace steerd::drill {

/// All events of the drill on one strip.
[[nodiscard]] std::string timeline_strip(const Report& report);
/// One event: fault, first failed check, down, switch, 50, 90, 95 and 99 % moved.
[[nodiscard]] std::string event_strip(const EventFigures& event);
/// Who is still on what is out: after one event, or over the whole drill where it is nullptr.
[[nodiscard]] std::string dead_chart(const Report& report, const EventFigures* event);
[[nodiscard]] std::string load_chart(const Report& report);
[[nodiscard]] std::string authoritative_chart(const Report& report);
[[nodiscard]] std::string sweep_chart(const Report& report);

}  // namespace steerd::drill
