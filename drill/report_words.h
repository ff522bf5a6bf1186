// Figures in words, the same in the terminal's report and on the page. Thread rule: pure.
#pragma once

#include <optional>
#include <string>

#include "drill/rehearse.h"

namespace steerd::drill {

/// "5m", "5m 30s", "1h 5m", "7.5s"
[[nodiscard]] std::string moment_text(double seconds);
/// "6.2 s", or "-" where it did not happen.
[[nodiscard]] std::string seconds_text(const std::optional<double>& seconds);
/// "1.53 %"
[[nodiscard]] std::string percent_text(double share);
[[nodiscard]] std::string percent_text(const std::optional<double>& share);
/// "331", "50.0k", "1.2M"
[[nodiscard]] std::string count_text(double value);
/// "kill of region:tokyo"
[[nodiscard]] std::string event_text(const EventFigures& event);
/// How long after an event it is worth looking: until 1 % are left, with a margin; else until
/// something recovers, or the end.
[[nodiscard]] double window_of(const Report& report, const EventFigures& event);
[[nodiscard]] double lost_share(const EventFigures& event);
/// "www.example.com. A, 30m of virtual time, seed 7, population mixed"
[[nodiscard]] std::string headline(const Report& report);

}  // namespace steerd::drill
