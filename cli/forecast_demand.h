// The file of forecast's --demand: `prefix,weight`, weight in requests/s.
// Thread rule: the main thread.
#pragma once

#include <string>
#include <vector>

#include "policy/forecast.h"

namespace steerd::cli {

/// A header line, blank lines and lines that start with # are allowed. Throws Failure with every
/// malformed line (the first 20), or when the file cannot be read.
[[nodiscard]] std::vector<policy::DemandRow> read_demand(const std::string& path);

}  // namespace steerd::cli
