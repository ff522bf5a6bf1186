// Limits and verdicts: one table of keys, each with the figure it looks at.
#include "drill/expect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace steerd::drill {

namespace {

using Relation = Limit::Relation;

/// Which events a key speaks of.
enum class Scope : std::uint8_t {
    Endpoints,  // those that take endpoints out
    Losses,     // and those that take the server out
    Drill,      // the drill as a whole
};

using OfEvent = std::optional<double> (*)(const EventFigures&);
using OfDrill = std::optional<double> (*)(const Results&);

struct Key {
    std::string_view name;
    Unit unit;
    Scope scope;
    OfEvent of_event;
    OfDrill of_drill;
};

std::optional<double> lost_share(const EventFigures& event) {
    if (event.requests == 0) {
        return 0.0;
    }
    return 100 * static_cast<double>(event.requests_lost) / static_cast<double>(event.requests);
}

std::optional<double> percent(std::optional<double> share) {
    return share ? std::optional(*share * 100) : std::nullopt;
}

std::optional<double> peak_load(const Results& results) {
    std::optional<double> worst;
    for (const auto& [name, load] : results.load) {
        if (load.capacity) {
            worst = std::max(worst.value_or(0), 100 * load.peak_qps / *load.capacity);
        }
    }
    return worst;
}

constexpr std::array<Key, 15> kKeys{{
    {"detect", Unit::Seconds, Scope::Endpoints, [](const auto& e) { return e.detect_s; }, nullptr},
    {"switch", Unit::Seconds, Scope::Endpoints, [](const auto& e) { return e.switch_s; }, nullptr},
    {"switch_back", Unit::Seconds, Scope::Endpoints, [](const auto& e) { return e.switch_back_s; },
     nullptr},
    {"clients_moved_p50", Unit::Seconds, Scope::Endpoints,
     [](const auto& e) { return e.moved.p50; }, nullptr},
    {"clients_moved_p90", Unit::Seconds, Scope::Endpoints,
     [](const auto& e) { return e.moved.p90; }, nullptr},
    {"clients_moved_p95", Unit::Seconds, Scope::Endpoints,
     [](const auto& e) { return e.moved.p95; }, nullptr},
    {"clients_moved_p99", Unit::Seconds, Scope::Endpoints,
     [](const auto& e) { return e.moved.p99; }, nullptr},
    {"residual_15m", Unit::Percent, Scope::Endpoints,
     [](const auto& e) { return percent(e.residual.after_15m); }, nullptr},
    {"residual_1h", Unit::Percent, Scope::Endpoints,
     [](const auto& e) { return percent(e.residual.after_1h); }, nullptr},
    {"residual_1d", Unit::Percent, Scope::Endpoints,
     [](const auto& e) { return percent(e.residual.after_1d); }, nullptr},
    {"error_seconds_per_client", Unit::Seconds, Scope::Endpoints,
     [](const auto& e) { return std::optional(e.error_seconds_per_client); }, nullptr},
    {"lost_requests", Unit::Percent, Scope::Losses, [](const auto& e) { return lost_share(e); },
     nullptr},
    {"flaps", Unit::Count, Scope::Endpoints,
     [](const auto& e) { return std::optional<double>(e.flaps); }, nullptr},
    {"switches", Unit::Count, Scope::Drill, nullptr,
     [](const auto& r) { return std::optional<double>(r.switches); }},
    {"peak_load", Unit::Percent, Scope::Drill, nullptr, [](const auto& r) { return peak_load(r); }},
}};

constexpr auto kNames = [] {
    std::array<std::string_view, kKeys.size()> names{};
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
        names[i] = kKeys[i].name;
    }
    return names;
}();

const Key& key_of(std::string_view name) {
    return *std::find_if(kKeys.begin(), kKeys.end(),
                         [&](const Key& key) { return key.name == name; });
}

struct RelationWord {
    std::string_view word;
    Relation relation;
};

// Longer words first: "<=" begins with "<".
constexpr std::array<RelationWord, 5> kRelations{{{"<=", Relation::AtMost},
                                                  {">=", Relation::AtLeast},
                                                  {"==", Relation::Equal},
                                                  {"<", Relation::Below},
                                                  {">", Relation::Above}}};

