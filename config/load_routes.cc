// [routes]: policies over members, each on its own. What a tree of them may not do (loops, mixed
// kinds, regions under latency) is in check_routes.cc.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "config/draft.h"
#include "config/words.h"

namespace steerd::config {

namespace {

constexpr std::int64_t kMostWeight = 65535;
constexpr std::int64_t kMostAnswers = 32;

bool is_weighted(Policy policy) {
    return policy == Policy::Weighted || policy == Policy::Multivalue;
}

/// Reads routes one after the other; the names of all endpoints and routes are known.
class RouteReader {
  public:
    explicit RouteReader(Draft& draft) : draft_(&draft) {}

    RouteConfig read(const TomlEntry& entry) {
        RouteConfig route;
        route.name = entry.key;
        route.at = draft_->source.at(entry.value);
        if (entry.value.kind != TomlNode::Kind::Table) {
            return route;
        }
        what_ = "route " + in_quotes(entry.key);
        TomlTable table(entry.value, what_, draft_->source, draft_->problems);
        if (!table.has("policy")) {
            table.error(table.at(),
                        "policy is missing; add policy = \"failover\", \"weighted\", "
                        "\"latency\", \"geo\" or \"multivalue\"");
        }
        const auto policy = table.word("policy", kPolicyWords);
        known_policy_ = policy.has_value();
        route.policy = policy ? static_cast<Policy>(*policy) : Policy::Failover;
        read_keys(table, route);
        read_members(table, route);
        table.finish();
        return route;
    }

  private:
    /// True when `key` may be read: rejected with its owners where the policy is another one.
    bool belongs(TomlTable& table, std::string_view key, bool owned, std::string_view owners) {
        if (!owned && known_policy_) {
            table.reject(key, fmt::format("belongs to {}", owners));
        }
        return (owned || !known_policy_) && table.has(key);
    }

    void read_keys(TomlTable& table, RouteConfig& route) {
        const auto policy = route.policy;
        route.min_available =
            static_cast<std::uint32_t>(table.integer("min_available", {1, 1'000'000}).value_or(1));
        if (belongs(table, "sticky", policy == Policy::Weighted, "policy \"weighted\"")) {
            route.sticky = table.boolean("sticky").value_or(false);
        }
        if (belongs(table, "tolerance", policy == Policy::Latency, "policy \"latency\"")) {
            route.tolerance =
                table.duration("tolerance", base::Duration::zero()).value_or(route.tolerance);
        }
        if (belongs(table, "max_answers", policy == Policy::Multivalue, "policy \"multivalue\"")) {
            route.max_answers = static_cast<std::uint32_t>(
                table.integer("max_answers", {1, kMostAnswers}).value_or(route.max_answers));
        }
        if (belongs(table, "failback", policy == Policy::Failover, "policy \"failover\"")) {
            read_failback(table, route);
        }
    }

    static void read_failback(TomlTable& table, RouteConfig& route) {
        const auto text = table.text("failback");
        if (!text || *text == "auto") {
            return;
        }
        if (*text == "manual") {
            route.failback.kind = Failback::Kind::Manual;
            return;
        }
        const auto after = base::parse_duration(*text);
        if (!after) {
            table.error("failback", fmt::format("failback must be \"auto\", \"manual\" or a "
                                                "duration like \"5m\", got {}",
                                                in_quotes(*text)));
            return;
        }
        if (*after > base::Duration::zero()) {
            route.failback = {Failback::Kind::After, *after};
        }
    }

    void read_members(TomlTable& table, RouteConfig& route) {
        const auto* list = table.array("members");
        if (!table.has("members")) {
            table.error(table.at(), "members is missing");
        }
        if (list == nullptr) {
            return;
        }
        if (list->items.empty()) {
            table.error("members", "members is empty");
        }
        std::set<std::string> names;
        std::map<std::string, std::uint32_t> matches;
        std::int64_t total_weight = 0;
        for (const auto& item : list->items) {
            auto member = read_member(table, item, route.policy);
            total_weight += member.weight;
            if (route.policy == Policy::Geo) {
                check_match(table, item, member, matches);
            } else if (!member.name.empty() && !names.insert(member.name).second) {
                table.error(table.at(item),
                            fmt::format("member {} stands twice", in_quotes(member.name)));
            }
            if (resolved_) {
                route.members.push_back(std::move(member));
            }
        }
        if (is_weighted(route.policy) && total_weight == 0 && !list->items.empty()) {
            table.error("members", "all weights are 0");
        }
    }

