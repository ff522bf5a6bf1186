// Result<T, E>: a value or the reason why there is none, for everything between the load plane
// (which throws) and the packet plane (whose rejects are values of their own).
// GCC 12 has no <expected> in C++20. Thread rule: a plain value.
#pragma once

#include <utility>
#include <variant>

#include "base/check.h"

namespace steerd::base {

/// Marks the error side, so that Result<std::string, std::string> stays unambiguous.
template <typename E>
struct Err {
    E error;
};

template <typename E>
Err(E) -> Err<E>;

template <typename T, typename E>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}

    template <typename F>
    Result(Err<F> err) : state_(std::in_place_index<1>, std::move(err.error)) {}

    [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }

    explicit operator bool() const noexcept { return ok(); }

    /// REQUIRES: ok().
    [[nodiscard]] const T& value() const& {
        CHECK(ok());
        return std::get<0>(state_);
    }

    [[nodiscard]] T& value() & {
        CHECK(ok());
        return std::get<0>(state_);
    }

    [[nodiscard]] T&& value() && {
        CHECK(ok());
        return std::get<0>(std::move(state_));
    }

    [[nodiscard]] const T& operator*() const& { return value(); }

    [[nodiscard]] T& operator*() & { return value(); }

    [[nodiscard]] const T* operator->() const { return &value(); }

    [[nodiscard]] T* operator->() { return &value(); }

    /// REQUIRES: !ok().
    [[nodiscard]] const E& error() const {
        CHECK(!ok());
        return std::get<1>(state_);
    }

  private:
    std::variant<T, E> state_;
};

}  // namespace steerd::base
