// What a pending change does to the ranks of its endpoint, by the same rules that compile_health
// uses. Thread rule: as evaluate_overlay.h.
#include "policy/evaluate_overlay.h"

#include "base/check.h"

namespace steerd::policy {

using config::index;

void Overlay::apply(const Pending& pending) noexcept {
    CHECK(applied_count_ < kMaxOverlay);
    applied_[applied_count_++] = &pending;
    if (pending.kind == Pending::Kind::HoldEnds) {
        return;
    }
    const auto id = pending.kind == Pending::Kind::OrderEnds
                        ? pending.id
                        : static_cast<std::uint32_t>(index(plan_->slots[pending.id].endpoint));
    std::size_t at = 0;
    while (at < changed_count_ && changed_[at].endpoint != id) {
        ++at;
    }
    changed_count_ = std::max(changed_count_, at + 1);
    const Endpoint& endpoint = plan_->endpoints[id];
    std::array<Rank, kMaxEndpointAddresses> slots{};
    const std::size_t count =
        endpoint.cname
            ? 1U
            : std::min(kMaxEndpointAddresses, std::size_t{endpoint.v4_count} + endpoint.v6_count);
    for (std::size_t i = 0; i < count; ++i) {
        slots[i] = slot(static_cast<std::uint32_t>(endpoint.first_slot + i));
    }
    changed_[at] = {id, endpoint_ranks(endpoint, std::span(slots).first(count), order_of(id))};
}

std::optional<health::OrderState> Overlay::order_of(std::uint32_t endpoint) const noexcept {
    for (std::size_t i = 0; i < applied_count_; ++i) {
        if (applied_[i]->kind == Pending::Kind::OrderEnds && applied_[i]->id == endpoint) {
            return std::nullopt;
        }
    }
    return health_->orders[endpoint];
}

bool Overlay::endpoint(std::uint32_t id, Column column, Rank& out) const noexcept {
    for (std::size_t i = 0; i < changed_count_; ++i) {
        if (changed_[i].endpoint == id) {
            out = changed_[i].rank.at(column);
            return true;
        }
    }
    return false;
}

Rank Overlay::slot(std::uint32_t id) const noexcept {
    const auto endpoint = static_cast<std::uint32_t>(index(plan_->slots[id].endpoint));
    health::Health health = health_->slot_health[id];
    for (std::size_t i = 0; i < applied_count_; ++i) {
        if (applied_[i]->kind == Pending::Kind::SlotHealth && applied_[i]->id == id) {
            health = applied_[i]->next;
        }
    }
    return slot_rank(health, order_of(endpoint), plan_->endpoints[endpoint].probed);
}

bool Overlay::hold_ended(std::uint32_t route, Judge judge) const noexcept {
    for (std::size_t i = 0; i < applied_count_; ++i) {
        if (applied_[i]->kind == Pending::Kind::HoldEnds && applied_[i]->id == route &&
            applied_[i]->judge == judge) {
            return true;
        }
    }
    return false;
}

}  // namespace steerd::policy
