#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "config/check.h"
#include "config/words.h"

namespace steerd::config {

namespace {

/// Naming every loop of a hostile file in full would be quadratic.
constexpr std::size_t kMostLoopsNamed = 20;

bool forbids_mix(Policy policy) {
    return policy == Policy::Weighted || policy == Policy::Latency || policy == Policy::Multivalue;
}

bool is_drawn(Policy policy) { return policy == Policy::Weighted || policy == Policy::Multivalue; }

template <typename T>
void keep_first(std::optional<T>& first, const std::optional<T>& later) {
    if (!first) {
        first = later;
    }
}

void add_region(RouteSummary& sum, const std::optional<RegionId>& region) {
    keep_first(sum.region, region);
    if (region && region != sum.region) {
        keep_first(sum.other_region, region);
    }
}

/// Depth first over all routes without recursion, so that a long chain cannot exhaust the stack.
class RouteWalk {
  public:
    explicit RouteWalk(Draft& draft)
        : draft_(&draft),
          model_(draft.model.get()),
          sums_(model_->routes.size()),
          states_(model_->routes.size(), State::New) {}

    std::vector<RouteSummary> run() {
        for (std::size_t i = 0; i < model_->routes.size(); ++i) {
            if (states_[i] == State::New) {
                visit(i);
            }
        }
        return std::move(sums_);
    }

  private:
    enum class State : std::uint8_t { New, Open, Done };

    struct Step {
        std::size_t route;
        std::size_t next = 0;
    };

    void visit(std::size_t start) {
        path_.assign(1, {start});
        states_[start] = State::Open;
        while (!path_.empty()) {
            auto& [route, next] = path_.back();
            const auto& members = model_->routes[route].members;
            if (next == members.size()) {
                finish(route);
                path_.pop_back();
                continue;
            }
            const auto& member = members[next++];
            const auto* below = std::get_if<RouteId>(&member.to);
            if (below == nullptr) {
                continue;
            }
            auto& state = states_[index(*below)];
            if (state == State::Open) {
                report_loop(index(*below), member);
            } else if (state == State::New) {
                state = State::Open;
                path_.push_back({index(*below)});
            }
        }
    }

    void report_loop(std::size_t first, const MemberConfig& member) {
        if (++loops_ > kMostLoopsNamed) {
            return;
        }
        std::string text = "loop: ";
        const auto begin = std::find_if(path_.begin(), path_.end(),
                                        [first](const Step& step) { return step.route == first; });
        for (auto step = begin; step != path_.end(); ++step) {
            text += model_->routes[step->route].name + " → ";
        }
        draft_->problems.error(member.at, text + model_->routes[first].name);
    }

    void finish(std::size_t route) {
        states_[route] = State::Done;
        auto& sum = sums_[route];
        for (const auto& member : model_->routes[route].members) {
            if (const auto* endpoint = std::get_if<EndpointId>(&member.to)) {
                add_endpoint(sum, *endpoint);
            } else if (states_[index(std::get<RouteId>(member.to))] == State::Done) {
                add_route(sum, sums_[index(std::get<RouteId>(member.to))]);
            }
        }
        check(model_->routes[route], sum);
    }

    void add_endpoint(RouteSummary& sum, EndpointId id) const {
        const auto& endpoint = model_->endpoint(id);
        ++sum.size;
        sum.probed = sum.probed || !endpoint.probes.empty();
        if (endpoint.cname) {
            keep_first(sum.cname, std::optional(id));
        }
        if (!endpoint.addresses.empty()) {
            keep_first(sum.address, std::optional(id));
            const auto has = [&endpoint](bool v4) {
                return std::any_of(endpoint.addresses.begin(), endpoint.addresses.end(),
                                   [v4](const auto& address) { return address.is_v4() == v4; });
            };
            keep_first(sum.families[!has(true) ? 1 : has(false) ? 2 : 0], std::optional(id));
        }
        if (!draft_->says_region[index(id)]) {
            keep_first(sum.regionless, std::optional(id));
        }
        add_region(sum, endpoint.region);
    }

    static void add_route(RouteSummary& sum, const RouteSummary& below) {
        keep_first(sum.address, below.address);
        keep_first(sum.cname, below.cname);
        keep_first(sum.regionless, below.regionless);
        add_region(sum, below.region);
        add_region(sum, below.other_region);
        for (std::size_t i = 0; i < sum.families.size(); ++i) {
            keep_first(sum.families[i], below.families[i]);
        }
        sum.probed = sum.probed || below.probed;
        sum.mixed = sum.mixed || below.mixed;
        sum.depth = std::max(sum.depth, below.depth + 1);
        sum.size = std::min(sum.size + below.size + 1, kMostMembers + 1);
    }

