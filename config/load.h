// TOML to a checked Model: every problem at once, with its place, unknown keys with a "did you
// mean". Reads the configuration file alone; zone and geo files are opened by those who own them.
// Thread rule: any thread, one at a time for each call.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/problem.h"
#include "config/model.h"

namespace steerd::config {

struct Loaded {
    /// nullptr when the problems outside the zones' steer tables hold an error.
    std::shared_ptr<const Model> model;
    /// What could be read although there are errors, for check alone: so that it can go on to the
    /// zone and geo files. nullptr when the file is no TOML; much of it may be wanting.
    std::shared_ptr<const Model> readable;
    /// All errors and warnings, those of steer tables included, in the order of the file.
    base::Problems problems;
};

/// Reads `file`; paths in it become relative to its folder. Never throws for what a file holds.
[[nodiscard]] Loaded load(const std::filesystem::path& file);
/// The same from memory; `file` names it in problems and is what paths are relative to.
[[nodiscard]] Loaded load_text(std::string_view text, const std::filesystem::path& file);

/// Which endpoints stand under a route (each once, in the order they are first met).
/// REQUIRES: the model holds no loop (load made sure).
[[nodiscard]] std::vector<EndpointId> endpoints_under(const Model& model, RouteId route);

}  // namespace steerd::config
