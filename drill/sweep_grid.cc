// Words of a sweep to a grid.
#include "drill/sweep_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace steerd::drill {

namespace {

using std::chrono::seconds;

constexpr std::uint32_t kMostFall = 1000;
constexpr base::Duration kShortestInterval = std::chrono::milliseconds(1);

template <typename T>
void add_once(std::vector<T>& list, T value) {
    if (std::find(list.begin(), list.end(), value) == list.end()) {
        list.push_back(value);
    }
}

/// Calls fn with each part between separators.
template <typename Fn>
void split(std::string_view text, std::string_view separators, Fn&& fn) {
    std::size_t from = 0;
    while (from <= text.size()) {
        const auto to = std::min(text.find_first_of(separators, from), text.size());
        fn(text.substr(from, to - from));
        from = to + 1;
    }
}

std::string add_duration(SweepGrid& grid, std::string_view key, std::string_view value) {
    const auto duration = value == "0" ? base::Duration{} : base::parse_duration(value);
    if (!duration) {
        return fmt::format("\"{}\" is no duration like \"30s\"", value);
    }
    const bool whole = *duration % seconds(1) == base::Duration{};
    if (key == "ttl") {
        if (!whole || *duration < seconds(1)) {
            return fmt::format("a ttl is at least 1s and in whole seconds, got \"{}\"", value);
        }
        add_once(grid.ttl, *duration);
    } else if (key == "ttl_min") {
        if (!whole) {
            return fmt::format("a ttl_min is in whole seconds, got \"{}\"", value);
        }
        add_once(grid.ttl_min, *duration);
    } else {
        if (*duration < kShortestInterval) {
            return fmt::format("an interval is at least 1ms, got \"{}\"", value);
        }
        add_once(grid.interval, *duration);
    }
    return {};
}

std::string add_fall(SweepGrid& grid, std::string_view value) {
    std::uint32_t fall = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), fall);
    if (read.ec != std::errc{} || read.ptr != value.data() + value.size() || fall < 1 ||
        fall > kMostFall) {
        return fmt::format("fall is 1..{}, got \"{}\"", kMostFall, value);
    }
    add_once(grid.fall, fall);
    return {};
}

}  // namespace

base::Result<bool, std::string> add_sweep_values(SweepGrid& grid, std::string_view key,
                                                 std::string_view values) {
    if (key != "ttl" && key != "ttl_min" && key != "interval" && key != "fall") {
        return base::Err{
            fmt::format("unknown key \"{}\": it is ttl, ttl_min, interval or fall", key)};
    }
    std::string error;
    split(values, ",", [&](std::string_view value) {
        if (error.empty()) {
            error = key == "fall" ? add_fall(grid, value) : add_duration(grid, key, value);
        }
    });
    return error.empty() ? base::Result<bool, std::string>(true) : base::Err{error};
}

base::Result<SweepGrid, std::string> parse_sweep(std::string_view text) {
    SweepGrid grid;
    std::string error;
    split(text, " \t", [&](std::string_view part) {
        if (part.empty() || !error.empty()) {
            return;
        }
        const auto equals = part.find('=');
        if (equals == std::string_view::npos) {
            error = fmt::format("\"{}\" is not like ttl=5s,30s", part);
            return;
        }
        const auto added = add_sweep_values(grid, part.substr(0, equals), part.substr(equals + 1));
        error = added ? std::string() : added.error();
    });
    if (error.empty() && grid.empty()) {
        error = "there is nothing in it";
    }
    if (error.empty() && points_of(grid) > kMostSweepPoints) {
        error = fmt::format("{} points are too many, {} is the most", points_of(grid),
                            kMostSweepPoints);
    }
    return error.empty() ? base::Result<SweepGrid, std::string>(std::move(grid)) : base::Err{error};
}

std::size_t points_of(const SweepGrid& grid) noexcept {
    const auto size = [](const auto& list) { return std::max<std::size_t>(1, list.size()); };
    return size(grid.ttl) * size(grid.ttl_min) * size(grid.interval) * size(grid.fall);
}

}  // namespace steerd::drill
