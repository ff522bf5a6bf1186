// The memory of `when_all_down = "serve-last"`: for each such steered name and judge the health of
// the slots under it just before its last member went. Survives reload and restart by names; kept
// until the next time the last member goes. Thread rule: one owner.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "control/slot_table.h"
#include "control/state.h"
#include "policy/health_state.h"
#include "policy/plan.h"

namespace steerd::control {

class LastGoodKeeper {
  public:
    void restore(std::vector<LastGoodState> states) { remembered_ = std::move(states); }

    /// `slots` are those of the new plan; the memory of what stays by name is carried over.
    void adopt(const policy::Plan& plan, const SlotTable& slots);
    /// REQUIRES: `facts` are what `health` was compiled from. True: a memory changed.
    bool update(const policy::Plan& plan, const policy::HealthState& health,
                const std::vector<policy::SlotFacts>& facts);

    /// By SteeredId, for compile_health.
    [[nodiscard]] const std::vector<std::shared_ptr<const policy::LastGood>>& facts()
        const noexcept {
        return facts_;
    }

    [[nodiscard]] std::vector<LastGoodState> state() const { return remembered_; }

  private:
    struct Name {
        policy::SteeredId id{};
        std::string text;
        std::vector<std::uint32_t> slots;  // of its tree, in the order of LastGood
        std::array<bool, policy::kJudges> available = {true, true, true};
    };

    /// Whether the publication before this one knew any slot of it to be alive.
    [[nodiscard]] bool any_alive(const Name& name) const;
    void remember(Name& name, policy::Judge judge);
    [[nodiscard]] LastGoodState* find(const std::string& name, policy::Judge judge);

    std::vector<Name> names_;
    std::vector<std::shared_ptr<const policy::LastGood>> facts_;
    std::vector<policy::SlotFacts> before_;  // of the publication before this one
    std::vector<std::pair<std::string, std::string>> slot_names_;  // endpoint, address by SlotId
    std::vector<LastGoodState> remembered_;
};

}  // namespace steerd::control
