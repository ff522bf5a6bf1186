// Text of a master file to entries: the words of one record or directive, each with its line and
// column. RFC 1035 §5.1: parentheses join lines, ";" begins a comment, quotes hold blanks, and a
// line that begins with a blank repeats the owner. CRLF ends a line like LF; a byte order mark is
// skipped. Words keep their escapes, because "\." in a name is not "."; a quote inside a bare word
// (alpn="h2,h3", RFC 9460 §2.1) belongs to it. Whatever is wrong with an entry is told once, and
// the next entry is read as if nothing had happened. Deliberately knows no type, name or directive.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "zones/text_source.h"

namespace steerd::zones {

/// An entry may hold this much text: 65,535 octets of rdata with room for any way to write them.
inline constexpr std::size_t kMaxEntryText = 1 << 20;
inline constexpr std::size_t kMaxEntryTokens = 1 << 17;

struct Token {
    std::uint32_t begin = 0;  // in Entry::text
    std::uint32_t size = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    bool quoted = false;     // the whole word stood in quotes, which are not part of it
    bool has_quote = false;  // a bare word with a quote inside
};

struct Entry {
    std::string text;
    std::vector<Token> tokens;
    bool blank_first = false;  // no owner of its own

    [[nodiscard]] std::string_view word(std::size_t token) const {
        return std::string_view(text).substr(tokens[token].begin, tokens[token].size);
    }

    /// A bare word and exactly this one.
    [[nodiscard]] bool is_bare(std::size_t token, std::string_view expected) const {
        return !tokens[token].quoted && word(token) == expected;
    }

    void clear() {
        text.clear();
        tokens.clear();
        blank_first = false;
    }

    /// Appends a word at the place of another one.
    void append(std::string_view word, const Token& like);
};

class Tokenizer {
  public:
    enum class Outcome : std::uint8_t { Entry, Mistake, End };

    struct Mistake {
        std::uint32_t line = 0;
        std::uint32_t column = 0;
        std::string message;
    };

    explicit Tokenizer(TextSource source) : source_(std::move(source)) {}

    /// The next entry that is not empty. After Mistake (see mistake()) reading goes on behind it.
    [[nodiscard]] Outcome next(Entry& entry);

    [[nodiscard]] const Mistake& mistake() const noexcept { return mistake_; }

    [[nodiscard]] const TextSource& source() const noexcept { return source_; }

    [[nodiscard]] std::uint32_t line() const noexcept { return line_; }

  private:
    [[nodiscard]] int peek();
    void take();
    void skip_mark();
    void skip_comment();
    void bare_word(Entry& entry);
    void quoted_word(Entry& entry);
    void quoted_part(Entry& entry);
    void escape(Entry& entry);
    void bound(Entry& entry);
    void take_into(Entry& entry);
    void begin_word(Entry& entry, bool quoted);
    void end_word(Entry& entry);
    [[nodiscard]] bool parenthesis(int c);
    void fail(std::uint32_t line, std::uint32_t column, std::string message);

    TextSource source_;
    std::uint32_t line_ = 1;
    std::uint32_t column_ = 1;
    std::uint32_t depth_ = 0;  // of parentheses
    std::uint32_t open_line_ = 0;
    std::uint32_t open_column_ = 0;
    bool started_ = false;
    bool failed_ = false;
    Mistake mistake_;
};

}  // namespace steerd::zones
