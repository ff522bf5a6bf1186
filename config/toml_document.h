// TOML text to a plain tree with places, in the order of the file.
// toml++ sorts tables by name and keeps its headers heavy, so it stops in the .cc beside this file:
// nothing else includes it. Not here: what keys mean (toml_reader.h and those who use it).
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/problem.h"
#include "base/result.h"

namespace steerd::config {

struct TomlEntry;

struct TomlNode {
    enum class Kind : std::uint8_t { String, Integer, Float, Boolean, Date, Array, Table };

    Kind kind = Kind::Table;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::string text;                // String
    std::int64_t integer = 0;        // Integer
    double real = 0;                 // Float
    bool boolean = false;            // Boolean
    std::vector<TomlNode> items;     // Array
    std::vector<TomlEntry> entries;  // Table, in the order of the file

    /// nullptr when the table has no such key.
    [[nodiscard]] const TomlEntry* find(std::string_view key) const noexcept;
};

struct TomlEntry {
    std::string key;
    std::uint32_t line = 0;  // of the key, where it stands first
    std::uint32_t column = 0;
    TomlNode value;
};

/// The root table, or the one problem that a syntax error is (TOML cannot be read past it).
/// Bounded for any text: at most 16 parts in a dotted key, 256 nested values, `kMaxTomlSize`
/// octets.
[[nodiscard]] base::Result<TomlNode, base::Problem> parse_toml(std::string_view text,
                                                               const std::string& file);

inline constexpr std::size_t kMaxTomlSize = std::size_t{16} << 20;

}  // namespace steerd::config
