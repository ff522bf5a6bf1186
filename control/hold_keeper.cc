// See hold_keeper.h. Thread rule: one owner.
#include "control/hold_keeper.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"

namespace steerd::control {

using policy::Judge;
using policy::Rank;

namespace {

constexpr Judge kAllJudges[] = {Judge::V4, Judge::V6, Judge::Both};

std::size_t index(Judge judge) noexcept { return static_cast<std::size_t>(judge); }

/// Failover's order: degraded behind up and unknown, then what is not available.
int group(Rank rank) noexcept {
    if (!policy::available(rank)) {
        return 2;
    }
    return rank == Rank::Degraded ? 1 : 0;
}

/// The member that failover takes without memory; nullopt: none is available.
std::optional<std::size_t> first_available(const std::vector<Rank>& ranks) {
    const auto best = std::ranges::min_element(ranks, {}, group);
    if (best == ranks.end() || !policy::available(*best)) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(best - ranks.begin());
}

}  // namespace

void HoldKeeper::restore(const std::vector<HoldState>& states, base::Now now) {
    for (const HoldState& state : states) {
        Memory& memory = memories_[state.route][index(state.judge)];
        memory.member = state.member;
        for (const HoldState::Better& better : state.barred) {
            std::optional<base::Mono> since;
            if (better.since) {
                since = now.mono - std::max(now.wall - *better.since, base::Duration::zero());
            }
            memory.barred[better.member] = since;
        }
    }
}

void HoldKeeper::adopt(const policy::Plan& plan) {
    routes_.clear();
    std::set<policy::RouteId> seen;
    for (const policy::Tree& tree : plan.trees) {
        for (const policy::TreeRoute& route : tree.routes) {
            if (!route.remembers || !seen.insert(route.route).second) {
                continue;
            }
            const config::RouteConfig& config = plan.model->route(route.route);
            Route remembered{route.route, config.name, config.failback, {}};
            for (const config::MemberConfig& member : config.members) {
                remembered.members.push_back(member.name);
            }
            routes_.push_back(std::move(remembered));
        }
    }
    facts_.assign(plan.model->routes.size(), {});
    std::erase_if(memories_, [this](const auto& memory) {
        return std::ranges::find(routes_, memory.first, &Route::name) == routes_.end();
    });
}

void HoldKeeper::update(const policy::Plan& plan, const policy::HealthState& health,
                        base::Now now) {
    for (const Route& route : routes_) {
        for (const Judge judge : kAllJudges) {
            const std::vector<Rank> ranks = policy::member_ranks(plan, health, route.id, judge);
            if (ranks.size() == route.members.size()) {
                update_one(route, judge, ranks, now);
            }
        }
    }
}

void HoldKeeper::update_one(const Route& route, Judge judge, const std::vector<Rank>& ranks,
                            base::Now now) {
    Memory& memory = memories_[route.name][index(judge)];
    policy::HoldFacts& facts = facts_[config::index(route.id)];
    facts.member[index(judge)] = policy::kNone;
    facts.until[index(judge)] = base::kNever;
    const std::optional<std::size_t> first = first_available(ranks);
    if (!first) {
        memory = {};  // all are gone: whichever comes back first is taken
        return;
    }
    std::size_t at = ranks.size();
    if (memory.member) {
        at = static_cast<std::size_t>(std::ranges::find(route.members, *memory.member) -
                                      route.members.begin());
    }
    const bool stays = at < ranks.size() && group(ranks[at]) <= group(ranks[*first]);
    if (!stays) {
        go_to(route, judge, *first, "health", now.wall);
        at = *first;
    }
    for (std::size_t i = 0; i < at; ++i) {
        const std::string& better = route.members[i];
        if (group(ranks[i]) > group(ranks[at])) {
            if (ranks[i] != Rank::Drained || memory.barred.contains(better)) {
                memory.barred[better] = std::nullopt;
            }
            continue;
        }
        const auto barred = memory.barred.find(better);
        if (barred != memory.barred.end() && !barred->second) {
            barred->second = now.mono;
        }
        const bool long_enough = barred == memory.barred.end() ||
                                 (route.failback.kind == config::Failback::Kind::After &&
                                  now.mono - *barred->second >= route.failback.after);
        if (long_enough) {
            go_to(route, judge, i, barred == memory.barred.end() ? "first available" : "failback",
                  now.wall);
            at = i;
            break;
        }
    }
    for (std::size_t i = at; i < ranks.size(); ++i) {
        memory.barred.erase(route.members[i]);
    }
    if (at != *first) {
        facts.member[index(judge)] = static_cast<std::uint32_t>(at);
        facts.until[index(judge)] = due(route, memory);
    }
}

void HoldKeeper::go_to(const Route& route, Judge judge, std::size_t member, std::string_view cause,
                       base::Wall now) {
    Memory& memory = memories_[route.name][index(judge)];
    if (memory.member && *memory.member != route.members[member]) {
        Event event;
        event.kind = EventKind::RouteMoved;
        event.name = route.name;
        event.from = *memory.member;
        event.to = route.members[member];
        event.cause = cause;
        event.judge = to_text(judge);
        history_.add(std::move(event), now);
    }
    memory.member = route.members[member];
}

bool HoldKeeper::release(const std::string& route) {
    if (std::ranges::find(routes_, route, &Route::name) == routes_.end()) {
        return false;
    }
    for (Memory& memory : memories_[route]) {
        memory.barred.clear();
    }
    return true;
}

base::Mono HoldKeeper::due(const Route& route, const Memory& memory) const noexcept {
    base::Mono due = base::kNever;
    if (route.failback.kind == config::Failback::Kind::After) {
        for (const auto& [member, since] : memory.barred) {
            if (since) {
                due = std::min(due, *since + route.failback.after);
            }
        }
    }
    return due;
}

base::Mono HoldKeeper::next() const noexcept {
    base::Mono next = base::kNever;
    for (const policy::HoldFacts& facts : facts_) {
        next = std::min(next, *std::ranges::min_element(facts.until));
    }
    return next;
}

std::vector<HoldState> HoldKeeper::state(base::Now now) const {
    std::vector<HoldState> states;
    for (const auto& [route, memories] : memories_) {
        for (const Judge judge : kAllJudges) {
            const Memory& memory = memories[index(judge)];
            if (!memory.member) {
                continue;
            }
            HoldState state{route, judge, *memory.member, {}};
            for (const auto& [member, since] : memory.barred) {
                std::optional<base::Wall> wall;
                if (since) {
                    wall = now.wall - (now.mono - *since);
                }
                state.barred.push_back({member, wall});
            }
            states.push_back(std::move(state));
        }
    }
    return states;
}

std::vector<HoldStatus> HoldKeeper::status(base::Now now) const {
    std::vector<HoldStatus> all;
    for (const Route& route : routes_) {
        const policy::HoldFacts& facts = facts_[config::index(route.id)];
        for (const Judge judge : kAllJudges) {
            const std::uint32_t member = facts.member[index(judge)];
            if (member == policy::kNone) {
                continue;
            }
            HoldStatus hold;
            hold.route = route.name;
            hold.judge = judge;
            hold.member = route.members[member];
            const Barred& barred = memories_.at(route.name)[index(judge)].barred;
            const auto better = std::ranges::find_if(route.members, [&](const std::string& name) {
                const auto found = barred.find(name);
                return found != barred.end() && found->second;
            });
            hold.better = better == route.members.end() ? "" : *better;
            if (const base::Mono until = facts.until[index(judge)]; until != base::kNever) {
                hold.until = now.wall + (until - now.mono);
            }
            hold.failback = route.failback.kind == config::Failback::Kind::Manual
                                ? "manual"
                                : base::format_duration(route.failback.after);
            all.push_back(std::move(hold));
        }
    }
    return all;
}

}  // namespace steerd::control
