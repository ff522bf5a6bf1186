// Changing a configuration as text would be changed by hand: the tree of toml_document.h edited and
// written out again as TOML. For copies that run apart from the original (a live drill's); comments
// and the order of equal keys are not kept, places are the copy's own. Knows nothing of what keys
// mean. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/toml_document.h"

namespace steerd::config {

/// The whole tree as TOML: parse_toml() of it gives an equal tree, but for places.
/// REQUIRES: no dates (no key of ours takes one); `root` is a table.
[[nodiscard]] std::string toml_text(const TomlNode& root);

[[nodiscard]] TomlNode toml_string(std::string text);
[[nodiscard]] TomlNode toml_integer(std::int64_t value);
[[nodiscard]] TomlNode toml_real(double value);
[[nodiscard]] TomlNode toml_array(std::vector<TomlNode> items);
[[nodiscard]] TomlNode toml_strings(const std::vector<std::string>& texts);

/// nullptr when the table has no such key.
[[nodiscard]] TomlNode* find_value(TomlNode& table, std::string_view key) noexcept;
/// Adds the key or replaces its value.
void set_value(TomlNode& table, std::string_view key, TomlNode value);
void erase_key(TomlNode& table, std::string_view key);
/// The table under the key, made empty where it is missing or is no table.
TomlNode& table_at(TomlNode& table, std::string_view key);

}  // namespace steerd::config
