// What explain shows of a decision, see trace_steps.h. Reasons are words for people; the choices
// they tell of were made by the Evaluator. Thread rule: pure.
#include "policy/trace_steps.h"

#include <fmt/format.h>

#include <set>

namespace steerd::policy {
namespace {

using config::index;
using config::Policy;

const std::string& route_name(const Plan& plan, const TreeRoute& route) {
    return plan.model->route(route.route).name;
}

class Explainer {
  public:
    /// `live` tells health as it is, `used` makes the choices (another one when all are down).
    Explainer(const Evaluator& live, const Evaluator& used, std::vector<Step>& out)
        : live_(live), used_(used), scene_(used.scene()), out_(out) {}

    void route(std::uint32_t at) {
        const TreeRoute& it = scene_.tree.routes[at];
        const Choice choice = used_.choose(at);
        Step step;
        step.route = route_name(scene_.plan, it);
        step.policy = it.policy;
        for (std::uint32_t i = 0; i < it.member_count; ++i) {
            step.members.push_back(describe(it, at, i, choice));
        }
        out_.push_back(std::move(step));
        for (std::uint32_t i = 0; i < it.member_count; ++i) {
            const TreeMember& m = used_.member(it, i);
            if (!m.is_endpoint && follows(it, i, choice)) {
                route(m.target);
            }
        }
    }

  private:
    [[nodiscard]] bool follows(const TreeRoute& it, std::uint32_t i, const Choice& choice) const {
        return it.policy == Policy::Multivalue
                   ? choice.picked() && used_.weight(used_.ballot(it), used_.member(it, i)) > 0
                   : choice.member == i;
    }

    StepMember describe(const TreeRoute& it, std::uint32_t at, std::uint32_t i,
                        const Choice& choice) {
        const TreeMember& m = used_.member(it, i);
        StepMember out;
        out.name = m.is_endpoint ? scene_.plan.endpoints[m.target].name
                                 : route_name(scene_.plan, scene_.tree.routes[m.target]);
        out.health = to_text(shown_rank(m));
        out.chosen = choice.picked() && choice.member == i;
        out.share = out.chosen ? 1.0 : 0.0;
        if (it.policy == Policy::Multivalue) {
            ring_member(it, at, i, out);
        } else if (it.policy == Policy::Weighted) {
            weighted_member(it, i, out);
        } else {
            out.reason = reason(it, i, choice);
        }
        if (it.policy == Policy::Latency) {
            out.region = region_of(it, i);
        }
        return out;
    }

    /// Of the endpoint that a latency member is or would choose, whatever its health.
    [[nodiscard]] std::string region_of(const TreeRoute& it, std::uint32_t i) const {
        const std::uint32_t region = used_.latency_region(it, i);
        return region == kNone ? std::string() : scene_.plan.model->regions[region].name;
    }

    [[nodiscard]] Rank shown_rank(const TreeMember& m) const {
        const bool cname = m.is_endpoint && scene_.health.endpoints[m.target].cname;
        return cname || lacks_family(m) ? scene_.health.endpoints[m.target].rank.at(Column::Both)
                                        : live_.rank(m);
    }

    /// families = "any" passes it over, however well it is.
    [[nodiscard]] bool lacks_family(const TreeMember& m) const {
        if (!m.is_endpoint || scene_.plan.endpoints[m.target].cname) {
            return false;
        }
        const Endpoint& endpoint = scene_.plan.endpoints[m.target];
        const Column column = live_.scene().column;
        return (column == Column::V4Any && endpoint.v4_count == 0) ||
               (column == Column::V6Any && endpoint.v6_count == 0);
    }

    /// Why a member is not even a candidate; empty when it is.
    [[nodiscard]] std::string out_because(const TreeRoute& it, const TreeMember& m) const {
        const Rank rank = used_.rank(m);
        const bool cname = m.is_endpoint && scene_.health.endpoints[m.target].cname;
        if (cname && scene_.judge != Judge::Both) {
            return "CNAME target: does not answer for addresses";
        }
        if (lacks_family(m)) {
            return "no address of the family";
        }
        if (!available(rank)) {
            return std::string(to_text(rank));
        }
        if (used_.tier(m) == Tier::Out) {
            return "nothing under it for this client";
        }
        if (used_.tier(m) >= Tier::LackingGood && sibling_has_its_own(it)) {
            const TreeRoute& below = scene_.tree.routes[m.target];
            std::set<std::uint32_t> all;
            std::set<std::uint32_t> up;
            endpoints_under(m.target, all, up);
            return fmt::format("passed over: {} of {} available (min_available {})", up.size(),
                               all.size(), below.min_available);
        }
        return {};
    }

