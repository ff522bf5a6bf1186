// What failover routes remember (product.md §4.5, failback): having moved on because of health, a
// route stays where it is until the better member has been available for long enough, or until an
// operator releases it; if the member it stays on goes, first available counts again. Kept for each
// judge, the same for all clients, by names across reload and restart. A member that was drained is
// taken again at once: that was no failure. Thread rule: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "control/history.h"
#include "control/state.h"
#include "control/status.h"
#include "policy/health_state.h"
#include "policy/plan.h"

namespace steerd::control {

class HoldKeeper {
  public:
    explicit HoldKeeper(History& history) : history_(history) {}

    void restore(const std::vector<HoldState>& states, base::Now now);
    /// Routes of the new plan; what stays by name keeps its memory.
    void adopt(const policy::Plan& plan);
    /// Moves routes by the health that is about to be published.
    void update(const policy::Plan& plan, const policy::HealthState& health, base::Now now);
    /// Forgets, so that first available counts again with the next update. False: no such route.
    bool release(const std::string& route);

    /// By RouteId, for compile_health.
    [[nodiscard]] const std::vector<policy::HoldFacts>& facts() const noexcept { return facts_; }

    /// When a failback falls due; kNever: none is foreseeable.
    [[nodiscard]] base::Mono next() const noexcept;
    [[nodiscard]] std::vector<HoldState> state(base::Now now) const;
    [[nodiscard]] std::vector<HoldStatus> status(base::Now now) const;

  private:
    /// A better member that was left because of health; `since` when it is available again.
    using Barred = std::map<std::string, std::optional<base::Mono>>;

    struct Memory {
        std::optional<std::string> member;  // where the route stays
        Barred barred;
    };

    struct Route {
        policy::RouteId id{};
        std::string name;
        config::Failback failback;
        std::vector<std::string> members;
    };

    using Memories = std::array<Memory, policy::kJudges>;

    void update_one(const Route& route, policy::Judge judge, const std::vector<policy::Rank>& ranks,
                    base::Now now);
    void go_to(const Route& route, policy::Judge judge, std::size_t member, std::string_view cause,
               base::Wall now);
    [[nodiscard]] base::Mono due(const Route& route, const Memory& memory) const noexcept;

    History& history_;
    std::vector<Route> routes_;
    std::map<std::string, Memories> memories_;  // by route name
    std::vector<policy::HoldFacts> facts_;
};

}  // namespace steerd::control
