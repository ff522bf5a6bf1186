#include "config/toml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace steerd::config {

namespace {

constexpr std::size_t kLongestQuote = 80;
constexpr std::size_t kLongestHinted = 64;

bool is_control(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7F;
}

}  // namespace

base::SourcePos TomlSource::at(const TomlNode& node) const {
    return {file, node.line, node.column};
}

base::SourcePos TomlSource::at(const TomlEntry& entry) const {
    return {file, entry.line, entry.column};
}

std::string did_you_mean(TomlSource& source, std::string_view word,
                         std::span<const std::string> candidates) {
    if (source.hints_left == 0 || word.size() > kLongestHinted) {
        return {};
    }
    --source.hints_left;
    const auto best = base::nearest(word, candidates);
    return best ? "; did you mean " + in_quotes(*best) + "?" : std::string();
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text.substr(0, kLongestQuote)) {
        if (is_control(c)) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            out += c;
        }
    }
    if (text.size() > kLongestQuote) {
        // Not in the middle of a UTF-8 sequence.
        while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U) {
            out.pop_back();
        }
        if ((static_cast<unsigned char>(out.back()) & 0xC0U) == 0xC0U) {
            out.pop_back();
        }
        out += "...";
    }
    return out + "\"";
}

std::string describe(const TomlNode& node) {
    switch (node.kind) {
        case TomlNode::Kind::String:
            return "the string " + in_quotes(node.text);
        case TomlNode::Kind::Integer:
            return fmt::format("the integer {}", node.integer);
        case TomlNode::Kind::Float:
            return fmt::format("the number {}", node.real);
        case TomlNode::Kind::Boolean:
            return node.boolean ? "true" : "false";
        case TomlNode::Kind::Date:
            return "a date or time";
        case TomlNode::Kind::Array:
            return "an array";
        case TomlNode::Kind::Table:
            return "a table";
    }
    return {};
}

TomlTable::TomlTable(const TomlNode& node, std::string what, TomlSource& source,
                     base::Problems& problems)
    : node_(&node), what_(std::move(what)), source_(&source), problems_(&problems) {
    CHECK(node.kind == TomlNode::Kind::Table);
}

const TomlNode* TomlTable::find(std::string_view key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        known_.emplace_back(key);
    }
    const auto* entry = node_->find(key);
    return entry == nullptr ? nullptr : &entry->value;
}

const TomlNode* TomlTable::find(std::string_view key, TomlNode::Kind kind,
                                std::string_view expected) {
    const auto* node = find(key);
    if (node != nullptr && node->kind != kind) {
        // Some keys are looked at more than once.
        if (std::find(reported_.begin(), reported_.end(), node) == reported_.end()) {
            reported_.push_back(node);
            wrong(key, *node, expected);
        }
        return nullptr;
    }
    return node;
}

bool TomlTable::has(std::string_view key) { return find(key) != nullptr; }

bool TomlTable::printable(std::string_view key, const TomlNode& node) const {
    if (node.text.empty()) {
        error(at(node), fmt::format("{} is empty", key));
        return false;
    }
    if (std::any_of(node.text.begin(), node.text.end(), is_control)) {
        error(at(node), fmt::format("{} holds a control character: {}", key, in_quotes(node.text)));
        return false;
    }
    return true;
}

std::optional<std::string> TomlTable::text(std::string_view key) {
    const auto* node = find(key, TomlNode::Kind::String, "a string");
    if (node == nullptr || !printable(key, *node)) {
        return std::nullopt;
    }
    return node->text;
}

std::optional<std::int64_t> TomlTable::integer(std::string_view key, IntegerRange range) {
    const auto expected = fmt::format("an integer {}..{}", range.least, range.most);
    const auto* node = find(key, TomlNode::Kind::Integer, expected);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (node->integer < range.least || node->integer > range.most) {
        error(at(*node), fmt::format("{} must be {}..{}, got {}", key, range.least, range.most,
                                     node->integer));
        return std::nullopt;
    }
    return node->integer;
}

std::optional<double> TomlTable::number(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (node->kind == TomlNode::Kind::Integer) {
        return static_cast<double>(node->integer);
    }
    if (node->kind != TomlNode::Kind::Float || !std::isfinite(node->real)) {
        wrong(key, *node, "a number");
        return std::nullopt;
    }
    return node->real;
}

std::optional<bool> TomlTable::boolean(std::string_view key) {
    const auto* node = find(key, TomlNode::Kind::Boolean, "true or false");
    return node == nullptr ? std::nullopt : std::optional(node->boolean);
}

