// Taking $GENERATE templates apart and filling them in. Thread rule: see generate.h.
#include "zones/generate.h"

#include <array>
#include <charconv>
#include <limits>

#include "zones/fields.h"

namespace steerd::zones {

namespace {

constexpr std::uint32_t kMaxCounter = 0x7FFFFFFF;
constexpr std::uint32_t kMaxWidth = 255;
constexpr std::string_view kBases = "doxXnN";

}  // namespace

std::optional<GenerateRange> parse_generate_range(std::string_view text) noexcept {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto slash = text.find('/', dash);
    const auto start = parse_number(text.substr(0, dash), kMaxCounter);
    const auto stop = parse_number(text.substr(dash + 1, slash - dash - 1), kMaxCounter);
    const auto step = slash == std::string_view::npos
                          ? std::optional<std::uint32_t>(1)
                          : parse_number(text.substr(slash + 1), kMaxCounter);
    if (!start || !stop || !step || *step == 0 || *start > *stop) {
        return std::nullopt;
    }
    return GenerateRange{*start, *stop, *step};
}

/// "offset[,width[,base]]".
bool GenerateTemplate::parse_modifiers(std::string_view text, Part& part) {
    std::array<std::string_view, 3> fields;
    std::size_t count = 0;
    for (;;) {
        const auto comma = text.find(',');
        if (count == fields.size()) {
            return false;
        }
        fields[count++] = text.substr(0, comma);
        if (comma == std::string_view::npos) {
            break;
        }
        text.remove_prefix(comma + 1);
    }
    auto offset = fields[0];
    const bool negative = offset.starts_with('-');
    if (negative || offset.starts_with('+')) {
        offset.remove_prefix(1);
    }
    const auto magnitude = parse_number(offset, kMaxCounter);
    const auto width =
        count > 1 ? parse_number(fields[1], kMaxWidth) : std::optional<std::uint32_t>(0);
    if (!magnitude || !width ||
        (count > 2 && (fields[2].size() != 1 || kBases.find(fields[2][0]) == kBases.npos))) {
        return false;
    }
    part.offset = negative ? -std::int64_t{*magnitude} : std::int64_t{*magnitude};
    part.width = *width;
    part.base = count > 2 ? fields[2][0] : 'd';
    return true;
}

base::Result<GenerateTemplate, std::string> GenerateTemplate::parse(std::string_view word) {
    GenerateTemplate result;
    Part part;
    for (std::size_t i = 0; i < word.size(); ++i) {
        const auto rest = word.substr(i + 1);
        if (word[i] == '\\' && !rest.empty()) {
            part.before += rest.front() == '$' ? "" : "\\";
            part.before += rest.front();
            ++i;
        } else if (word[i] != '$') {
            part.before += word[i];
        } else if (rest.starts_with('$')) {
            part.before += '$';
            ++i;
        } else {
            part.counter = true;
            if (rest.starts_with('{')) {
                const auto end = rest.find('}');
                if (end == std::string_view::npos ||
                    !parse_modifiers(rest.substr(1, end - 1), part)) {
                    return base::Err{std::string("bad ${offset,width,base} in '") +
                                     std::string(word.substr(0, 80)) + "'"};
                }
                i += end + 1;
            }
            result.parts_.push_back(part);
            part = Part();
        }
    }
    result.parts_.push_back(part);
    return result;
}

void GenerateTemplate::append_number(const Part& part, std::uint32_t value, std::string& out) {
    if (part.base == 'n' || part.base == 'N') {
        const std::string_view digits = part.base == 'n' ? "0123456789abcdef" : "0123456789ABCDEF";
        std::size_t written = 0;  // the width counts digits and dots alike
        for (;;) {
            out += digits[value & 15];
            value >>= 4;
            ++written;
            if (value == 0 && written >= part.width) {
                return;
            }
            out += '.';
            ++written;
            if (value == 0 && written >= part.width) {
                return;  // an even width ends in a dot
            }
        }
    }
    std::array<char, 40> buffer{};
    const int base = part.base == 'd' ? 10 : part.base == 'o' ? 8 : 16;
    const auto end = std::to_chars(buffer.begin(), buffer.end(), value, base).ptr;
    std::string number(buffer.data(), end);
    if (part.base == 'X') {
        for (char& c : number) {
            c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    if (number.size() < part.width) {
        out.append(part.width - number.size(), '0');
    }
    out += number;
}

std::optional<std::string> GenerateTemplate::expand(std::uint32_t counter) const {
    std::string out;
    for (const auto& part : parts_) {
        out += part.before;
        if (!part.counter) {
            continue;
        }
        const std::int64_t value = std::int64_t{counter} + part.offset;
        if (value < 0 || value > std::int64_t{std::numeric_limits<std::uint32_t>::max()}) {
            return std::nullopt;
        }
        append_number(part, static_cast<std::uint32_t>(value), out);
    }
    return out;
}

}  // namespace steerd::zones
