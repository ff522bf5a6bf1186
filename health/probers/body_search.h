// Looks for a text in a stream of octets, in its first `window` octets only, and keeps no more of
// it than the text is long: a body may be endless. Thread rule: a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace steerd::probers {

class BodySearch {
  public:
    enum class State : std::uint8_t { Searching, Found, NotInWindow };

    /// REQUIRES: `text` is not empty.
    BodySearch(std::string text, std::size_t window) : text_(std::move(text)), left_(window) {}

    /// The next octets of the body.
    State feed(std::string_view chunk);

    [[nodiscard]] State state() const noexcept { return state_; }

  private:
    std::string text_;
    std::size_t left_;   // octets of the window still to come
    std::string carry_;  // the end of what came, shorter than the text
    State state_ = State::Searching;
};

}  // namespace steerd::probers
