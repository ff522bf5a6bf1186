// Which checks the belief about each slot is made of, that belief, and since when and why it holds.
// A slot is one address of one endpoint, or one CNAME target, whose addresses come and go.
// Thread rule: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "control/check_table.h"
#include "control/history.h"
#include "control/target_table.h"
#include "policy/health_state.h"
#include "policy/plan.h"

namespace steerd::control {

struct SlotEntry {
    policy::EndpointId endpoint{};
    std::string endpoint_name;
    std::string address;  // or the CNAME target
    bool probed = false;
    std::uint32_t require = 0;  // how many probes must pass; 0: all
    std::optional<TargetId> target;
    /// The checks of one address each: one group, or one for each address of the target.
    std::vector<std::vector<health::CheckId>> groups;
    health::Belief belief;
    base::Wall since{};
    std::string cause;
    std::uint64_t transitions = 0;
};

class SlotTable {
  public:
    SlotTable(CheckTable& checks, TargetTable& targets, History& history)
        : checks_(checks), targets_(targets), history_(history) {}

    /// What was shown of slots before a restart, used by the next adopt().
    void restore(std::vector<SlotState> states);
    /// Checks and targets of the new plan; what stays the same keeps its health and its past.
    void adopt(std::shared_ptr<const policy::Plan> plan, base::Now now);
    /// The target resolved to other addresses: probe those.
    void follow_target(TargetId target, base::Now now);
    /// Beliefs anew of the slots that this check (target) takes part in. True: one of them moved.
    bool refresh(health::CheckId check, const std::string& cause, base::Now now);
    bool refresh(TargetId target, const std::string& cause, base::Now now);

    [[nodiscard]] const std::vector<SlotEntry>& all() const noexcept { return slots_; }

    /// By SlotId, for compile_health.
    [[nodiscard]] const std::vector<policy::SlotFacts>& facts() const noexcept { return facts_; }

    /// The endpoint's slot of this address, or nullptr.
    [[nodiscard]] const SlotEntry* find(const std::string& endpoint,
                                        const std::string& address) const;

    /// How often any slot changed its health; a state file older than the last one is stale.
    [[nodiscard]] std::uint64_t transitions() const noexcept { return transitions_; }

  private:
    using Key = std::pair<std::string, std::string>;

    struct Past {
        health::Health health = health::Health::Unknown;
        base::Wall since{};
        std::string cause;
        std::uint64_t transitions = 0;
        bool live = true;  // false: from before a restart, shown but not believed
    };

    [[nodiscard]] SlotEntry entry_of(const policy::Plan& plan, const policy::Slot& slot) const;
    void attach(std::uint32_t slot, base::Now now);
    void add_group(std::uint32_t slot, const base::IpAddress& address, base::Now now);
    void first_belief(std::uint32_t slot, const std::map<Key, Past>& past, base::Now now);
    [[nodiscard]] std::vector<health::CheckId> forget_groups(std::uint32_t slot);
    [[nodiscard]] health::Belief belief_of(const SlotEntry& entry) const;
    [[nodiscard]] health::Belief belief_of_target(const SlotEntry& entry) const;
    [[nodiscard]] std::string cause_now(const SlotEntry& entry) const;
    bool move(std::uint32_t slot, const std::string& cause, base::Now now);

    CheckTable& checks_;
    TargetTable& targets_;
    History& history_;
    std::shared_ptr<const policy::Plan> plan_;
    base::Duration spread_{};
    std::uint64_t transitions_ = 0;
    std::vector<SlotEntry> slots_;
    std::vector<policy::SlotFacts> facts_;
    std::vector<std::vector<std::uint32_t>> slots_of_check_;   // by CheckId
    std::vector<std::vector<std::uint32_t>> slots_of_target_;  // by TargetId
    std::map<Key, std::uint32_t> by_name_;
    std::map<Key, Past> restored_;
};

}  // namespace steerd::control
