// A forecast with the words around it, as it is printed, written as JSON and drawn.
// Thread rule: plain values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "geo/place.h"
#include "policy/forecast.h"

namespace steerd::cli {

struct ForecastCountry {
    std::string code;  // "??": nobody knows
    double weight = 0;
    double moved = 0;
};

struct ForecastReport {
    std::string name;
    std::string type;
    std::string unit;    // of the amounts
    std::string change;  // what happens between before and after
    bool by_demand = false;
    policy::Forecast forecast;
    std::vector<ForecastCountry> countries;  // those that move most first
    std::vector<std::pair<std::string, geo::Location>> regions;
};

/// Indexes of endpoints that get more than before and more than their capacity; by demand alone.
[[nodiscard]] std::vector<std::size_t> overloaded(const ForecastReport& report);
/// What an operator should know before the change, in words.
[[nodiscard]] std::vector<std::string> warnings_of(const ForecastReport& report);

}  // namespace steerd::cli
