// The countdown of product.md §4.8: while something under way would change this very answer, caches
// are told to come back just after it could happen at the soonest. Each pending change is played
// through alone and together with all that could come before it, with the same draw and the same
// client; the first that leads to another answer sets the TTL. Thread rule: pure.
#include <chrono>

#include "base/rng.h"
#include "policy/decide_resolve.h"

namespace steerd::policy {
namespace {

/// Equal for equal answers; the order of addresses is not part of an answer.
struct Signature {
    DecisionKind kind = DecisionKind::NoData;
    std::uint64_t slots = 0;
    std::uint64_t target = 0;

    friend bool operator==(const Signature&, const Signature&) = default;
};

Signature sign(const DecideInput& input, const Resolution& resolution,
               const Overlay* overlay) noexcept {
    Signature out;
    out.kind = resolution.kind;
    if (resolution.kind == DecisionKind::Cname) {
        out.target = resolution.choice.endpoint;
    } else if (resolution.kind == DecisionKind::Addresses) {
        const Scene scene = scene_of(input, resolution.look, overlay);
        SlotList list;
        Evaluator(scene).collect(resolution.choice, list);
        for (std::size_t i = 0; i < list.count; ++i) {
            out.slots += base::mix64(list.slots[i] + 1ULL);
        }
        if (list.count == 0) {
            out.kind = DecisionKind::NoData;
        }
    }
    return out;
}

/// Whole seconds until then, rounded up; 0 when it has passed.
std::uint64_t seconds_until(base::Mono then, base::Mono now) noexcept {
    if (then <= now) {
        return 0;
    }
    return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(then - now).count());
}

}  // namespace

std::uint32_t ttl_for(const DecideInput& input, const Resolution& now) noexcept {
    const SteeredName& name = name_of(input);
    if (now.look.fail_open) {
        return fail_open_ttl(name);
    }
    if (name.ttl_min_s == 0) {
        return standing_ttl(name);
    }
    const auto pending = input.health.pending_in(name.tree);
    if (pending.empty()) {
        return standing_ttl(name);
    }
    const Signature current = sign(input, now, nullptr);
    const auto changes_it = [&](const Overlay& overlay) {
        const Resolution then = resolve(input, &overlay);
        return !then.unchanged && sign(input, then, &overlay) != current;
    };
    Overlay together(input.plan, input.health);
    for (std::size_t i = 0; i < pending.size(); ++i) {
        const std::uint64_t left_s = seconds_until(pending[i].earliest, input.now);
        if (left_s >= standing_ttl(name)) {
            break;  // sorted: nothing from here on can lower it
        }
        const auto left = std::max(static_cast<std::uint32_t>(left_s), name.ttl_min_s);
        if (i >= kMaxOverlay) {
            return left;  // so much is under way that it is taken to matter
        }
        Overlay alone(input.plan, input.health);
        alone.apply(pending[i]);
        together.apply(pending[i]);
        if (changes_it(alone) || (i > 0 && changes_it(together))) {
            return left;
        }
    }
    return standing_ttl(name);
}

}  // namespace steerd::policy
