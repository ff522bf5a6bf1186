// A report for the terminal: the table of events, a plot of who is still on what is out, loads,
// places, a sweep, the verdicts, what is assumed. Plain text and ASCII unless it is told that it
// may draw. Returns text; printing is the command's. Thread rule: pure.
#pragma once

#include <string>

#include "drill/rehearse.h"

namespace steerd::drill {

struct TextStyle {
    bool terminal = false;  // colours and block characters
    std::size_t width = 78;
};

[[nodiscard]] std::string report_text(const Report& report, const TextStyle& style);

}  // namespace steerd::drill