std::optional<base::Duration> TomlTable::duration(std::string_view key, base::Duration least) {
    const auto* node = find(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (node->kind != TomlNode::Kind::String) {
        wrong(key, *node, "a duration in quotes like \"500ms\", \"30s\" or \"5m\"");
        return std::nullopt;
    }
    const auto value = base::parse_duration(node->text);
    if (!value) {
        error(at(*node), fmt::format("{} must be a duration like \"500ms\", \"30s\" or \"5m\", "
                                     "got {}",
                                     key, in_quotes(node->text)));
        return std::nullopt;
    }
    if (*value < least) {
        error(at(*node), fmt::format("{} must be at least {}, got {}", key,
                                     base::format_duration(least), in_quotes(node->text)));
        return std::nullopt;
    }
    return value;
}

std::optional<std::filesystem::path> TomlTable::path(std::string_view key) {
    const auto value = text(key);
    return value ? std::optional(source_->folder / *value) : std::nullopt;
}

std::vector<LocatedText> TomlTable::texts(std::string_view key) {
    std::vector<LocatedText> out;
    const auto* node = find(key, TomlNode::Kind::Array, "an array of strings");
    if (node == nullptr) {
        return out;
    }
    for (const auto& item : node->items) {
        if (item.kind != TomlNode::Kind::String) {
            error(at(item), fmt::format("{} must hold strings only, got {}", key, describe(item)));
        } else if (printable(fmt::format("an item of {}", key), item)) {
            out.push_back({item.text, at(item)});
        }
    }
    return out;
}

std::optional<std::size_t> TomlTable::word(std::string_view key,
                                           std::span<const std::string_view> words) {
    const auto* node = find(key, TomlNode::Kind::String, "a string");
    if (node == nullptr) {
        return std::nullopt;
    }
    const auto found = std::find(words.begin(), words.end(), node->text);
    if (found == words.end()) {
        const std::vector<std::string> candidates(words.begin(), words.end());
        std::string list;
        for (std::size_t i = 0; i < words.size(); ++i) {
            list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + in_quotes(words[i]);
        }
        error(at(*node), fmt::format("{} must be {}, got {}{}", key, list, in_quotes(node->text),
                                     did_you_mean(*source_, node->text, candidates)));
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - words.begin());
}

const TomlNode* TomlTable::array(std::string_view key) {
    return find(key, TomlNode::Kind::Array, "an array");
}

const TomlNode* TomlTable::table(std::string_view key) {
    return find(key, TomlNode::Kind::Table, "a table");
}

const TomlNode* TomlTable::any(std::string_view key) { return find(key); }

base::SourcePos TomlTable::at() const { return source_->at(*node_); }

base::SourcePos TomlTable::at(std::string_view key) const {
    const auto* entry = node_->find(key);
    return entry == nullptr ? at() : source_->at(entry->value);
}

void TomlTable::error(base::SourcePos at, std::string message) const {
    problems_->error(std::move(at),
                     what_.empty() ? std::move(message) : fmt::format("{} ({})", message, what_));
}

void TomlTable::error(std::string_view key, std::string message) const {
    error(at(key), std::move(message));
}

void TomlTable::warning(base::SourcePos at, std::string message) const {
    problems_->warning(std::move(at),
                       what_.empty() ? std::move(message) : fmt::format("{} ({})", message, what_));
}

void TomlTable::wrong(std::string_view key, const TomlNode& node, std::string_view expected) const {
    error(at(node), fmt::format("{} must be {}, got {}", key, expected, describe(node)));
}

void TomlTable::reject(std::string_view key, std::string_view why) {
    if (find(key) != nullptr) {
        const auto* entry = node_->find(key);
        error(source_->at(*entry), fmt::format("{} {}", key, why));
    }
}

void TomlTable::finish() {
    for (const auto& entry : node_->entries) {
        if (std::find(known_.begin(), known_.end(), entry.key) == known_.end()) {
            error(source_->at(entry), fmt::format("unknown key {}{}", in_quotes(entry.key),
                                                  did_you_mean(*source_, entry.key, known_)));
        }
    }
}

base::Problems in_file_order(const base::Problems& problems) {
    auto all = problems.all();
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
    });
    base::Problems sorted;
    for (auto& problem : all) {
        if (problem.severity == base::Severity::Error) {
            sorted.error(std::move(problem.at), std::move(problem.message));
        } else {
            sorted.warning(std::move(problem.at), std::move(problem.message));
        }
    }
    return sorted;
}

}  // namespace steerd::config