    void check(const RouteConfig& route, RouteSummary& sum) {
        auto& problems = draft_->problems;
        const auto name_of = [this](EndpointId id) { return in_quotes(model_->endpoint(id).name); };
        if (forbids_mix(route.policy) && sum.address && sum.cname && !sum.mixed) {
            sum.mixed = true;
            problems.error(route.at,
                           fmt::format("CNAME and address members under one {} route: {} is a "
                                       "CNAME, {} has addresses (route {})",
                                       to_text(route.policy), name_of(*sum.cname),
                                       name_of(*sum.address), in_quotes(route.name)));
        }
        if (route.policy == Policy::Multivalue && sum.cname && !sum.address) {
            problems.error(
                route.at, fmt::format("CNAME members under a multivalue route: an answer holds one "
                                      "CNAME; use \"weighted\" ({}, route {})",
                                      name_of(*sum.cname), in_quotes(route.name)));
        }
        // Only where the limit is crossed first, not again at all routes above.
        if (sum.depth == kMostDepth + 1) {
            problems.error(route.at, fmt::format("routes are nested more than {} deep (route {})",
                                                 kMostDepth, in_quotes(route.name)));
        }
        if (sum.size > kMostMembers && !too_large_) {
            too_large_ = true;
            problems.error(route.at, fmt::format("more than {} members under one route (route {})",
                                                 kMostMembers, in_quotes(route.name)));
        }
    }

    Draft* draft_;
    const Model* model_;
    std::vector<RouteSummary> sums_;
    std::vector<State> states_;
    std::vector<Step> path_;
    std::size_t loops_ = 0;
    bool too_large_ = false;
};

/// `region` is optional except under latency.
void check_latency_members(Draft& draft, const std::vector<RouteSummary>& sums) {
    const auto& model = *draft.model;
    for (const auto& route : model.routes) {
        if (route.policy != Policy::Latency) {
            continue;
        }
        for (const auto& member : route.members) {
            std::optional<EndpointId> bare;
            if (const auto* endpoint = std::get_if<EndpointId>(&member.to)) {
                bare =
                    draft.says_region[index(*endpoint)] ? std::nullopt : std::optional(*endpoint);
            } else {
                const auto below = index(std::get<RouteId>(member.to));
                // A latency route below speaks for itself.
                bare = model.routes[below].policy == Policy::Latency ? std::nullopt
                                                                     : sums[below].regionless;
            }
            if (bare) {
                draft.problems.error(
                    member.at,
                    fmt::format("endpoint {} has no region, which latency needs "
                                "(route {})",
                                in_quotes(model.endpoint(*bare).name), in_quotes(route.name)));
            }
        }
    }
}

/// For each route the latency route above it, if any.
std::vector<std::optional<std::size_t>> latency_above(const Model& model) {
    std::vector<std::optional<std::size_t>> above(model.routes.size());
    std::vector<std::size_t> open;
    const auto spread = [&](std::size_t route, std::size_t latency) {
        for (const auto& member : model.routes[route].members) {
            const auto* below = std::get_if<RouteId>(&member.to);
            if (below != nullptr && !above[index(*below)]) {
                above[index(*below)] = latency;
                open.push_back(index(*below));
            }
        }
    };
    for (std::size_t i = 0; i < model.routes.size(); ++i) {
        if (model.routes[i].policy == Policy::Latency) {
            spread(i, i);
        }
    }
    while (!open.empty()) {
        const auto route = open.back();
        open.pop_back();
        spread(route, *above[route]);
    }
    return above;
}

/// The estimate of a drawn route must not depend on the draw.
void check_draws_under_latency(Draft& draft, const std::vector<RouteSummary>& sums) {
    const auto& model = *draft.model;
    const auto above = latency_above(model);
    for (std::size_t i = 0; i < model.routes.size(); ++i) {
        const auto& route = model.routes[i];
        if (!above[i] || !is_drawn(route.policy) || !sums[i].other_region) {
            continue;
        }
        const auto region = [&model](RegionId id) {
            return in_quotes(model.regions[index(id)].name);
        };
        draft.problems.error(
            route.at,
            fmt::format("a {} route under latency must stand in one region, its endpoints stand in "
                        "{} and {} (route {}, under {})",
                        to_text(route.policy), region(*sums[i].region),
                        region(*sums[i].other_region), in_quotes(route.name),
                        in_quotes(model.routes[*above[i]].name)));
    }
}

}  // namespace

std::vector<RouteSummary> check_routes(Draft& draft) {
    auto sums = RouteWalk(draft).run();
    check_latency_members(draft, sums);
    check_draws_under_latency(draft, sums);
    return sums;
}

}  // namespace steerd::config
