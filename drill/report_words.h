// Figures in words, the same in the terminal's report and on the page. Thread rule: pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
/// "401/s", or "-" where there is no such time.
[[nodiscard]] std::string rate_text(const std::optional<double>& per_second);
/// The classes that an event has figures of, in the order of the population.
[[nodiscard]] std::vector<std::string> classes_of(const Results& results,
                                                  const EventFigures& event);
/// What a countdown could and could not do about this event, as a sentence.
[[nodiscard]] std::string countdown_text(const CountdownFigures& countdown,
                                         const CountdownEvent& event);

/// How a figure is defined and what it assumes: by its name in the JSON report.
struct Meaning {
    std::string_view figure;
    std::string_view name;  // as tables and legends call it
    std::string_view text;
};

[[nodiscard]] std::span<const Meaning> meanings() noexcept;
/// REQUIRES: one of them.
[[nodiscard]] const Meaning& meaning_of(std::string_view figure);

[[nodiscard]] double lost_share(const EventFigures& event);
/// "www.example.com. A, 30m of virtual time, seed 7, population mixed"
[[nodiscard]] std::string headline(const Report& report);
/// A sentence in lines of at most `width` columns, the first behind a dash.
[[nodiscard]] std::string dashed(const std::string& sentence, std::size_t width);

}  // namespace steerd::drill
