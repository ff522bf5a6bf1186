#include "policy/forecast_judge.h"

#include <algorithm>

#include "policy/view.h"

namespace steerd::policy {

using config::index;

ForecastJudge::ForecastJudge(const ForecastInput& input) : input_(input) {
    open(input.before, before_);
    open(input.after, after_);
    const std::size_t count = endpoints_.size();
    before_.scratch.endpoints.resize(count);
    after_.scratch.endpoints.resize(count);
}

void ForecastJudge::open(const ForecastSide& from, Side& side) {
    const Plan& plan = from.plan;
    side.side = &from;
    side.tree = &plan.trees[index(plan.steered[index(from.steered)].tree)];
    side.view = side.tree->view == kNone ? nullptr : plan.views[side.tree->view].get();
    for (const TreeRoute& route : side.tree->routes) {
        side.draws = side.draws || route.policy == config::Policy::Multivalue ||
                     (route.policy == config::Policy::Weighted && !route.sticky);
        side.place_matters = side.place_matters || route.policy == config::Policy::Geo ||
                             route.policy == config::Policy::Latency;
    }
    side.index_of.assign(plan.endpoints.size(), kNone);
    for (const EndpointId id : side.tree->endpoints) {
        const Endpoint& endpoint = plan.endpoints[index(id)];
        auto at = std::find_if(endpoints_.begin(), endpoints_.end(),
                               [&](const auto& known) { return known.name == endpoint.name; });
        if (at == endpoints_.end()) {
            at = endpoints_.insert(endpoints_.end(), {endpoint.name, "", {}});
        }
        if (endpoint.region != kNone) {
            at->region = plan.model->regions[endpoint.region].name;
        }
        at->capacity = plan.model->endpoint(id).capacity;
        side.index_of[index(id)] = static_cast<std::uint32_t>(at - endpoints_.begin());
    }
}

bool ForecastJudge::hashed(const Seen& before, const Seen& after) const {
    return (before_.view != nullptr && before_.view->hashed(ClassId{before.cls})) ||
           (after_.view != nullptr && after_.view->hashed(ClassId{after.cls}));
}

void ForecastJudge::judge(const Side& side, std::uint32_t cls, std::uint64_t key,
                          Split& out) const {
    std::fill(out.endpoints.begin(), out.endpoints.end(), 0.0);
    out.none = 0;
    out.fail_open = 0;
    const DecideInput asked{.plan = side.side->plan,
                            .health = side.side->health,
                            .steered = side.side->steered,
                            .client = {ClassId{cls}, key},
                            .ask = input_.ask,
                            .draw = 0,
                            .now = input_.now};
    const auto answers = [](DecisionKind kind) {
        return kind == DecisionKind::Addresses || kind == DecisionKind::Cname;
    };
    if (!side.draws) {
        const Decision decision = decide(asked);
        out.fail_open = decision.fail_open ? 1 : 0;
        if (!answers(decision.kind) || decision.slot_count == 0) {
            out.none = 1;
            return;
        }
        for (std::size_t i = 0; i < decision.slot_count; ++i) {
            const Slot& slot = side.side->plan.slots[index(decision.slots[i])];
            out.endpoints[side.index_of[index(slot.endpoint)]] += 1.0 / decision.slot_count;
        }
        return;
    }
    for (const Possible& possible : enumerate(asked)) {
        out.fail_open += possible.fail_open ? possible.share : 0;
        if (!answers(possible.kind) || possible.slots.empty()) {
            out.none += possible.share;
            continue;
        }
        // A client tries one of the addresses it got; each is as likely as the next.
        const double each = possible.share / static_cast<double>(possible.slots.size());
        for (const SlotId id : possible.slots) {
            const Slot& slot = side.side->plan.slots[index(id)];
            out.endpoints[side.index_of[index(slot.endpoint)]] += each;
        }
    }
}

const Split& ForecastJudge::find(Side& side, std::uint32_t cls, bool by_hash, std::uint64_t key) {
    if (by_hash) {
        judge(side, cls, key, side.scratch);
        return side.scratch;
    }
    const auto [at, fresh] = side.by_class.try_emplace(cls);
    if (fresh) {
        at->second.endpoints.resize(endpoints_.size());
        judge(side, cls, key, at->second);
    }
    return at->second;
}

const Split& ForecastJudge::before(std::uint32_t cls, bool by_hash, std::uint64_t key) {
    return find(before_, cls, by_hash, key);
}

const Split& ForecastJudge::after(std::uint32_t cls, bool by_hash, std::uint64_t key) {
    return find(after_, cls, by_hash, key);
}

double moved_between(const Split& before, const Split& after) noexcept {
    double stays = std::min(before.none, after.none);
    for (std::size_t i = 0; i < before.endpoints.size(); ++i) {
        stays += std::min(before.endpoints[i], after.endpoints[i]);
    }
    return std::max(0.0, 1 - stays);
}

}  // namespace steerd::policy
