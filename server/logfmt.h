// One line of logfmt: a word, then key=value pairs; a value with anything but plain characters is
// quoted, and what could end a line or a quote is escaped, since values come from strangers.
// Thread rule: one owner.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace steerd::server {

class Logfmt {
  public:
    explicit Logfmt(std::string_view word) : line_(word) {}

    void add(std::string_view key, std::string_view value) {
        line_ += ' ';
        line_ += key;
        line_ += '=';
        const bool plain = !value.empty() && std::ranges::all_of(value, [](char c) {
            return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
        });
        if (plain) {
            line_ += value;
            return;
        }
        line_ += '"';
        for (const char c : value) {
            if (c == '"' || c == '\\') {
                line_ += '\\';
                line_ += c;
            } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) {
                fmt::format_to(std::back_inserter(line_), "\\x{:02x}",
                               static_cast<unsigned char>(c));
            } else {
                line_ += c;
            }
        }
        line_ += '"';
    }

    [[nodiscard]] std::string take() noexcept { return std::move(line_); }

  private:
    std::string line_;
};

}  // namespace steerd::server
