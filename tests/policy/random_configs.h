// Random configurations with small random worlds, for tests that hold one way of deciding against
// another: trees of all policies up to depth 3, few endpoints, nested networks, rows and countries.
#pragma once

#include <cstdint>
#include <string>

#include "support.h"

namespace steerd::policy::testing {

struct RandomConfig {
    std::string toml;
    WorldText world;
};

/// Not every one loads: some break a rule of the configuration.
[[nodiscard]] RandomConfig random_config(std::uint64_t seed);

}  // namespace steerd::policy::testing
