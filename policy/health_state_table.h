// HealthState from inside: ranks by endpoint and by route, in all the ways a decision may look at
// them, and what is about to change. Why so: an endpoint is one line of cache, a route's rank is
// read and not computed, and a query finds the few pending changes of its tree without a search.
// Only policy/ includes this file. Thread rule: immutable after compile_health().
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "policy/health_state.h"
#include "policy/ready.h"

namespace steerd::policy {

/// A way to look at health. For one family with families = "same" an endpoint without such an
/// address is judged by its other family, with "any" it is not available; a CNAME target is never
/// available for one family, since that a decision falls on it is found out before (product.md
/// §4.3). The AllUp ones suppose everything up that is not ordered out.
enum class Column : std::uint8_t {
    V4Same,
    V6Same,
    V4Any,
    V6Any,
    Both,
    V4SameAllUp,
    V6SameAllUp,
    V4AnyAllUp,
    V6AnyAllUp,
    BothAllUp,
};
inline constexpr std::size_t kColumns = 10;
inline constexpr std::uint8_t kAllUpOffset = 5;

[[nodiscard]] constexpr Column column_of(Judge judge, config::Families families) noexcept {
    if (judge == Judge::Both) {
        return Column::Both;
    }
    const bool any = families == config::Families::Any;
    return judge == Judge::V4 ? (any ? Column::V4Any : Column::V4Same)
                              : (any ? Column::V6Any : Column::V6Same);
}

/// REQUIRES: not an AllUp column already.
[[nodiscard]] constexpr Column all_up_column(Column column) noexcept {
    return static_cast<Column>(static_cast<std::uint8_t>(column) + kAllUpOffset);
}

[[nodiscard]] constexpr bool is_all_up(Column column) noexcept {
    return static_cast<std::uint8_t>(column) >= kAllUpOffset;
}

/// 16 and not 10, so that the best of two rows is one vector operation.
struct RankRow {
    std::array<Rank, 16> by_column;

    [[nodiscard]] Rank at(Column column) const noexcept {
        return by_column[static_cast<std::size_t>(column)];
    }
};

struct alignas(32) EndpointRow {
    RankRow rank;
    std::uint32_t first_slot = 0;
    std::uint32_t region = kNone;
    std::uint16_t v4_count = 0;
    std::uint16_t v6_count = 0;
    bool cname = false;
};

struct RouteRow {
    RankRow rank;
    std::uint16_t lacking = 0;      // bit per column: fewer than min_available are available
    bool client_dependent = false;  // a geo route is in it: a client may find nothing there

    [[nodiscard]] bool lacks(Column column) const noexcept {
        return (lacking >> static_cast<unsigned>(column) & 1U) != 0;
    }
};

/// Something that could happen to a tree, at `earliest` at the soonest.
struct Pending {
    enum class Kind : std::uint8_t { SlotHealth, OrderEnds, HoldEnds };
    base::Mono earliest;
    std::uint32_t id = 0;  // SlotId, EndpointId or RouteId
    Kind kind = Kind::SlotHealth;
    health::Health next = health::Health::Unknown;  // SlotHealth
    Judge judge = Judge::Both;                      // HoldEnds
};

/// serve-last in force: ranks for one steered name and one judge.
struct LastRanks {
    struct OfEndpoint {
        std::uint32_t endpoint;
        Rank rank;
    };

    struct OfSlot {
        std::uint32_t slot;
        Rank rank;
    };

    std::vector<OfEndpoint> endpoints;  // sorted
    std::vector<OfSlot> slots;          // sorted

    [[nodiscard]] Rank endpoint(std::uint32_t id) const noexcept;
    [[nodiscard]] Rank slot(std::uint32_t id) const noexcept;
};

class HealthState {
  public:
    std::vector<EndpointRow> endpoints;                     // by EndpointId
    std::vector<RouteRow> routes;                           // by RouteId
    std::vector<Rank> slots;                                // by SlotId, orders included
    std::vector<health::Health> slot_health;                // by SlotId, without orders
    std::vector<std::optional<health::OrderState>> orders;  // by EndpointId
    std::vector<std::array<std::uint32_t, kJudges>> holds;  // by RouteId
    std::vector<Pending> pending;                           // tree after tree, each by earliest
    std::vector<std::uint32_t> pending_of_tree;             // first of each, one more; or empty
    std::vector<std::unique_ptr<const std::array<LastRanks, kJudges>>> last;  // by SteeredId

    ReadyRoutes ready;

    [[nodiscard]] std::span<const Pending> pending_in(TreeId tree) const noexcept {
        if (pending_of_tree.empty()) {
            return {};
        }
        const std::size_t i = config::index(tree);
        return std::span(pending).subspan(pending_of_tree[i],
                                          pending_of_tree[i + 1] - pending_of_tree[i]);
    }

    /// nullptr when serve-last has nothing to go by.
    [[nodiscard]] const LastRanks* last_ranks(SteeredId steered, Judge judge) const noexcept {
        const std::size_t i = config::index(steered);
        return i < last.size() && last[i] != nullptr ? &(*last[i])[static_cast<std::size_t>(judge)]
                                                     : nullptr;
    }
};

/// The rank of one slot under an order. An endpoint without probes is up.
[[nodiscard]] Rank slot_rank(health::Health health, std::optional<health::OrderState> order,
                             bool probed) noexcept;
/// The ranks of an endpoint from those of its slots (in its slots' order).
[[nodiscard]] RankRow endpoint_ranks(const Endpoint& endpoint, std::span<const Rank> slots,
                                     std::optional<health::OrderState> order) noexcept;

}  // namespace steerd::policy
