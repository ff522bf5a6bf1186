// What the parts of reading a scenario share. Not an interface: only scenario*.cc include it.
// Thread rule: one thread.
#pragma once

#include "config/toml_reader.h"
#include "drill/scenario.h"

namespace steerd::drill {

void read_resolvers(config::TomlTable& root, Scenario& scenario);
void read_demands(config::TomlTable& root, Scenario& scenario);
void read_events(config::TomlTable& root, Scenario& scenario);

/// The tables of an array of tables; items of other types are problems.
[[nodiscard]] std::vector<const config::TomlNode*> tables_of(config::TomlTable& root,
                                                             std::string_view key);
/// A share in (0, 1], from a number or a string like "10%". `key` may be absent.
[[nodiscard]] std::optional<double> read_share(config::TomlTable& table, std::string_view key);

}  // namespace steerd::drill
