#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <numeric>
#include <vector>

namespace steerd::base {

namespace {

struct Unit {
    std::string_view word;
    std::int64_t ns;
};

constexpr std::array<Unit, 6> kUnits{{{"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000}}};
constexpr double kLongest = 3650.0 * 86400e9;

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
    const auto split = text.find_first_not_of("0123456789.");
    if (split == 0 || split == std::string_view::npos) {
        return std::nullopt;
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + split, number);
    if (error != std::errc{} || end != text.data() + split || text[split - 1] == '.' ||
        text[0] == '.') {
        return std::nullopt;
    }
    for (const auto& unit : kUnits) {
        if (text.substr(split) == unit.word) {
            const double ns = number * static_cast<double>(unit.ns);
            return ns <= kLongest ? std::optional(Duration(std::llround(ns))) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::string format_duration(Duration duration) {
    const auto ns = duration.count();
    if (ns == 0) {
        return "0s";
    }
    for (const auto& unit : kUnits) {
        const bool too_fine = unit.ns < kUnits[3].ns && std::abs(ns) >= kUnits[3].ns;
        if (ns % unit.ns == 0 && !too_fine) {
            return std::to_string(ns / unit.ns) + std::string(unit.word);
        }
    }
    const auto& unit = std::abs(ns) >= kUnits[3].ns ? kUnits[3] : kUnits[4];
    std::array<char, 48> buffer{};
    const auto written = std::to_chars(buffer.begin(), buffer.end(),
                                       static_cast<double>(ns) / static_cast<double>(unit.ns));
    return std::string(buffer.data(), written.ptr) + std::string(unit.word);
}

std::string format_wall(Wall wall) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(wall);
    const std::time_t t = seconds.time_since_epoch().count();
    std::tm tm{};
    gmtime_r(&t, &tm);
    std::array<char, 32> buffer{};
    const auto n = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return {buffer.data(), n};
}

std::optional<Wall> parse_wall(std::string_view text) noexcept {
    std::tm tm{};
    const std::string copy(text);
    const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (end == nullptr || *end != '\0') {
        return std::nullopt;
    }
    return Wall(std::chrono::seconds(timegm(&tm)));
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::vector<std::size_t> row;
    for (const auto& candidate : candidates) {
        row.resize(candidate.size() + 1);
        std::iota(row.begin(), row.end(), 0U);
        for (std::size_t i = 0; i < word.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i + 1;
            for (std::size_t j = 0; j < candidate.size(); ++j) {
                const auto replaced = diagonal + (word[i] == candidate[j] ? 0U : 1U);
                diagonal = row[j + 1];
                row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return best;
}

std::string ascii_lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

}  // namespace steerd::base
