// The octets of a master file, from disk or from memory, block by block. Read and not mapped: a
// file that shrinks while it is mapped kills the process, and pages of a map would count as memory.
// Deliberately knows no syntax. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace steerd::zones {

/// What one zone may read, all its files together.
inline constexpr std::uint64_t kMaxTextOctets = 0xFFFFFFFF;

class TextSource {
  public:
    /// A regular file; anything else (a folder, a pipe that would hang) is an error.
    [[nodiscard]] static base::Result<TextSource, std::string> open(const std::string& path);

    /// `text` must outlive the source.
    explicit TextSource(std::string_view text) noexcept
        : at_(text.data()), end_(text.data() + text.size()), octets_(text.size()) {}

    TextSource(TextSource&& other) noexcept;
    TextSource& operator=(TextSource&&) = delete;
    TextSource(const TextSource&) = delete;
    TextSource& operator=(const TextSource&) = delete;
    ~TextSource();

    /// The octets at hand; empty only at the end of the text.
    [[nodiscard]] std::string_view rest() {
        if (at_ == end_ && fd_ >= 0) {
            refill();
        }
        return {at_, static_cast<std::size_t>(end_ - at_)};
    }

    /// REQUIRES: count <= rest().size().
    void skip(std::size_t count) noexcept { at_ += count; }

    /// Octets handed out until now and at hand.
    [[nodiscard]] std::uint64_t octets() const noexcept { return octets_; }

    /// Empty, or why the text ended early.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

  private:
    TextSource(int fd, std::unique_ptr<char[]> block) noexcept;
    void refill();

    const char* at_ = nullptr;
    const char* end_ = nullptr;
    std::uint64_t octets_ = 0;
    int fd_ = -1;
    std::unique_ptr<char[]> block_;
    std::string failure_;
};

}  // namespace steerd::zones
