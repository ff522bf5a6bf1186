// What a query needs to know of health: facts that control hands over, compiled into ranks that a
// decision reads without a branch on probes or orders. Pure. Thread rule: immutable after compile.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "health/health.h"
#include "policy/plan.h"

namespace steerd::policy {

/// By which addresses an endpoint is judged: those of one family, or both together (whether the
/// answer is a CNAME is decided once for all types, product.md §4.3).
enum class Judge : std::uint8_t { V4, V6, Both };
inline constexpr std::size_t kJudges = 3;

/// product.md §4.4; smaller is better. Available means at most Degraded.
enum class Rank : std::uint8_t { Up, Unknown, Degraded, Down, Drained };

[[nodiscard]] constexpr bool available(Rank rank) noexcept { return rank <= Rank::Degraded; }

/// "up", "unknown", "degraded", "down", "drained".
[[nodiscard]] std::string_view to_text(Rank rank) noexcept;

/// Belief about one slot, and what it could become: `next` is where the counters lead when the
/// checks go on as the last one did, `earliest` when that could be at the soonest. No pending
/// change: earliest == kNever.
struct SlotFacts {
    health::Health health = health::Health::Unknown;
    health::Health next = health::Health::Unknown;
    base::Mono earliest = base::kNever;
};

/// What an operator ordered of an endpoint (its own order, else its region's).
struct OrderFacts {
    std::optional<health::OrderState> state;
    base::Mono until = base::kNever;
};

/// Where a failover route that remembers stays, for each judge: the member's index in the route's
/// member list, or kNone; and when control will let it go back (kNever: manual, or not
/// foreseeable).
struct HoldFacts {
    std::array<std::uint32_t, kJudges> member = {kNone, kNone, kNone};
    std::array<base::Mono, kJudges> until = {base::kNever, base::kNever, base::kNever};
};

/// serve-last: health of the slots of a steered name's tree just before its last member went, for
/// each judge; empty where that never happened.
struct LastGood {
    std::array<std::vector<health::Health>, kJudges>
        slots;  // in the order of Tree::endpoints' slots
};

struct HealthFacts {
    std::vector<SlotFacts> slots;                            // by SlotId
    std::vector<OrderFacts> orders;                          // by EndpointId
    std::vector<HoldFacts> holds;                            // by RouteId
    std::vector<std::shared_ptr<const LastGood>> last_good;  // by SteeredId; may hold nullptr
};

class HealthState;  // compiled form, see health_state.cc and decide.h

[[nodiscard]] std::shared_ptr<const HealthState> compile_health(const Plan& plan,
                                                                const HealthFacts& facts);
/// Everything up but what is listed, for explain and forecast.
[[nodiscard]] HealthFacts all_up(const Plan& plan);

/// The rank of an endpoint for a judge, orders included (families = "same").
[[nodiscard]] Rank endpoint_rank(const Plan& plan, const HealthState& health, EndpointId endpoint,
                                 Judge judge) noexcept;
/// For control's holds: the rank of each member of a failover route, whatever the client (a geo
/// route counts as the best of its members), min_available applied.
[[nodiscard]] std::vector<Rank> member_ranks(const Plan& plan, const HealthState& health,
                                             RouteId route, Judge judge);
/// Whether anything under a steered name's tree is available for the judge.
[[nodiscard]] bool root_available(const Plan& plan, const HealthState& health, SteeredId steered,
                                  Judge judge) noexcept;

}  // namespace steerd::policy
