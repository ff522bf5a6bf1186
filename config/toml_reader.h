// Typed reading of one TOML table: each getter says what is wrong with place and hint, finish()
// says which keys nobody asked for. The one reader for configurations and scenarios.
// A getter gives nothing both when its key is absent and when its value is bad (then a problem was
// added), so that reading goes on and one run shows everything.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/problem.h"
#include "config/toml_document.h"

namespace steerd::config {

/// What all tables of one file share.
struct TomlSource {
    std::string file;              // as problems name it
    std::filesystem::path folder;  // what paths are relative to
    /// "Did you mean" costs a look at every candidate; a file full of nonsense gets this many.
    std::size_t hints_left = 50;

    [[nodiscard]] base::SourcePos at(const TomlNode& node) const;
    [[nodiscard]] base::SourcePos at(const TomlEntry& entry) const;
};

/// `; did you mean "X"?`, or nothing where no candidate is near.
[[nodiscard]] std::string did_you_mean(TomlSource& source, std::string_view word,
                                       std::span<const std::string> candidates);
/// In double quotes for a message: control characters as \xNN, long text cut.
[[nodiscard]] std::string in_quotes(std::string_view text);
/// "the integer 5", "the string \"x\"", "a table".
[[nodiscard]] std::string describe(const TomlNode& node);

struct IntegerRange {
    std::int64_t least = 0;
    std::int64_t most = 0;
};

struct LocatedText {
    std::string text;
    base::SourcePos at;
};

class TomlTable {
  public:
    /// `what` names the table in messages: `probe "web"`; empty: nothing is added.
    /// REQUIRES: `node` is a table; all references outlive this object.
    TomlTable(const TomlNode& node, std::string what, TomlSource& source, base::Problems& problems);

    [[nodiscard]] bool has(std::string_view key);
    /// Not empty, no control characters.
    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, IntegerRange range);
    [[nodiscard]] std::optional<double> number(std::string_view key);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    /// `least`: below it is an error.
    [[nodiscard]] std::optional<base::Duration> duration(std::string_view key,
                                                         base::Duration least);
    /// Relative to the folder of the file.
    [[nodiscard]] std::optional<std::filesystem::path> path(std::string_view key);
    /// The strings of an array; items of other types are problems and left out.
    [[nodiscard]] std::vector<LocatedText> texts(std::string_view key);
    /// The place in `words` of the key's text; an unknown word is a problem that lists them.
    [[nodiscard]] std::optional<std::size_t> word(std::string_view key,
                                                  std::span<const std::string_view> words);
    [[nodiscard]] const TomlNode* array(std::string_view key);
    [[nodiscard]] const TomlNode* table(std::string_view key);
    /// The value whatever its type.
    [[nodiscard]] const TomlNode* any(std::string_view key);

    /// Where the table begins.
    [[nodiscard]] base::SourcePos at() const;
    /// The value of `key`, or the table where it is absent.
    [[nodiscard]] base::SourcePos at(std::string_view key) const;

    [[nodiscard]] base::SourcePos at(const TomlNode& node) const { return source_->at(node); }

    [[nodiscard]] TomlSource& source() const noexcept { return *source_; }

    [[nodiscard]] base::Problems& problems() const noexcept { return *problems_; }

    [[nodiscard]] const TomlNode& node() const noexcept { return *node_; }

    /// Adds a problem with "(what)" behind it.
    void error(base::SourcePos at, std::string message) const;
    void error(std::string_view key, std::string message) const;
    void warning(base::SourcePos at, std::string message) const;
    /// "KEY must be EXPECTED, got ..."
    void wrong(std::string_view key, const TomlNode& node, std::string_view expected) const;
    /// A key that exists, but not here: `why` is "belongs to policy \"weighted\"".
    void reject(std::string_view key, std::string_view why);
    /// Reports every key that was not asked for.
    void finish();

  private:
    const TomlNode* find(std::string_view key);
    const TomlNode* find(std::string_view key, TomlNode::Kind kind, std::string_view expected);
    [[nodiscard]] bool printable(std::string_view key, const TomlNode& node) const;

    const TomlNode* node_;
    std::string what_;
    TomlSource* source_;
    base::Problems* problems_;
    std::vector<std::string> known_;
    std::vector<const TomlNode*> reported_;  // as of a wrong type
};

/// In the order of the file; what stands at one place stays in the order it was found.
[[nodiscard]] base::Problems in_file_order(const base::Problems& problems);

}  // namespace steerd::config
