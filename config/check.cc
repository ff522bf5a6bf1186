#include "config/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/load.h"
#include "config/words.h"

namespace steerd::config {

namespace {

constexpr std::uint32_t kLongTtl = 300;
constexpr std::uint32_t kShortTtl = 5;

constexpr std::array<std::string_view, 3> kFamilyWords{"IPv4 only", "IPv6 only", "IPv4 and IPv6"};

/// One steered name with all that the checks look at.
struct Steered {
    const SteerConfig& steer;
    const SteerPlaces& places;
    const RouteConfig& route;
    const RouteSummary& sum;
};

std::string steered_name(const Steered& s) {
    return fmt::format("steered name {}", in_quotes(s.steer.owner.to_text()));
}

void check_families(const Model& model, const Steered& s, base::Problems& problems) {
    std::string found;
    std::size_t kinds = 0;
    for (std::size_t i = 0; i < s.sum.families.size(); ++i) {
        if (const auto& endpoint = s.sum.families[i]) {
            found += fmt::format("{}{} has {}", kinds == 0 ? "" : ", ",
                                 in_quotes(model.endpoint(*endpoint).name), kFamilyWords[i]);
            ++kinds;
        }
    }
    if (kinds > 1) {
        problems.warning(s.steer.at, fmt::format("members with unequal families: {} ({})", found,
                                                 steered_name(s)));
    }
}

void check_ttl(const Steered& s, base::Problems& problems) {
    if (!s.sum.probed) {
        return;
    }
    const auto ttl = s.steer.ttl_s;
    if (ttl > kLongTtl) {
        problems.warning(s.places.ttl,
                         fmt::format("ttl {}s is above {}s: clients stay long on a dead endpoint "
                                     "({})",
                                     ttl, kLongTtl, steered_name(s)));
    } else if (ttl < kShortTtl) {
        problems.warning(s.places.ttl,
                         fmt::format("ttl {}s is below {}s: it costs many queries and moves "
                                     "clients hardly sooner ({})",
                                     ttl, kShortTtl, steered_name(s)));
    }
}

void check_one(const Model& model, const ZoneConfig& zone, const Steered& s,
               base::Problems& problems) {
    const auto& members = s.route.members;
    const bool for_all = std::any_of(
        members.begin(), members.end(),
        [](const MemberConfig& member) { return member.match.kind == Match::Kind::Any; });
    if (s.route.policy == Policy::Geo && !for_all) {
        problems.error(s.places.route,
                       fmt::format("geo route {} has no member with match \"*\", so some clients "
                                   "would get no answer ({})",
                                   in_quotes(s.route.name), steered_name(s)));
    }
    if (s.steer.owner == zone.apex && s.sum.cname) {
        problems.error(s.steer.at,
                       fmt::format("CNAME at an apex: endpoint {} under route {} is a CNAME ({})",
                                   in_quotes(model.endpoint(*s.sum.cname).name),
                                   in_quotes(s.route.name), steered_name(s)));
    }
    check_families(model, s, problems);
    check_ttl(s, problems);
}

/// Steered names as a graph: from a name to those that a CNAME under its route targets.
class CnameGraph {
  public:
    CnameGraph(Draft& draft, const std::vector<RouteSummary>& sums) : model_(draft.model.get()) {
        for (std::size_t z = 0; z < model_->zones.size(); ++z) {
            for (const auto& steer : model_->zones[z].steer) {
                by_owner_.emplace(steer.owner, nodes_.size());
                nodes_.push_back({z, &steer});
            }
        }
        for (auto& node : nodes_) {
            if (sums[index(node.steer->route)].cname) {
                node.route = &targets(node.steer->route);
            }
        }
    }

    /// Calls `found` with each way back to itself: the names in their order.
    template <typename F>
    void for_each_loop(F found) {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i].state == State::New) {
                visit(i, found);
            }
        }
    }

    struct Loop {
        std::size_t zone;  // of the name that closes it
        const SteerConfig* steer;
        std::string text;
    };

  private:
    enum class State : std::uint8_t { New, Open, Done };

    struct Node {
        std::size_t zone;
        const SteerConfig* steer;
        const std::vector<std::size_t>* route = nullptr;  // the nodes that follow
        State state = State::New;
        std::size_t next = 0;
    };

    const std::vector<std::size_t>& targets(RouteId route) {
        const auto [at, added] = by_route_.try_emplace(index(route));
        if (added) {
            for (const auto id : endpoints_under(*model_, route)) {
                const auto& cname = model_->endpoint(id).cname;
                const auto node = cname ? by_owner_.find(*cname) : by_owner_.end();
                if (node != by_owner_.end()) {
                    at->second.push_back(node->second);
                }
            }
        }
        return at->second;
    }

    template <typename F>
    void visit(std::size_t start, F found) {
        std::vector<std::size_t> path{start};
        nodes_[start].state = State::Open;
        while (!path.empty()) {
            auto& node = nodes_[path.back()];
            if (node.route == nullptr || node.next == node.route->size()) {
                node.state = State::Done;
                path.pop_back();
                continue;
            }
            const auto next = (*node.route)[node.next++];
            if (nodes_[next].state == State::Open) {
                found(loop(path, next));
            } else if (nodes_[next].state == State::New) {
                nodes_[next].state = State::Open;
                path.push_back(next);
            }
        }
    }

    Loop loop(const std::vector<std::size_t>& path, std::size_t first) const {
        const auto& last = nodes_[path.back()];
        std::string text;
        for (auto at = std::find(path.begin(), path.end(), first); at != path.end(); ++at) {
            text += nodes_[*at].steer->owner.to_text() + " → ";
        }
        return {last.zone, last.steer, text + nodes_[first].steer->owner.to_text()};
    }

    const Model* model_;
    std::vector<Node> nodes_;
    std::map<dns::Name, std::size_t> by_owner_;
    std::map<std::size_t, std::vector<std::size_t>> by_route_;
};

}  // namespace

void check_steers(Draft& draft, const std::vector<RouteSummary>& summaries) {
    auto& model = *draft.model;
    for (std::size_t z = 0; z < model.zones.size(); ++z) {
        auto& zone = model.zones[z];
        for (std::size_t i = 0; i < zone.steer.size(); ++i) {
            const auto& steer = zone.steer[i];
            const auto route = index(steer.route);
            check_one(model, zone,
                      {steer, draft.steer_places[z][i], model.routes[route], summaries[route]},
                      zone.steer_problems);
        }
    }
}

void check_cname_loops(Draft& draft, const std::vector<RouteSummary>& summaries) {
    constexpr std::size_t kMostNamed = 20;  // each is named in full
    std::size_t count = 0;
    CnameGraph(draft, summaries).for_each_loop([&](const CnameGraph::Loop& loop) {
        if (++count <= kMostNamed) {
            draft.model->zones[loop.zone].steer_problems.error(
                loop.steer->at, "a CNAME target leads back to itself: " + loop.text);
        }
    });
}

void check(Draft& draft) {
    const auto summaries = check_routes(draft);
    check_steers(draft, summaries);
    check_cname_loops(draft, summaries);
    check_query_log(draft);
}

}  // namespace steerd::config
