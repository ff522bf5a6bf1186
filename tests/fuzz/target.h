// What a fuzz target is: a function that takes any octets and must come back. libFuzzer calls it
// in the clang build (scripts/fuzz); replay.cc calls it for the kept corpus in every test run. A
// target ends the process where what it watches over does not hold. Thread rule: one thread.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace steerd::fuzz {

/// Ends the process with the reason, so that the fuzzer keeps the input.
inline void require(bool holds, std::string_view what) {
    if (!holds) {
        fmt::print(stderr, "does not hold: {}\n", what);
        std::abort();
    }
}

/// Input that is taken from its front: a few octets that choose, then the rest.
class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

    /// 0 at the end.
    std::uint8_t octet() {
        if (size_ == 0) {
            return 0;
        }
        --size_;
        return *data_++;
    }

    [[nodiscard]] const std::uint8_t* data() const { return data_; }

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] std::string_view text() const {
        return {reinterpret_cast<const char*>(data_), size_};
    }

  private:
    const std::uint8_t* data_;
    std::size_t size_;
};

}  // namespace steerd::fuzz
