// The templates of $GENERATE as BIND defines them: "$" stands for the counter,
// "${offset,width,base}" for the counter plus offset in base d, o, x, X, n or N (nibbles, lowest
// first, between dots), padded with zeros to width; "\$" and "$$" for a dollar sign. Thread rule:
// values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace steerd::zones {

/// start-stop or start-stop/step.
struct GenerateRange {
    std::uint32_t start = 0;
    std::uint32_t stop = 0;
    std::uint32_t step = 1;

    [[nodiscard]] std::uint64_t count() const noexcept {
        return (std::uint64_t{stop} - start) / step + 1;
    }
};

[[nodiscard]] std::optional<GenerateRange> parse_generate_range(std::string_view text) noexcept;

class GenerateTemplate {
  public:
    [[nodiscard]] static base::Result<GenerateTemplate, std::string> parse(std::string_view word);

    /// The word for this counter; nullopt where counter plus offset is not in 0..2^32-1.
    [[nodiscard]] std::optional<std::string> expand(std::uint32_t counter) const;

  private:
    struct Part {
        std::string before;  // literal text
        bool counter = false;
        std::int64_t offset = 0;
        std::uint32_t width = 0;
        char base = 'd';
    };

    [[nodiscard]] static bool parse_modifiers(std::string_view text, Part& part);
    static void append_number(const Part& part, std::uint32_t value, std::string& out);

    std::vector<Part> parts_;
};

}  // namespace steerd::zones
