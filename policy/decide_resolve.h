// The decision without its TTL: CNAME first, then the family, then what happens when all are down.
// decide(), its countdown, enumerate() and explain go through here, so that they cannot disagree.
// product.md §4.3, §4.7. Thread rule: pure.
#pragma once

#include <cstdint>

#include "policy/decide.h"
#include "policy/evaluate.h"

namespace steerd::policy {

/// Where a decision looks and why there.
struct Look {
    Judge judge = Judge::V4;
    Column column = Column::V4Same;
    std::uint64_t draw = 0;
    const LastRanks* last = nullptr;
    bool fail_open = false;
};

struct Resolution {
    DecisionKind kind = DecisionKind::NoData;
    bool unchanged = false;  // with an overlay: would be answered as now (serve-last)
    Look look;
    Choice choice;  // when kind is Addresses or Cname
};

[[nodiscard]] inline const SteeredName& name_of(const DecideInput& input) noexcept {
    return input.plan.steered[config::index(input.steered)];
}

[[nodiscard]] inline const Tree& tree_of(const DecideInput& input) noexcept {
    return input.plan.trees[config::index(name_of(input).tree)];
}

[[nodiscard]] inline Scene scene_of(const DecideInput& input, const Look& look,
                                    const Overlay* overlay = nullptr) noexcept {
    return {.plan = input.plan,
            .health = input.health,
            .tree = tree_of(input),
            .client = input.client,
            .draw = look.draw,
            .column = look.column,
            .judge = look.judge,
            .overlay = look.last == nullptr ? overlay : nullptr,
            .last = look.last};
}

/// Where one judge looks first.
[[nodiscard]] Look live_look(const DecideInput& input, Judge judge) noexcept;
/// The judge of the family asked for. REQUIRES: ask is not Other.
[[nodiscard]] Judge judge_of(Ask ask) noexcept;

/// What happens when the live look found nothing: where to look instead, or the end.
struct AllDown {
    DecisionKind kind = DecisionKind::NoData;  // Addresses: look
    bool unchanged = false;
    Look look;
};

[[nodiscard]] AllDown all_down(const DecideInput& input, Judge judge,
                               const Overlay* overlay) noexcept;
[[nodiscard]] Resolution resolve(const DecideInput& input, const Overlay* overlay) noexcept;

/// The TTL of a name's answers while nothing is under way: the one place, whichever way a question
/// is answered.
[[nodiscard]] inline std::uint32_t standing_ttl(const SteeredName& name) noexcept {
    return name.ttl_s;
}

/// The TTL of an answer given although all were down (product.md §4.7).
[[nodiscard]] std::uint32_t fail_open_ttl(const SteeredName& name) noexcept;
/// The TTL of this resolution, counted down where something under way would change it.
[[nodiscard]] std::uint32_t ttl_for(const DecideInput& input, const Resolution& now) noexcept;

}  // namespace steerd::policy
