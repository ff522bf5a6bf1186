// From a choice to addresses: those of one endpoint, or a window on the ring of a multivalue route.
// product.md §4.2, §4.5. Thread rule: as evaluate.h.
#include "base/rng.h"
#include "policy/evaluate.h"

namespace steerd::policy {
namespace {

struct Window {
    std::uint64_t size = 0;  // of the ring
    std::uint64_t start = 0;
    std::uint64_t length = 0;
    std::uint64_t at = 0;
    void (*fn)(void*, std::uint32_t) = nullptr;
    void* context = nullptr;
};

}  // namespace

bool Evaluator::usable(std::uint32_t slot) const noexcept {
    if (is_all_up(scene_.column)) {
        return true;  // its endpoint was chosen, so no order keeps it out
    }
    if (scene_.last != nullptr) {
        return available(scene_.last->slot(slot));
    }
    return available(scene_.overlay != nullptr ? scene_.overlay->slot(slot)
                                               : scene_.health.slots[slot]);
}

void Evaluator::for_endpoint(std::uint32_t endpoint, SlotFn fn, void* context) const noexcept {
    const EndpointRow& row = endpoints_[endpoint];
    std::uint32_t first = row.first_slot;
    std::uint32_t count = row.v4_count;
    if (scene_.judge == Judge::Both) {
        count = row.cname ? 1U : std::uint32_t{row.v4_count} + row.v6_count;
    } else if (row.cname) {
        return;
    } else if (scene_.judge == Judge::V6) {
        first += row.v4_count;
        count = row.v6_count;
    }
    for (std::uint32_t slot = first; slot < first + count; ++slot) {
        if (usable(slot)) {
            fn(context, slot);
        }
    }
}

void Evaluator::for_ring(std::uint32_t at, SlotFn fn, void* context) const noexcept {
    const TreeRoute& route = tree_routes_[at];
    const Ballot votes = ballot(route);
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        const TreeMember& m = member(route, i);
        if (weight(votes, m) == 0) {
            continue;
        }
        const Choice choice = take(route, i);
        if (!choice.picked()) {
            continue;
        }
        if (choice.ring != kNone) {
            for_window(choice.ring, fn, context);
        } else {
            for_endpoint(choice.endpoint, fn, context);
        }
    }
}

void Evaluator::for_window(std::uint32_t at, SlotFn fn, void* context) const noexcept {
    Window window;
    window.fn = fn;
    window.context = context;
    for_ring(
        at, [](void* c, std::uint32_t) { ++static_cast<Window*>(c)->size; }, &window);
    if (window.size == 0) {
        return;
    }
    const std::uint64_t most = tree_routes_[at].max_answers;
    window.length = std::min(window.size, most);
    window.start = base::Rng(draw_of(at)).below(window.size);
    for_ring(
        at,
        [](void* c, std::uint32_t slot) {
            auto& w = *static_cast<Window*>(c);
            const std::uint64_t place = w.at >= w.start ? w.at - w.start : w.at + w.size - w.start;
            if (place < w.length) {
                w.fn(w.context, slot);
            }
            ++w.at;
        },
        &window);
}

void Evaluator::collect_endpoint(std::uint32_t endpoint, SlotList& out) const noexcept {
    for_endpoint(
        endpoint, [](void* c, std::uint32_t slot) { static_cast<SlotList*>(c)->add(slot); }, &out);
}

void Evaluator::collect(const Choice& choice, SlotList& out) const noexcept {
    if (choice.ring == kNone) {
        collect_endpoint(choice.endpoint, out);
        return;
    }
    // Two members may lead to one endpoint; an address stands in an answer once (RFC 2181 §5).
    for_window(
        choice.ring,
        [](void* c, std::uint32_t slot) {
            auto& list = *static_cast<SlotList*>(c);
            const auto end = list.slots.begin() + list.count;
            if (std::find(list.slots.begin(), end, slot) == end) {
                list.add(slot);
            }
        },
        &out);
}

}  // namespace steerd::policy
