// Where something was written, and what is wrong with it. The load plane collects every problem of
// a configuration before it gives up, so that one run shows them all.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace steerd::base {

/// A place in a file; line and column count from 1, 0 means "not known".
struct SourcePos {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    /// "file:line:col", without the parts that are not known.
    [[nodiscard]] std::string text() const;

    friend bool operator==(const SourcePos&, const SourcePos&) = default;
};

enum class Severity : std::uint8_t { Error, Warning };

[[nodiscard]] std::string_view to_text(Severity severity) noexcept;

struct Problem {
    Severity severity = Severity::Error;
    SourcePos at;
    std::string message;

    /// "file:line:col: error: message"
    [[nodiscard]] std::string text() const;
};

/// Collects problems. Thread rule: one thread.
class Problems {
  public:
    void error(SourcePos at, std::string message);
    void warning(SourcePos at, std::string message);
    void append(const Problems& other);

    [[nodiscard]] bool has_errors() const noexcept { return errors_ > 0; }

    [[nodiscard]] const std::vector<Problem>& all() const noexcept { return all_; }

    [[nodiscard]] std::size_t error_count() const noexcept { return errors_; }

    /// One line for each problem.
    [[nodiscard]] std::string text() const;

  private:
    std::vector<Problem> all_;
    std::size_t errors_ = 0;
};

/// Thrown where loading cannot go on; carries everything found until then.
class LoadError : public std::runtime_error {
  public:
    explicit LoadError(Problems problems)
        : std::runtime_error(problems.text()), problems_(std::move(problems)) {}

    [[nodiscard]] const Problems& problems() const noexcept { return problems_; }

  private:
    Problems problems_;
};

}  // namespace steerd::base
