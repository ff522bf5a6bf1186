// Tables down to the fourth level get headers, as people write them; what lies deeper is inline.
#include "config/rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace steerd::config {

namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string real_text(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    if (std::isinf(value)) {
        return value < 0 ? "-inf" : "inf";
    }
    std::string text = fmt::format("{}", value);
    const bool whole = text.find_first_of(".e") == std::string::npos;
    return whole ? text + ".0" : text;
}

std::string inline_text(const TomlNode& node) {
    std::vector<std::string> parts;
    switch (node.kind) {
        case TomlNode::Kind::String:
        case TomlNode::Kind::Date:
            return quoted(node.text);
        case TomlNode::Kind::Integer:
            return fmt::format("{}", node.integer);
        case TomlNode::Kind::Float:
            return real_text(node.real);
        case TomlNode::Kind::Boolean:
            return node.boolean ? "true" : "false";
        case TomlNode::Kind::Array:
            for (const TomlNode& item : node.items) {
                parts.push_back(inline_text(item));
            }
            return fmt::format("[{}]", fmt::join(parts, ", "));
        case TomlNode::Kind::Table:
            break;
    }
    for (const TomlEntry& entry : node.entries) {
        parts.push_back(fmt::format("{} = {}", quoted(entry.key), inline_text(entry.value)));
    }
    return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

/// The table's plain keys, then its tables under headers of their own as long as `levels` last.
void write_table(const TomlNode& table, const std::string& path, int levels, std::string& out) {
    const auto apart = [&](const TomlEntry& entry) {
        return levels > 0 && entry.value.kind == TomlNode::Kind::Table;
    };
    for (const TomlEntry& entry : table.entries) {
        if (!apart(entry)) {
            out += fmt::format("{} = {}\n", quoted(entry.key), inline_text(entry.value));
        }
    }
    for (const TomlEntry& entry : table.entries) {
        if (apart(entry)) {
            const std::string below =
                path.empty() ? quoted(entry.key) : path + "." + quoted(entry.key);
            out += fmt::format("\n[{}]\n", below);
            write_table(entry.value, below, levels - 1, out);
        }
    }
}

}  // namespace

std::string toml_text(const TomlNode& root) {
    constexpr int kLevelsWithHeaders = 4;  // [zones."example.com".steer."www"]
    std::string out;
    write_table(root, {}, kLevelsWithHeaders, out);
    return out;
}

TomlNode toml_string(std::string text) {
    TomlNode node;
    node.kind = TomlNode::Kind::String;
    node.text = std::move(text);
    return node;
}

TomlNode toml_integer(std::int64_t value) {
    TomlNode node;
    node.kind = TomlNode::Kind::Integer;
    node.integer = value;
    return node;
}

TomlNode toml_real(double value) {
    TomlNode node;
    node.kind = TomlNode::Kind::Float;
    node.real = value;
    return node;
}

TomlNode toml_array(std::vector<TomlNode> items) {
    TomlNode node;
    node.kind = TomlNode::Kind::Array;
    node.items = std::move(items);
    return node;
}

TomlNode toml_strings(const std::vector<std::string>& texts) {
    std::vector<TomlNode> items;
    items.reserve(texts.size());
    for (const std::string& text : texts) {
        items.push_back(toml_string(text));
    }
    return toml_array(std::move(items));
}

TomlNode* find_value(TomlNode& table, std::string_view key) noexcept {
    const auto found = std::find_if(table.entries.begin(), table.entries.end(),
                                    [&](const TomlEntry& entry) { return entry.key == key; });
    return found == table.entries.end() ? nullptr : &found->value;
}

void set_value(TomlNode& table, std::string_view key, TomlNode value) {
    if (TomlNode* there = find_value(table, key)) {
        *there = std::move(value);
        return;
    }
    TomlEntry entry;
    entry.key = key;
    entry.value = std::move(value);
    table.entries.push_back(std::move(entry));
}

void erase_key(TomlNode& table, std::string_view key) {
    std::erase_if(table.entries, [&](const TomlEntry& entry) { return entry.key == key; });
}

TomlNode& table_at(TomlNode& table, std::string_view key) {
    TomlNode* there = find_value(table, key);
    if (there == nullptr || there->kind != TomlNode::Kind::Table) {
        set_value(table, key, TomlNode{});
        there = find_value(table, key);
    }
    return *there;
}

}  // namespace steerd::config
