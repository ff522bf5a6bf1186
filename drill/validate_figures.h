// What a validation found, as values for the report: each real resolver held against the simulated
// cache and the closed form. Bounds are the ones a resolver must keep to pass. Thread rule: values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace steerd::drill {

inline constexpr double kMostLifetimeErrorS = 0.1;  // mean absolute error
inline constexpr double kMostFlipErrorS = 1.0;      // of any name
inline constexpr std::size_t kLeastFlips = 200;

/// Share of the answers that still name what died, by seconds since the switch.
using OldCurve = std::vector<std::pair<double, double>>;

struct ResolverFigures {
    std::string name, version;
    std::string model;  // in words
    unsigned runs = 1;  // 2: the first was outside the bounds and was done again
    std::size_t names = 0, logged_fetches = 0, lifetimes = 0, flips = 0;
    std::uint64_t failed = 0;                 // questions without an answer
    std::optional<double> lifetime_error_s;   // mean absolute: measured life less the model's
    std::optional<double> lifetime_excess_s;  // mean: measured life less the TTL
    std::optional<double> flip_error_s;       // the largest: change less the simulated one
    std::optional<double> ks, ks_critical;    // first new answers against the closed form, 1 %
    std::optional<double> stale_observed, stale_theory;  // stale answers of one cache
    OldCurve curve, simulation, closed_form;
    std::vector<std::string> complaints;  // each bound that it broke; empty: within all of them

    [[nodiscard]] bool ok() const noexcept { return complaints.empty(); }
};

struct Validation {
    double ttl_s = 0;             // served in it
    double configured_ttl_s = 0;  // of the name
    double rate = 0;              // questions per second for each name, at each resolver
    double switch_s = 0;          // from the kill to the first answer without what died
    std::vector<ResolverFigures> resolvers;
    std::vector<std::string> missing;  // not installed
    std::vector<std::string> notes;

    [[nodiscard]] bool ok() const noexcept {
        for (const ResolverFigures& resolver : resolvers) {
            if (!resolver.ok()) {
                return false;
            }
        }
        return !resolvers.empty();
    }
};

}  // namespace steerd::drill
