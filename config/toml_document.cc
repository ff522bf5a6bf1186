// The only place that knows toml++. It recurses through dotted keys without a bound (a header of
// some 10,000 parts overflows the stack when its tables are freed), so a scan of our own refuses
// such keys first.
#include "config/toml_document.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace steerd::config {

namespace {

constexpr std::size_t kMaxKeyDots = 15;
constexpr unsigned kMaxDepth = 64;

/// Walks over tokens only as far as strings and comments need it.
class KeyDepthScan {
  public:
    explicit KeyDepthScan(std::string_view text) : text_(text) {}

    /// Line and column of the first key with too many parts.
    [[nodiscard]] std::optional<std::pair<std::uint32_t, std::uint32_t>> find() {
        std::size_t dots = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"' || c == '\'') {
                skip_string(c);
                continue;
            }
            if (c == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
                continue;
            }
            if (c == '.' && ++dots > kMaxKeyDots) {
                return place();
            }
            if (std::string_view("=[]{},\n").find(c) != std::string_view::npos) {
                dots = 0;
            }
            ++at_;
        }
        return std::nullopt;
    }

  private:
    [[nodiscard]] bool three(char quote) const {
        return text_.substr(at_, 3) == std::string(3, quote);
    }

    void skip_string(char quote) {
        const bool multi = three(quote);
        at_ += multi ? 3 : 1;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '\\' && quote == '"') {
                at_ += 2;
                continue;
            }
            if (c == '\n' && !multi) {
                return;
            }
            if (c == quote && (!multi || three(quote))) {
                at_ += multi ? 3 : 1;
                // Up to two quotes may stand right before the closing three.
                for (int i = 0; multi && i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) {
                    ++at_;
                }
                return;
            }
            ++at_;
        }
    }

    [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> place() const {
        const auto before = text_.substr(0, at_);
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const auto start = before.rfind('\n');
        const auto column = at_ - (start == std::string_view::npos ? 0 : start + 1) + 1;
        return {static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column)};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// toml++'s tree to ours. Recursion ends at kMaxDepth; what lies deeper is left out and told.
class Conversion {
  public:
    TomlNode run(const toml::node& from, unsigned depth = 0) {
        TomlNode to;
        to.line = from.source().begin.line;
        to.column = from.source().begin.column;
        if (depth > kMaxDepth) {
            if (!too_deep_) {
                too_deep_ = {to.line, to.column};
            }
        } else if (const auto* table = from.as_table()) {
            add_entries(*table, to, depth);
        } else if (const auto* array = from.as_array()) {
            to.kind = TomlNode::Kind::Array;
            to.items.reserve(array->size());
            for (const auto& item : *array) {
                to.items.push_back(run(item, depth + 1));
            }
        } else {
            set_value(from, to);
        }
        return to;
    }

    [[nodiscard]] const std::optional<std::pair<std::uint32_t, std::uint32_t>>& too_deep()
        const noexcept {
        return too_deep_;
    }

  private:
    void add_entries(const toml::table& from, TomlNode& to, unsigned depth) {
        to.entries.reserve(from.size());
        for (const auto& [key, value] : from) {
            const auto& at = key.source().begin;
            to.entries.push_back(
                {std::string(key.str()), at.line, at.column, run(value, depth + 1)});
        }
        std::stable_sort(to.entries.begin(), to.entries.end(), [](const auto& a, const auto& b) {
            return std::tie(a.line, a.column) < std::tie(b.line, b.column);
        });
    }

    static void set_value(const toml::node& from, TomlNode& to) {
        if (const auto* text = from.as_string()) {
            to.kind = TomlNode::Kind::String;
            to.text = text->get();
        } else if (const auto* integer = from.as_integer()) {
            to.kind = TomlNode::Kind::Integer;
            to.integer = integer->get();
        } else if (const auto* real = from.as_floating_point()) {
            to.kind = TomlNode::Kind::Float;
            to.real = real->get();
        } else if (const auto* boolean = from.as_boolean()) {
            to.kind = TomlNode::Kind::Boolean;
            to.boolean = boolean->get();
        } else {
            to.kind = TomlNode::Kind::Date;
        }
    }

    std::optional<std::pair<std::uint32_t, std::uint32_t>> too_deep_;
};

base::Problem problem(base::SourcePos at, std::string message) {
    return {base::Severity::Error, std::move(at), std::move(message)};
}

}  // namespace

const TomlEntry* TomlNode::find(std::string_view key) const noexcept {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [key](const TomlEntry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &*found;
}

base::Result<TomlNode, base::Problem> parse_toml(std::string_view text, const std::string& file) {
    if (text.size() > kMaxTomlSize) {
        return base::Err{problem({file, 1, 1}, "the file is over 16 MiB")};
    }
    if (const auto deep = KeyDepthScan(text).find()) {
        return base::Err{
            problem({file, deep->first, deep->second}, "a dotted key has more than 16 parts")};
    }
    try {
        Conversion conversion;
        TomlNode root = conversion.run(toml::parse(text));
        if (const auto& deep = conversion.too_deep()) {
            return base::Err{problem({file, deep->first, deep->second},
                                     fmt::format("nested more than {} deep", kMaxDepth))};
        }
        root.line = 1;
        root.column = 1;
        return root;
    } catch (const toml::parse_error& error) {
        const auto& at = error.source().begin;
        return base::Err{
            problem({file, at.line, at.column}, "not TOML: " + std::string(error.description()))};
    }
}

}  // namespace steerd::config
