// The state file of a server that ran here before: read once, at start.
// Thread rule: the main thread, before control runs.
#pragma once

#include <filesystem>
#include <optional>

#include "control/state.h"

namespace steerd::server {

[[nodiscard]] std::filesystem::path state_file(const std::filesystem::path& state_dir);

/// Makes `state_dir` where it is missing. nullopt at the first start; a file that cannot be used is
/// kept aside, so that nothing an operator ordered is overwritten unseen, and said so in the log.
[[nodiscard]] std::optional<control::State> restore_state(const std::filesystem::path& state_dir);

}  // namespace steerd::server