    [[nodiscard]] bool sibling_has_its_own(const TreeRoute& it) const {
        for (std::uint32_t i = 0; i < it.member_count; ++i) {
            if (used_.tier(used_.member(it, i)) < Tier::LackingGood) {
                return true;
            }
        }
        return false;
    }

    void endpoints_under(std::uint32_t at, std::set<std::uint32_t>& all,
                         std::set<std::uint32_t>& up) const {
        const TreeRoute& it = scene_.tree.routes[at];
        for (std::uint32_t i = 0; i < it.member_count; ++i) {
            const TreeMember& m = used_.member(it, i);
            if (!m.is_endpoint) {
                endpoints_under(m.target, all, up);
                continue;
            }
            all.insert(m.target);
            if (available(used_.rank(m))) {
                up.insert(m.target);
            }
        }
    }

    [[nodiscard]] std::string reason(const TreeRoute& it, std::uint32_t i,
                                     const Choice& choice) const {
        switch (it.policy) {
            case Policy::Failover:
                return failover_reason(it, i, choice);
            case Policy::Latency:
                return latency_reason(it, i, choice);
            case Policy::Geo:
                return geo_reason(it, i, choice);
            case Policy::Weighted:
            case Policy::Multivalue:
                break;
        }
        return {};
    }

    [[nodiscard]] std::string failover_reason(const TreeRoute& it, std::uint32_t i,
                                              const Choice& choice) const {
        const std::string out = out_because(it, used_.member(it, i));
        const bool degraded = used_.rank(used_.member(it, i)) == Rank::Degraded;
        if (choice.member == i) {
            if (!choice.picked()) {
                return "a fence under it ended the walk";
            }
            if (used_.held(it) == i) {
                return "held by failback";
            }
            return degraded ? "first available, though degraded" : "first available";
        }
        if (!out.empty()) {
            return out;
        }
        if (choice.member < i || choice.member == kNone) {
            return "behind the one chosen";
        }
        return used_.held(it) == choice.member ? "failback waits"
                                               : "degraded: behind up and unknown";
    }

    [[nodiscard]] std::string latency_reason(const TreeRoute& it, std::uint32_t i,
                                             const Choice& choice) const {
        const TreeMember& m = used_.member(it, i);
        const std::string out = out_because(it, m);
        if (!out.empty()) {
            return out;
        }
        if (!choice.picked()) {
            return "a fence under it ended the walk";
        }
        const Tier tier = used_.tier(used_.member(it, choice.member));
        if (used_.tier(m) != tier) {
            return "degraded: behind up and unknown";
        }
        std::uint32_t best = Evaluator::kUnranked;
        std::uint32_t equals = 0;
        for (std::uint32_t k = 0; k < it.member_count; ++k) {
            if (used_.tier(used_.member(it, k)) == tier) {
                best = std::min(best, used_.latency_rank(it, k));
            }
        }
        const std::uint32_t limit = used_.last_equal(it, best);
        for (std::uint32_t k = 0; k < it.member_count; ++k) {
            equals += used_.tier(used_.member(it, k)) == tier && used_.latency_rank(it, k) <= limit
                          ? 1U
                          : 0U;
        }
        if (choice.member == i) {
            return equals > 1 ? "within tolerance, hash chose" : std::string(kLowestEstimate);
        }
        return used_.latency_rank(it, i) <= limit ? "within tolerance, hash chose another"
                                                  : std::string(kHigherEstimate);
    }

    [[nodiscard]] std::string geo_reason(const TreeRoute& it, std::uint32_t i,
                                         const Choice& choice) const {
        const config::MemberConfig& written = scene_.plan.model->route(it.route).members[i];
        const std::string match = written.match.text() + (written.fence ? " (fence)" : "");
        const auto walk = used_.walk(it);
        const auto at = std::find(walk.members.begin(), walk.members.end(), i);
        if (choice.picked() && choice.member == i) {
            return "matches " + match;
        }
        if (at == walk.members.end()) {
            return "no match for " + match;
        }
        const std::string out = out_because(it, used_.member(it, i));
        return out.empty() ? "less specific: " + match : out + ": " + match;
    }

