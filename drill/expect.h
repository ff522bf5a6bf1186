// [expect]: what a drill is held against, and the verdicts. A key's value is the worst over all
// events that take something out and that it applies to; where it did not happen there is no value,
// and that fails. Thread rule: plain values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/problem.h"
#include "base/result.h"
#include "drill/results.h"

namespace steerd::drill {

enum class Unit : std::uint8_t { Seconds, Percent, Count };

struct Limit {
    enum class Relation : std::uint8_t { AtMost, Below, AtLeast, Above, Equal };
    Relation relation = Relation::AtMost;
    double value = 0;  // seconds, per cent or a number
    Unit unit = Unit::Count;
};

struct Expectation {
    std::string key;
    std::string text;  // the limit as written: "<= 20s"
    Limit limit;
    base::SourcePos pos;
};

struct Verdict {
    std::string key;
    std::string limit;
    std::optional<double> value;  // in the limit's unit
    Unit unit = Unit::Count;
    bool ok = false;
};

/// All keys of [expect].
[[nodiscard]] std::span<const std::string_view> expect_keys() noexcept;
/// The limit of a known key; the error says what it should look like.
[[nodiscard]] base::Result<Limit, std::string> parse_limit(std::string_view key,
                                                           std::string_view text);
[[nodiscard]] std::vector<Verdict> judge(std::span<const Expectation> expectations,
                                         const Results& results);
[[nodiscard]] bool all_ok(std::span<const Verdict> verdicts) noexcept;
/// "6.2 s", "1.96 %", "4"; "never" without a value.
[[nodiscard]] std::string value_text(const Verdict& verdict);

}  // namespace steerd::drill