    void check_match(const TomlTable& table, const TomlNode& item, const MemberConfig& member,
                     std::map<std::string, std::uint32_t>& lines) const {
        if (!matched_) {
            return;
        }
        const auto [first, added] = lines.emplace(member.match.text(), item.line);
        if (!added) {
            table.error(table.at(item), fmt::format("match {} stands at line {} already",
                                                    in_quotes(member.match.text()), first->second));
        }
    }

    /// "name", or { to = "name", weight = 1, match = "*", fence = true }.
    MemberConfig read_member(const TomlTable& route, const TomlNode& item, Policy policy) {
        MemberConfig member;
        member.at = route.at(item);
        resolved_ = matched_ = false;
        if (item.kind == TomlNode::Kind::String) {
            member.name = item.text;
            resolve_target(route, {item.text, member.at}, member);
            if (policy == Policy::Geo) {
                route.error(member.at, fmt::format("a geo member needs a match; write {{ match = "
                                                   "\"country:JP\", to = {} }}",
                                                   in_quotes(item.text)));
            }
            return member;
        }
        if (item.kind != TomlNode::Kind::Table) {
            route.error(member.at, fmt::format("a member is a name or a table like {{ to = "
                                               "\"NAME\" }}, got {}",
                                               describe(item)));
            return member;
        }
        TomlTable table(item, "a member of " + what_, draft_->source, draft_->problems);
        if (!table.has("to")) {
            table.error(table.at(), "to is missing: the name of an endpoint or a route");
        }
        if (const auto to = table.text("to")) {
            member.name = *to;
            resolve_target(table, {*to, table.at("to")}, member);
        }
        read_member_keys(table, policy, member);
        table.finish();
        return member;
    }

    void read_member_keys(TomlTable& table, Policy policy, MemberConfig& member) {
        if (belongs(table, "weight", is_weighted(policy),
                    "policies \"weighted\" and \"multivalue\"")) {
            // A bad weight was reported; it is no reason to say that all weights are 0.
            member.weight =
                static_cast<std::uint32_t>(table.integer("weight", {0, kMostWeight}).value_or(1));
        }
        const bool geo = policy == Policy::Geo;
        if (belongs(table, "fence", geo, "policy \"geo\"")) {
            member.fence = table.boolean("fence").value_or(false);
        }
        if (belongs(table, "match", geo, "policy \"geo\"")) {
            const auto text = table.text("match");
            const auto match = text ? std::optional(parse_match(*text)) : std::nullopt;
            if (match && !*match) {
                table.error("match",
                            fmt::format("bad match {}: {}", in_quotes(*text), match->error()));
            } else if (match) {
                member.match = **match;
                matched_ = true;
            }
        } else if (geo && known_policy_) {
            table.error(table.at(), "match is missing, like \"country:JP\" or \"*\"");
        }
    }

    void resolve_target(const TomlTable& table, const LocatedText& name, MemberConfig& member) {
        if (const auto endpoint = draft_->endpoints.find(name.text)) {
            member.to = EndpointId{*endpoint};
            resolved_ = true;
        } else if (const auto route = draft_->routes.find(name.text)) {
            member.to = RouteId{*route};
            resolved_ = true;
        } else {
            auto candidates = draft_->endpoints.names();
            const auto& routes = draft_->routes.names();
            candidates.insert(candidates.end(), routes.begin(), routes.end());
            table.error(name.at, fmt::format("no endpoint or route {}{}", in_quotes(name.text),
                                             did_you_mean(draft_->source, name.text, candidates)));
        }
    }

    Draft* draft_;
    std::string what_;
    bool known_policy_ = false;
    bool resolved_ = false;  // the member just read
    bool matched_ = false;
};

}  // namespace

void load_routes(Draft& draft, TomlTable& root) {
    RouteReader reader(draft);
    for (const auto* entry : section(draft, root, "routes")) {
        draft.model->routes.push_back(reader.read(*entry));
    }
}

}  // namespace steerd::config