    void weighted_member(const TreeRoute& it, std::uint32_t i, StepMember& out) const {
        const TreeMember& m = used_.member(it, i);
        const Ballot votes = used_.ballot(it);
        const std::uint64_t weight = used_.weight(votes, m);
        if (weight > 0) {
            const char* const how = it.sticky ? (out.chosen ? "hash chose" : "hash chose another")
                                              : (out.chosen ? "drawn" : "not drawn");
            out.reason = fmt::format("{} ({} of {})", how, weight, votes.total);
            if (!it.sticky) {
                out.share = static_cast<double>(weight) / static_cast<double>(votes.total);
            }
            return;
        }
        out.reason = left_out(it, m);
    }

    [[nodiscard]] std::string left_out(const TreeRoute& it, const TreeMember& m) const {
        const std::string out = out_because(it, m);
        if (!out.empty()) {
            return out;
        }
        return m.weight == 0 ? "weight 0" : "degraded: the rest hold at least half of the weight";
    }

    /// The share of a ring member is the chance that one of its addresses lies in the window.
    void ring_member(const TreeRoute& it, std::uint32_t at, std::uint32_t i,
                     StepMember& out) const {
        const TreeMember& m = used_.member(it, i);
        out.chosen = false;
        out.share = 0;
        if (used_.weight(used_.ballot(it), m) == 0) {
            out.reason = left_out(it, m);
            return;
        }
        std::uint64_t own = 0;
        std::uint64_t all = 0;
        for (std::uint32_t k = 0; k < it.member_count; ++k) {
            const std::uint64_t count = addresses_of(it, k);
            all += count;
            own = k == i ? count : own;
        }
        if (own == 0) {
            out.reason = "no address of the family";
            return;
        }
        const std::uint64_t most = std::min<std::uint64_t>(it.max_answers, all);
        out.share = std::min(1.0, static_cast<double>(most + own - 1) / static_cast<double>(all));
        out.chosen = in_window(it, at, i);
        out.reason = fmt::format("{} the window of {} on a ring of {}",
                                 out.chosen ? "in" : "outside", most, all);
    }

    [[nodiscard]] SlotList slots_of(const TreeRoute& it, std::uint32_t i) const {
        const TreeMember& m = used_.member(it, i);
        SlotList list;
        if (used_.weight(used_.ballot(it), m) == 0) {
            return list;
        }
        if (m.is_endpoint) {
            used_.collect_endpoint(m.target, list);
        } else if (const Choice below = used_.choose(m.target); below.picked()) {
            used_.collect(below, list);
        }
        return list;
    }

    [[nodiscard]] std::uint64_t addresses_of(const TreeRoute& it, std::uint32_t i) const {
        return slots_of(it, i).count;
    }

    [[nodiscard]] bool in_window(const TreeRoute& it, std::uint32_t at, std::uint32_t i) const {
        SlotList window;
        used_.collect(used_.choose(at), window);
        const SlotList own = slots_of(it, i);
        const auto end = window.slots.begin() + static_cast<std::ptrdiff_t>(window.count);
        return std::any_of(
            own.slots.begin(), own.slots.begin() + static_cast<std::ptrdiff_t>(own.count),
            [&](std::uint32_t slot) { return std::find(window.slots.begin(), end, slot) != end; });
    }

    const Evaluator& live_;
    const Evaluator& used_;
    const Scene& scene_;
    std::vector<Step>& out_;
};

}  // namespace

void explain_steps(const DecideInput& input, const Resolution& resolution, std::vector<Step>& out) {
    if (resolution.kind == DecisionKind::NotCname) {
        return;
    }
    const Look& where = resolution.look;
    const Scene live_scene = scene_of(input, live_look(input, where.judge));
    const Scene used_scene = scene_of(input, where);
    const Evaluator live(live_scene);
    const Evaluator used(used_scene);
    Explainer(live, used, out).route(0);
}

}  // namespace steerd::policy
