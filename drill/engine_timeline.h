// The timeline as the streams read it: flat pieces in seconds, with a last one that never begins,
// so that walking forward needs no bounds. Immutable once compiled. Thread rule: share freely.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "drill/timeline.h"

namespace steerd::drill {

inline constexpr double kForever = std::numeric_limits<double>::infinity();

struct FlatOffer {
    double cumulative = 1;
    double until = kForever;  // the end of the countdown; forever: none
    double ttl_s = 0;
    double ttl_min_s = 0;
    std::uint32_t answer = 0;
    bool negative = false;
    bool servfail = false;

    [[nodiscard]] double ttl_at(double t) const noexcept {
        return until == kForever ? ttl_s
                                 : std::max(ttl_min_s, std::min(ttl_s, std::ceil(until - t)));
    }
};

class FlatPiece {
  public:
    FlatPiece(double since, const FlatOffer* first, std::uint32_t size) noexcept
        : from(since), offers(first), count(size) {}

    double from = 0;
    const FlatOffer* offers = nullptr;
    std::uint32_t count = 0;

    /// The offer that 64 random bits fall on.
    [[nodiscard]] const FlatOffer& choose(std::uint64_t bits) const noexcept {
        if (count == 1) {
            return offers[0];
        }
        const double draw = static_cast<double>(base::mix64(bits ^ kChoiceKey) >> 11) * 0x1.0p-53;
        std::uint32_t i = 0;
        while (i + 1 < count && draw >= offers[i].cumulative) {
            ++i;
        }
        return offers[i];
    }

  private:
    // The same bits also made the gap before the fetch; mixed once more they owe it nothing.
    static constexpr std::uint64_t kChoiceKey = 0x5851F42D4C957F2DULL;
};

/// Pieces of one class; never empty, and one more at the end that begins at kForever.
struct FlatClass {
    std::vector<FlatOffer> offers;
    std::vector<FlatPiece> pieces;
    double still_until = 0;    // the last moment before anything changes, the authority included
    double settled_after = 0;  // the last change of all, the authority included
};

/// Walks forward only. Times before the first piece belong to it.
class Cursor {
  public:
    Cursor() noexcept = default;

    explicit Cursor(const FlatClass& flat) noexcept : piece_(flat.pieces.data()) {}

    const FlatPiece& at(double t) noexcept {
        while (piece_[1].from <= t) {
            ++piece_;
        }
        return *piece_;
    }

    /// When the piece of the last at() ends.
    [[nodiscard]] double ends() const noexcept { return piece_[1].from; }

  private:
    const FlatPiece* piece_ = nullptr;
};

struct FlatAuthority {
    double from = 0;
    bool up = true;
    bool hung = false;
};

struct FlatTimeline {
    double duration = 0;
    std::vector<FlatClass> classes;
    std::vector<FlatAuthority> authority;  // ends with one at kForever; size 2: always up
    std::uint32_t failed = 0;              // the state of a client whose lookup fails

    /// The state of the authority at `t`, and where it ends.
    [[nodiscard]] const FlatAuthority& authority_at(double t) const noexcept;
};

[[nodiscard]] double seconds(base::Mono at) noexcept;

/// REQUIRES: each class has pieces, each piece offers, in order.
[[nodiscard]] FlatTimeline flatten(const Timeline& timeline);

}  // namespace steerd::drill
