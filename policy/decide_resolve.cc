// See decide_resolve.h. The draw of a fail-open look is another one than that of the live look: the
// live draw has already led to a dead end, so it is no longer random. Thread rule: pure.
#include "policy/decide_resolve.h"

#include "base/rng.h"

namespace steerd::policy {
namespace {

using config::index;
using config::WhenAllDown;

constexpr std::uint64_t kFailOpenSalt = 0xD1B54A32D192ED03ULL;
constexpr std::uint32_t kFailOpenTtl_s = 30;

bool is_cname(const DecideInput& input, const Choice& choice) noexcept {
    return choice.endpoint != kNone && input.health.endpoints[choice.endpoint].cname;
}

bool everything_ordered_out(const DecideInput& input, const Look& live,
                            const Overlay* overlay) noexcept {
    Look look = live;
    look.column = all_up_column(live.column);
    const Scene scene = scene_of(input, look, overlay);
    const TreeMember root{.is_endpoint = false, .target = 0};
    return !available(Evaluator(scene).rank(root));
}

/// families = "any" and no endpoint has an address of the family: nothing is down, there is
/// nothing.
bool nobody_has_family(const DecideInput& input, Judge judge) noexcept {
    if (judge == Judge::Both || name_of(input).families == config::Families::Same) {
        return false;
    }
    for (const EndpointId id : tree_of(input).endpoints) {
        const Endpoint& endpoint = input.plan.endpoints[index(id)];
        if ((judge == Judge::V4 ? endpoint.v4_count : endpoint.v6_count) > 0) {
            return false;
        }
    }
    return true;
}

Resolution resolve_for(const DecideInput& input, Judge judge, const Overlay* overlay) noexcept {
    Resolution out;
    out.look = live_look(input, judge);
    const auto chosen = [&] {
        const Scene scene = scene_of(input, out.look, overlay);
        out.choice = Evaluator(scene).choose(0);
        return out.choice.picked();
    };
    out.kind = DecisionKind::Addresses;
    if (chosen()) {
        return out;
    }
    if (nobody_has_family(input, judge)) {
        out.kind = DecisionKind::NoData;
        return out;
    }
    AllDown next = all_down(input, judge, overlay);
    out.look = next.look;
    out.kind = next.kind;
    out.unchanged = next.unchanged;
    if (next.kind != DecisionKind::Addresses || chosen()) {
        return out;
    }
    if (out.look.last != nullptr) {
        // What was good then has been ordered out since.
        out.look.last = nullptr;
        out.look.column = all_up_column(out.look.column);
        if (chosen()) {
            return out;
        }
    }
    out.kind = DecisionKind::NoData;
    return out;
}

}  // namespace

Look live_look(const DecideInput& input, Judge judge) noexcept {
    return {
        .judge = judge, .column = column_of(judge, name_of(input).families), .draw = input.draw};
}

Judge judge_of(Ask ask) noexcept { return ask == Ask::Aaaa ? Judge::V6 : Judge::V4; }

AllDown all_down(const DecideInput& input, Judge judge, const Overlay* overlay) noexcept {
    AllDown out;
    out.look = live_look(input, judge);
    out.look.fail_open = true;
    if (everything_ordered_out(input, out.look, overlay)) {
        return out;
    }
    out.look.draw = base::mix64(input.draw ^ kFailOpenSalt);
    switch (name_of(input).when_all_down) {
        case WhenAllDown::NoData:
            return out;
        case WhenAllDown::ServFail:
            out.kind = DecisionKind::ServFail;
            return out;
        case WhenAllDown::ServeLast: {
            const LastRanks* last = input.health.last_ranks(input.steered, judge);
            out.unchanged = overlay != nullptr;
            if (last != nullptr && !last->endpoints.empty()) {
                out.kind = DecisionKind::Addresses;
                out.look.last = last;
                return out;
            }
            break;
        }
        case WhenAllDown::ServeAll:
            break;
    }
    out.kind = DecisionKind::Addresses;
    out.look.column = all_up_column(out.look.column);
    return out;
}

Resolution resolve(const DecideInput& input, const Overlay* overlay) noexcept {
    const Tree& tree = tree_of(input);
    if (tree.has_cname) {
        Resolution both = resolve_for(input, Judge::Both, overlay);
        if (both.kind != DecisionKind::Addresses) {
            return both;  // down for both families is down for each
        }
        if (is_cname(input, both.choice)) {
            both.kind = DecisionKind::Cname;
            return both;
        }
    }
    if (input.ask == Ask::Other) {
        Resolution no;
        no.kind = DecisionKind::NotCname;
        return no;
    }
    return resolve_for(input, judge_of(input.ask), overlay);
}

std::uint32_t fail_open_ttl(const SteeredName& name) noexcept {
    return std::min(kFailOpenTtl_s, name.ttl_min_s > 0 ? name.ttl_min_s : standing_ttl(name));
}

}  // namespace steerd::policy
