// See last_good.h. Thread rule: one owner.
#include "control/last_good.h"

#include <algorithm>
#include <map>
#include <utility>

namespace steerd::control {

using health::Health;
using policy::Judge;

namespace {

constexpr Judge kAllJudges[] = {Judge::V4, Judge::V6, Judge::Both};

std::size_t index(Judge judge) noexcept { return static_cast<std::size_t>(judge); }

std::vector<std::uint32_t> slots_of(const policy::Plan& plan, const policy::Tree& tree) {
    std::vector<std::uint32_t> slots;
    for (const policy::EndpointId id : tree.endpoints) {
        const policy::Endpoint& endpoint = plan.endpoints[config::index(id)];
        const std::uint32_t count =
            endpoint.cname ? 1U : std::uint32_t{endpoint.v4_count} + endpoint.v6_count;
        for (std::uint32_t i = 0; i < count; ++i) {
            slots.push_back(endpoint.first_slot + i);
        }
    }
    return slots;
}

}  // namespace

LastGoodState* LastGoodKeeper::find(const std::string& name, Judge judge) {
    const auto found = std::ranges::find_if(remembered_, [&](const LastGoodState& state) {
        return state.judge == judge && state.name == name;
    });
    return found == remembered_.end() ? nullptr : &*found;
}

void LastGoodKeeper::adopt(const policy::Plan& plan, const SlotTable& slots) {
    std::map<std::string, std::array<bool, policy::kJudges>> was;
    for (const Name& name : names_) {
        was.emplace(name.text, name.available);
    }
    names_.clear();
    before_.clear();
    slot_names_.clear();
    facts_.assign(plan.steered.size(), nullptr);
    for (std::size_t i = 0; i < plan.steered.size(); ++i) {
        const policy::SteeredName& steered = plan.steered[i];
        if (steered.when_all_down != config::WhenAllDown::ServeLast) {
            continue;
        }
        Name name{policy::SteeredId{static_cast<std::uint32_t>(i)}, steered.owner.to_text(),
                  slots_of(plan, plan.trees[static_cast<std::size_t>(steered.tree)])};
        if (const auto known = was.find(name.text); known != was.end()) {
            name.available = known->second;
        }
        names_.push_back(std::move(name));
    }
    if (names_.empty()) {
        remembered_.clear();
        return;
    }
    for (const SlotEntry& slot : slots.all()) {
        slot_names_.emplace_back(slot.endpoint_name, slot.address);
    }
    std::erase_if(remembered_, [this](const LastGoodState& state) {
        return std::ranges::find(names_, state.name, &Name::text) == names_.end();
    });
    for (const Name& name : names_) {
        auto good = std::make_shared<policy::LastGood>();
        bool any = false;
        for (const Judge judge : kAllJudges) {
            const LastGoodState* state = find(name.text, judge);
            if (state == nullptr) {
                continue;
            }
            any = true;
            std::map<std::pair<std::string, std::string>, Health> health;
            for (const SlotState& slot : state->slots) {
                health.emplace(std::pair(slot.endpoint, slot.address), slot.health);
            }
            for (const std::uint32_t slot : name.slots) {
                const auto known = health.find(slot_names_[slot]);
                good->slots[index(judge)].push_back(known == health.end() ? Health::Unknown
                                                                          : known->second);
            }
        }
        if (any) {
            facts_[static_cast<std::size_t>(name.id)] = std::move(good);
        }
    }
}

bool LastGoodKeeper::update(const policy::Plan& plan, const policy::HealthState& health,
                            const std::vector<policy::SlotFacts>& facts) {
    if (names_.empty()) {
        return false;
    }
    bool changed = false;
    for (Name& name : names_) {
        for (const Judge judge : kAllJudges) {
            const bool now = policy::root_available(plan, health, name.id, judge);
            const bool before = std::exchange(name.available[index(judge)], now);
            // Where nothing was known to be alive, an older memory is worth more.
            if (before && !now && any_alive(name)) {
                remember(name, judge);
                changed = true;
            }
        }
    }
    before_ = facts;
    return changed;
}

bool LastGoodKeeper::any_alive(const Name& name) const {
    return !before_.empty() && std::ranges::any_of(name.slots, [this](std::uint32_t slot) {
        return before_[slot].health == Health::Up || before_[slot].health == Health::Degraded;
    });
}

void LastGoodKeeper::remember(Name& name, Judge judge) {
    auto& fact = facts_[static_cast<std::size_t>(name.id)];
    auto good =
        fact ? std::make_shared<policy::LastGood>(*fact) : std::make_shared<policy::LastGood>();
    LastGoodState state{name.text, judge, {}};
    std::vector<Health> slots;
    for (const std::uint32_t slot : name.slots) {
        slots.push_back(before_[slot].health);
        state.slots.push_back(
            {slot_names_[slot].first, slot_names_[slot].second, before_[slot].health, {}, {}});
    }
    good->slots[index(judge)] = std::move(slots);
    fact = std::move(good);
    if (LastGoodState* old = find(name.text, judge); old != nullptr) {
        *old = std::move(state);
    } else {
        remembered_.push_back(std::move(state));
    }
}

}  // namespace steerd::control
