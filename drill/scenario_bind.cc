// A scenario's words looked up in a plan: the steered name by the very lookup that serves (so that
// a wildcard counts), targets of events, members whose weight changes.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "config/load.h"
#include "config/toml_reader.h"
#include "drill/scenario.h"

namespace steerd::drill {

using config::EndpointId;
using config::index;

namespace {

constexpr std::string_view kRegion = "region:";

class Binder {
  public:
    Binder(const Scenario& scenario, const policy::Plan& plan, base::Problems& problems)
        : scenario_(scenario), plan_(plan), model_(*plan.model), problems_(problems) {}

    bool find_name(Bound& out) {
        if (scenario_.name.empty()) {
            return false;  // said already
        }
        const auto name = dns::Name::parse(scenario_.name);
        if (!name) {
            problems_.error(
                scenario_.name_at,
                fmt::format("bad name {}: {}", config::in_quotes(scenario_.name), name.error()));
            return false;
        }
        out.name = *name;
        const auto* slot = plan_.zone_set.find(*name);
        if (slot != nullptr && slot->zone != nullptr) {
            const auto type = scenario_.type == AskedType::A ? dns::RrType::A : dns::RrType::AAAA;
            const auto finding = slot->zone->lookup(*name, type);
            if (finding.kind == zones::FindingKind::Steered) {
                const auto zone = static_cast<std::size_t>(slot - plan_.zone_set.slots().data());
                out.steered =
                    static_cast<policy::SteeredId>(plan_.zones[zone].first_steered + finding.steer);
                return true;
            }
        }
        std::vector<std::string> names;
        for (const auto& steered : plan_.steered) {
            names.push_back(steered.owner.to_text());
        }
        problems_.error(
            scenario_.name_at,
            fmt::format("{} is no steered name of {}{}", config::in_quotes(scenario_.name),
                        scenario_.config.string(), hint(name->to_text(), names)));
        return false;
    }

    std::vector<EndpointId> targets(const ScenarioEvent& event, const policy::Tree& tree) {
        if (event.on_server() || event.target.empty()) {
            return {};
        }
        std::vector<EndpointId> found =
            event.kind == EventKind::Weight ? member_of(event) : endpoints_of(event);
        std::vector<EndpointId> serving;
        std::copy_if(found.begin(), found.end(), std::back_inserter(serving), [&](EndpointId id) {
            return std::find(tree.endpoints.begin(), tree.endpoints.end(), id) !=
                   tree.endpoints.end();
        });
        if (serving.empty() && !found.empty()) {
            problems_.warning(event.pos, fmt::format("{} is never an answer of {}", event.target,
                                                     scenario_.name));
            return found;
        }
        return serving;
    }

  private:
    static std::string hint(const std::string& word, const std::vector<std::string>& candidates) {
        const auto near = base::nearest(word, candidates);
        return near ? fmt::format("; did you mean {}?", config::in_quotes(*near)) : std::string();
    }

    std::vector<EndpointId> endpoints_of(const ScenarioEvent& event) {
        std::vector<EndpointId> out;
        const bool region = event.target.starts_with(kRegion);
        for (std::size_t i = 0; i < model_.endpoints.size(); ++i) {
            const auto& endpoint = model_.endpoints[i];
            const bool hit =
                region ? endpoint.region &&
                             std::string(kRegion) + model_.regions[index(*endpoint.region)].name ==
                                 event.target
                       : endpoint.name == event.target;
            if (hit) {
                out.push_back(static_cast<EndpointId>(i));
            }
        }
        if (out.empty()) {
            report_unknown(event, region);
        }
        return out;
    }

    void report_unknown(const ScenarioEvent& event, bool region) {
        std::vector<std::string> names{"server"};
        bool known = false;
        for (const auto& one : model_.regions) {
            names.push_back(std::string(kRegion) + one.name);
            known = known || names.back() == event.target;
        }
        for (const auto& one : model_.endpoints) {
            names.push_back(one.name);
        }
        problems_.error(
            event.pos,
            known ? fmt::format("no endpoint stands in {}", event.target)
                  : fmt::format("there is no {} {}{}", region ? "region" : "endpoint",
                                config::in_quotes(event.target), hint(event.target, names)));
    }

    std::vector<EndpointId> member_of(const ScenarioEvent& event) {
        const auto route = std::find_if(model_.routes.begin(), model_.routes.end(),
                                        [&](const auto& one) { return one.name == event.route; });
        if (route == model_.routes.end()) {
            std::vector<std::string> names;
            for (const auto& one : model_.routes) {
                names.push_back(one.name);
            }
            problems_.error(event.pos,
                            fmt::format("there is no route {}{}", config::in_quotes(event.route),
                                        hint(event.route, names)));
            return {};
        }
        if (route->policy != config::Policy::Weighted &&
            route->policy != config::Policy::Multivalue) {
            problems_.error(event.pos, fmt::format("route {} is {}: its members have no weight",
                                                   config::in_quotes(event.route),
                                                   config::to_text(route->policy)));
            return {};
        }
        auto& weights = weights_[event.route];
        std::vector<std::string> names;
        const config::MemberConfig* found = nullptr;
        for (const auto& member : route->members) {
            names.push_back(member.name);
            weights.try_emplace(member.name, member.weight);
            found = member.name == event.target ? &member : found;
        }
        if (found == nullptr) {
            problems_.error(
                event.pos,
                fmt::format("{} is no member of route {}{}", config::in_quotes(event.target),
                            config::in_quotes(event.route), hint(event.target, names)));
            return {};
        }
        weights[event.target] = event.weight;
        if (std::all_of(weights.begin(), weights.end(),
                        [](const auto& one) { return one.second == 0; })) {
            problems_.error(event.pos, fmt::format("all weights of route {} would be 0",
                                                   config::in_quotes(event.route)));
        }
        const auto* endpoint = std::get_if<EndpointId>(&found->to);
        return endpoint != nullptr
                   ? std::vector<EndpointId>{*endpoint}
                   : config::endpoints_under(model_, std::get<config::RouteId>(found->to));
    }

    const Scenario& scenario_;
    const policy::Plan& plan_;
    const config::Model& model_;
    base::Problems& problems_;
    std::map<std::string, std::map<std::string, std::uint32_t>> weights_;  // by route and member
};

}  // namespace

std::optional<Bound> bind_scenario(const Scenario& scenario,
                                   std::shared_ptr<const policy::Plan> plan,
                                   base::Problems& problems) {
    const std::size_t errors = problems.error_count();
    Bound out;
    out.plan = std::move(plan);
    Binder binder(scenario, *out.plan, problems);
    policy::Tree everything;  // where the name is unknown, targets are looked up all the same
    for (std::size_t i = 0; i < out.plan->endpoints.size(); ++i) {
        everything.endpoints.push_back(static_cast<EndpointId>(i));
    }
    const bool found = binder.find_name(out);
    const policy::Tree& tree =
        found ? out.plan->trees[index(out.plan->steered[index(out.steered)].tree)] : everything;
    for (const ScenarioEvent& event : scenario.events) {
        out.endpoints.push_back(binder.targets(event, tree));
    }
    return problems.error_count() == errors && found ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace steerd::drill
