// Scanning. Runs of ordinary octets are copied in one piece; everything that means something is
// handled octet by octet. An entry with a mistake is scanned to its end, within its parentheses, so
// that one slip is one message. Thread rule: see tokenizer.h.
#include "zones/tokenizer.h"

#include <array>

namespace steerd::zones {

namespace {

enum Kind : std::uint8_t { kPlain, kBlank, kSpecial, kControl };

constexpr std::array<Kind, 256> make_kinds() {
    std::array<Kind, 256> kinds{};
    for (std::size_t c = 0; c < 32; ++c) {
        kinds[c] = kControl;
    }
    kinds[127] = kControl;
    for (const char c : {' ', '\t', '\r', '\f', '\v'}) {
        kinds[static_cast<unsigned char>(c)] = kBlank;
    }
    for (const char c : {'\n', '(', ')', '"', ';', '\\'}) {
        kinds[static_cast<unsigned char>(c)] = kSpecial;
    }
    return kinds;
}

constexpr auto kKinds = make_kinds();

Kind kind_of(int c) noexcept { return kKinds[static_cast<std::size_t>(c)]; }

}  // namespace

void Entry::append(std::string_view word, const Token& like) {
    Token token = like;
    token.begin = static_cast<std::uint32_t>(text.size());
    token.size = static_cast<std::uint32_t>(word.size());
    text += word;
    tokens.push_back(token);
}

/// The octet at hand, or -1 at the end.
int Tokenizer::peek() {
    const auto rest = source_.rest();
    return rest.empty() ? -1 : static_cast<unsigned char>(rest.front());
}

/// REQUIRES: peek() >= 0.
void Tokenizer::take() {
    if (source_.rest().front() == '\n') {
        ++line_;
        column_ = 0;
    }
    ++column_;
    source_.skip(1);
}

void Tokenizer::take_into(Entry& entry) {
    entry.text += source_.rest().front();
    take();
}

void Tokenizer::fail(std::uint32_t line, std::uint32_t column, std::string message) {
    if (!failed_) {
        failed_ = true;
        mistake_ = {line, column, std::move(message)};
    }
}

void Tokenizer::skip_mark() {
    started_ = true;
    if (source_.rest().starts_with("\xEF\xBB\xBF")) {
        source_.skip(3);
    }
}

void Tokenizer::skip_comment() {
    for (auto rest = source_.rest(); !rest.empty(); rest = source_.rest()) {
        const auto end = rest.find('\n');
        const auto count = end == std::string_view::npos ? rest.size() : end;
        source_.skip(count);
        column_ += static_cast<std::uint32_t>(count);
        if (end != std::string_view::npos) {
            return;
        }
    }
}

void Tokenizer::begin_word(Entry& entry, bool quoted) {
    Token token;
    token.begin = static_cast<std::uint32_t>(entry.text.size());
    token.line = line_;
    token.column = column_;
    token.quoted = quoted;
    entry.tokens.push_back(token);
}

void Tokenizer::end_word(Entry& entry) {
    Token& token = entry.tokens.back();
    token.size = static_cast<std::uint32_t>(entry.text.size()) - token.begin;
    if (failed_) {  // nothing of a bad entry is used: keep none of it
        entry.clear();
    } else if (entry.text.size() > kMaxEntryText || entry.tokens.size() > kMaxEntryTokens) {
        if (depth_ > 0) {
            fail(open_line_, open_column_,
                 "too much text behind '(' for one record; is ')' missing?");
        } else {
            fail(entry.tokens.front().line, entry.tokens.front().column,
                 "too much text for one record");
        }
        entry.clear();
    }
}

/// A single word may be as endless as a file.
void Tokenizer::bound(Entry& entry) {
    if (entry.text.size() > 2 * kMaxEntryText) {
        const Token& token = entry.tokens.back();
        fail(token.line, token.column, "too much text for one record");
        entry.text.resize(token.begin);
    }
}

/// A backslash and what it escapes, both kept; the digits of \DDD follow as plain octets.
void Tokenizer::escape(Entry& entry) {
    const auto line = line_;
    const auto column = column_;
    take_into(entry);
    const int c = peek();
    if (c < 0 || c == '\n' || c == '\r' || kind_of(c) == kControl) {
        fail(line, column, "'\\' with nothing to escape");
        return;
    }
    take_into(entry);
}

/// From an opening quote through the closing one, without either; stops at the end of the line.
void Tokenizer::quoted_part(Entry& entry) {
    const auto line = line_;
    const auto column = column_;
    take();
    for (int c = peek();; c = peek()) {
        if (c < 0 || c == '\n') {
            fail(line, column, "quote is not closed on its line");
            return;
        }
        if (c == '"') {
            take();
            return;
        }
        if (c == '\\') {
            escape(entry);
        } else if (kind_of(c) == kControl) {
            fail(line_, column_, "control character " + std::to_string(c) + "; write it as \\DDD");
            take();
        } else {
            take_into(entry);
        }
        bound(entry);
    }
}

void Tokenizer::quoted_word(Entry& entry) {
    begin_word(entry, true);
    quoted_part(entry);
    end_word(entry);
}

void Tokenizer::bare_word(Entry& entry) {
    begin_word(entry, false);
    for (;;) {
        const auto rest = source_.rest();
        std::size_t run = 0;
        while (run < rest.size() && kind_of(static_cast<unsigned char>(rest[run])) == kPlain) {
            ++run;
        }
        entry.text.append(rest.data(), run);
        column_ += static_cast<std::uint32_t>(run);
        source_.skip(run);
        bound(entry);
        if (run > 0 && run == rest.size()) {
            continue;  // the block ended inside the word
        }
        const int c = peek();
        if (c == '\\') {
            escape(entry);
        } else if (c == '"') {
            entry.tokens.back().has_quote = true;
            entry.text += '"';
            quoted_part(entry);
            entry.text += '"';
        } else if (c >= 0 && kind_of(c) == kControl) {
            fail(line_, column_, "control character " + std::to_string(c) + "; write it as \\DDD");
            take();
        } else {
            break;
        }
    }
    end_word(entry);
}

/// False where it closes nothing.
bool Tokenizer::parenthesis(int c) {
    if (c == '(') {
        if (depth_++ == 0) {
            open_line_ = line_;
            open_column_ = column_;
        }
        return true;
    }
    if (depth_ == 0) {
        return false;
    }
    --depth_;
    return true;
}

Tokenizer::Outcome Tokenizer::next(Entry& entry) {
    entry.clear();
    depth_ = 0;
    failed_ = false;
    if (!started_) {
        skip_mark();
    }
    for (;;) {
        const int c = peek();
        if (c < 0 && depth_ > 0) {
            fail(open_line_, open_column_, "'(' is never closed");
        }
        if (c < 0 || (c == '\n' && depth_ == 0)) {
            const bool full = !entry.tokens.empty();
            if (c >= 0) {
                take();
            }
            if (failed_) {
                return Outcome::Mistake;
            }
            if (full || c < 0) {
                return full ? Outcome::Entry : Outcome::End;
            }
            entry.clear();
        } else if (c == '\n' || kind_of(c) == kBlank) {
            // The first column decides, also of an entry whose parenthesis opens there.
            entry.blank_first = entry.blank_first || (column_ == 1 && depth_ == 0);
            take();
        } else if (c == ';') {
            skip_comment();
        } else if (c == '"') {
            quoted_word(entry);
        } else if (c == '(' || c == ')') {
            if (!parenthesis(c)) {
                fail(line_, column_, "')' without '('");
            }
            take();
        } else {
            bare_word(entry);
        }
    }
}

}  // namespace steerd::zones
