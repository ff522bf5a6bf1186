// Numbers, times, escapes. Thread rule: see fields.h.
#include "zones/fields.h"

namespace steerd::zones {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::uint64_t unit_seconds(char unit) noexcept {
    switch (unit) {
        case 's':
        case 'S':
            return 1;
        case 'm':
        case 'M':
            return 60;
        case 'h':
        case 'H':
            return 3600;
        case 'd':
        case 'D':
            return 86400;
        case 'w':
        case 'W':
            return 604800;
        default:
            return 0;
    }
}

/// Takes the digits at the front; nullopt for none or a value over `max`.
std::optional<std::uint64_t> take_digits(std::string_view& text, std::uint64_t max) noexcept {
    if (text.empty() || !is_digit(text.front())) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    while (!text.empty() && is_digit(text.front())) {
        value = value * 10 + static_cast<std::uint64_t>(text.front() - '0');
        if (value > max) {
            return std::nullopt;
        }
        text.remove_prefix(1);
    }
    return value;
}

}  // namespace

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t max) noexcept {
    const auto value = take_digits(text, max);
    if (!value || !text.empty()) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint32_t> parse_seconds(std::string_view text, std::uint32_t max) noexcept {
    std::uint64_t total = 0;
    bool units = false;
    do {
        const auto value = take_digits(text, max);
        if (!value || (text.empty() && units)) {
            return std::nullopt;  // "1h30": nobody agrees on what the 30 is
        }
        if (text.empty()) {
            return static_cast<std::uint32_t>(*value);
        }
        const auto unit = unit_seconds(text.front());
        text.remove_prefix(1);
        total += *value * unit;
        if (unit == 0 || total > max) {
            return std::nullopt;
        }
        units = true;
    } while (!text.empty());
    return static_cast<std::uint32_t>(total);
}

bool unescape(std::string_view text, std::vector<std::uint8_t>& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out.push_back(static_cast<std::uint8_t>(text[i]));
            continue;
        }
        if (++i == text.size()) {
            return false;
        }
        if (!is_digit(text[i])) {
            out.push_back(static_cast<std::uint8_t>(text[i]));
            continue;
        }
        if (i + 2 >= text.size() || !is_digit(text[i + 1]) || !is_digit(text[i + 2])) {
            return false;
        }
        const int value = (text[i] - '0') * 100 + (text[i + 1] - '0') * 10 + (text[i + 2] - '0');
        if (value > 255) {
            return false;
        }
        out.push_back(static_cast<std::uint8_t>(value));
        i += 2;
    }
    return true;
}

}  // namespace steerd::zones