bool holds(const Limit& limit, double value) {
    switch (limit.relation) {
        case Relation::AtMost:
            return value <= limit.value;
        case Relation::Below:
            return value < limit.value;
        case Relation::AtLeast:
            return value >= limit.value;
        case Relation::Above:
            return value > limit.value;
        case Relation::Equal:
            return value == limit.value;
    }
    return false;
}

std::optional<double> number_of(std::string_view text) {
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = read.ec == std::errc{} && read.ptr == text.data() + text.size();
    return good && value >= 0 ? std::optional(value) : std::nullopt;
}

std::optional<double> value_of(Unit unit, std::string_view text) {
    if (unit == Unit::Seconds) {
        if (text == "0") {
            return 0;
        }
        const auto duration = base::parse_duration(text);
        return duration ? std::optional(std::chrono::duration<double>(*duration).count())
                        : std::nullopt;
    }
    if (unit == Unit::Percent) {
        return text.ends_with('%') ? number_of(text.substr(0, text.size() - 1)) : std::nullopt;
    }
    return number_of(text);
}

/// For limits from above the largest is the worst, else the smallest. An event that has no value
/// is worse than any.
struct Worst {
    const Limit& limit;
    std::optional<double> value;
    bool missing = false;

    void take(std::optional<double> next) {
        const bool from_above =
            limit.relation == Relation::AtMost || limit.relation == Relation::Below;
        const auto badness = [&](double v) {
            return limit.relation == Relation::Equal ? std::abs(v - limit.value)
                                                     : (from_above ? v : -v);
        };
        missing = missing || !next;
        if (next && (!value || badness(*next) > badness(*value))) {
            value = next;
        }
    }
};

}  // namespace

std::span<const std::string_view> expect_keys() noexcept { return kNames; }

base::Result<Limit, std::string> parse_limit(std::string_view key, std::string_view text) {
    const Unit unit = key_of(key).unit;
    const std::string wanted =
        fmt::format("must be a limit like \"{}\"", unit == Unit::Seconds   ? "<= 20s"
                                                   : unit == Unit::Percent ? "<= 2%"
                                                                           : "<= 4");
    for (const RelationWord& one : kRelations) {
        if (!text.starts_with(one.word)) {
            continue;
        }
        auto rest = text.substr(one.word.size());
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        const auto value = value_of(unit, rest);
        if (!value) {
            break;
        }
        return Limit{one.relation, *value, unit};
    }
    return base::Err{wanted};
}

std::vector<Verdict> judge(std::span<const Expectation> expectations, const Results& results) {
    std::vector<Verdict> verdicts;
    for (const Expectation& expectation : expectations) {
        const Key& key = key_of(expectation.key);
        Worst worst{expectation.limit, std::nullopt};
        if (key.scope == Scope::Drill) {
            worst.take(key.of_drill(results));
        } else {
            for (const EventFigures& event : results.events) {
                const bool server = event.target == "server";
                if (event.takes_out && (!server || key.scope == Scope::Losses)) {
                    worst.take(key.of_event(event));
                }
            }
        }
        Verdict verdict{expectation.key, expectation.text, worst.value, key.unit};
        if (worst.missing) {
            verdict.value.reset();
        }
        verdict.ok = verdict.value && holds(expectation.limit, *verdict.value);
        verdicts.push_back(std::move(verdict));
    }
    return verdicts;
}

bool all_ok(std::span<const Verdict> verdicts) noexcept {
    return std::all_of(verdicts.begin(), verdicts.end(),
                       [](const Verdict& verdict) { return verdict.ok; });
}

std::string value_text(const Verdict& verdict) {
    if (!verdict.value) {
        return "never";
    }
    switch (verdict.unit) {
        case Unit::Seconds:
            return fmt::format("{:.1f} s", *verdict.value);
        case Unit::Percent:
            return fmt::format("{:.3g} %", *verdict.value);
        case Unit::Count:
            return fmt::format("{:g}", *verdict.value);
    }
    return {};
}

}  // namespace steerd::drill
