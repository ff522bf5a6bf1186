// Problems of one zone, bounded: a file of nothing but mistakes must not fill memory with messages.
// After 100 errors the reader gives up; further warnings are counted, not kept.
// Thread rule: one thread.
#pragma once

#include <string>
#include <utility>

#include "base/problem.h"

namespace steerd::zones {

inline constexpr std::size_t kMaxErrors = 100;
inline constexpr std::size_t kMaxWarnings = 100;

class Report {
  public:
    explicit Report(base::Problems& out) noexcept : out_(&out) {}

    void error(base::SourcePos at, std::string message) {
        if (!full()) {
            out_->error(at, std::move(message));
        }
        if (++errors_ == kMaxErrors) {
            out_->error(std::move(at), "100 errors in this zone; the rest was not read");
        }
    }

    void warning(base::SourcePos at, std::string message) {
        if (++warnings_ <= kMaxWarnings) {
            out_->warning(std::move(at), std::move(message));
        }
    }

    /// Too many errors to go on.
    [[nodiscard]] bool full() const noexcept { return errors_ >= kMaxErrors; }

    [[nodiscard]] bool has_errors() const noexcept { return errors_ > 0; }

    [[nodiscard]] std::size_t errors() const noexcept { return errors_; }

    /// Warnings that were counted but not kept.
    [[nodiscard]] std::size_t dropped_warnings() const noexcept {
        return warnings_ > kMaxWarnings ? warnings_ - kMaxWarnings : 0;
    }

  private:
    base::Problems* out_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

}  // namespace steerd::zones
