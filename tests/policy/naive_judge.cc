// Naive orders and walks, all health, and what comes of them.
#include "naive_judge.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "base/rng.h"

namespace steerd::policy::testing {

NaiveView::NaiveView(const Built& built) : built_(built), tree_(built.plan->trees.at(0)) {
    impl_ = std::make_unique<View::Impl>();
    std::uint32_t offset = 0;
    for (std::uint32_t i = 0; i < tree_.routes.size(); ++i) {
        const TreeRoute& route = tree_.routes[i];
        if (route.view_slot == kNone) {
            continue;
        }
        const std::uint32_t size = route.policy == config::Policy::Latency
                                       ? static_cast<std::uint32_t>(2 * route.regions.size())
                                       : route.member_count + 2;
        impl_->slots.push_back({i, offset, size});
        offset += size;
    }
    impl_->words = offset;
}

std::uint32_t NaiveView::class_of(const base::IpPrefix& client) {
    const geo::PlaceId place = built_.input.world->locate(client);
    std::vector<std::uint16_t> words;
    for (const SlotLayout& slot : impl_->slots) {
        const TreeRoute& route = tree_.routes[slot.route];
        const std::size_t end = words.size() + slot.size;
        route.policy == config::Policy::Latency ? order(route, place, words)
                                                : walk(route, place, client, words);
        words.resize(end);
    }
    const auto [at, fresh] = ids_.try_emplace(words, static_cast<std::uint32_t>(ids_.size()));
    if (fresh) {
        impl_->classes.insert(impl_->classes.end(), words.begin(), words.end());
        impl_->hashed.push_back(0);
    }
    return at->second;
}

Plan NaiveView::plan() {
    Plan plan = *built_.plan;
    plan.views.at(tree_.view) = std::make_shared<const View>(std::move(impl_));
    return plan;
}

void NaiveView::order(const TreeRoute& route, geo::PlaceId place,
                      std::vector<std::uint16_t>& words) {
    std::vector<std::pair<double, std::uint16_t>> list;
    for (std::uint16_t i = 0; i < route.regions.size(); ++i) {
        const std::string& name = built_.input.model->regions[config::index(route.regions[i])].name;
        const auto estimate =
            built_.input.world->estimate(place, *built_.input.world->region_index(name));
        list.emplace_back(estimate.known() ? estimate.rtt_ms : HUGE_VAL, i);
    }
    std::sort(list.begin(), list.end());
    const double tolerance =
        std::chrono::duration<double, std::milli>(built_.input.model->route(route.route).tolerance)
            .count();
    std::vector<std::uint16_t> ranks(list.size());
    std::vector<std::uint16_t> last(list.size());
    for (std::size_t rank = 0; rank < list.size(); ++rank) {
        ranks[list[rank].second] = static_cast<std::uint16_t>(rank);
        for (std::size_t other = rank; other < list.size(); ++other) {
            if (list[other].first == list[rank].first ||
                list[other].first <= list[rank].first + tolerance) {
                last[rank] = static_cast<std::uint16_t>(other);
            }
        }
    }
    words.insert(words.end(), ranks.begin(), ranks.end());
    words.insert(words.end(), last.begin(), last.end());
}

void NaiveView::walk(const TreeRoute& route, geo::PlaceId id, const base::IpPrefix& client,
                     std::vector<std::uint16_t>& words) {
    const geo::Place& place = built_.input.world->place(id);
    const auto& members = built_.input.model->route(route.route).members;
    std::vector<std::pair<int, std::uint16_t>> found;
    for (std::uint16_t i = 0; i < members.size(); ++i) {
        const config::Match& match = members[i].match;
        const std::string text = match.text();
        int score = -1;
        if (match.kind == config::Match::Kind::Network && match.prefix.contains(client)) {
            score = 128 - static_cast<int>(match.prefix.length());
        } else if (place.asn && text == "AS" + std::to_string(*place.asn)) {
            score = 200;
        } else if (place.subdivision &&
                   text == "subdivision:" + std::string(place.subdivision->view())) {
            score = 201;
        } else if (place.country && text == "country:" + std::string(place.country->view())) {
            score = 202;
        } else if (place.continent && text == "continent:" + std::string(place.continent->view())) {
            score = 203;
        } else if (text == "*") {
            score = 204;
        }
        if (score >= 0) {
            found.emplace_back(score, i);
        }
    }
    std::sort(found.begin(), found.end());
    const std::size_t start = words.size();
    words.resize(start + 2);
    for (const auto& [score, i] : found) {
        words.push_back(i);
        ++words[start];
        if (members[i].fence) {
            words[start + 1] = 1;
            break;
        }
    }
}

AllHealth::AllHealth(const Plan& plan) : plan_(plan) { add(0, all_up(plan)); }

void AllHealth::add(std::size_t endpoint, const HealthFacts& facts) {
    const auto& used = plan_.trees.at(0).endpoints;
    if (endpoint == used.size()) {
        add_holds(0, facts);
        return;
    }
    const std::size_t id = config::index(used[endpoint]);
    const Endpoint& it = plan_.endpoints[id];
    add(endpoint + 1, facts);
    HealthFacts other = facts;
    other.orders.resize(plan_.endpoints.size());
    if (!it.probed) {
        other.orders[id].state = health::OrderState::Down;
        add(endpoint + 1, other);
        return;
    }
    const std::size_t slots = it.cname ? 1U : std::size_t{it.v4_count} + it.v6_count;
    for (const health::Health health : {health::Health::Degraded, health::Health::Down}) {
        for (std::size_t s = it.first_slot; s < it.first_slot + slots; ++s) {
            other.slots[s].health = health;
        }
        add(endpoint + 1, other);
    }
}

void AllHealth::add_holds(std::size_t at, const HealthFacts& facts) {
    const auto& routes = plan_.trees.at(0).routes;
    while (at < routes.size() && !routes[at].remembers) {
        ++at;
    }
    if (at == routes.size()) {
        states.push_back(compile_health(plan_, facts));
        return;
    }
    add_holds(at + 1, facts);
    HealthFacts other = facts;
    other.holds.resize(plan_.model->routes.size());
    for (std::uint32_t member = 0; member < routes[at].member_count; ++member) {
        other.holds[config::index(routes[at].route)].member = {member, member, member};
        add_holds(at + 1, other);
    }
}

Conduct::Answer Conduct::of(const Plan& plan, std::uint32_t cls) {
    std::vector<std::uint32_t> all;
    bool hashed = false;
    for (const auto& state : health_.states) {
        for (const Ask ask : {Ask::A, Ask::Aaaa, Ask::Other}) {
            if (ask == Ask::Other && !plan.trees.at(0).has_cname) {
                continue;
            }
            const std::size_t before = all.size();
            for (std::size_t key = 0; key < keys_; ++key) {
                const Client client{ClassId{cls}, base::mix64(key + 1)};
                all.push_back(outcome({plan, *state, SteeredId{0}, client, ask, 7, {}}));
                hashed = hashed || all.back() != all[before];
            }
        }
    }
    const auto at = conducts_.try_emplace(all, static_cast<std::uint32_t>(conducts_.size()));
    return {at.first->second, hashed};
}

std::uint32_t Conduct::outcome(const DecideInput& input) {
    std::map<std::tuple<DecisionKind, std::vector<SlotId>, bool>, double> shares;
    for (const Possible& p : enumerate(input)) {
        shares[{p.kind, p.slots, p.fail_open}] += p.share;
    }
    Outcome key;
    for (const auto& [what, share] : shares) {
        const long rounded = std::lround(share * 1e6);
        if (rounded != 0) {
            key.emplace_back(std::get<0>(what), std::get<1>(what), std::get<2>(what), rounded);
        }
    }
    return outcomes_.try_emplace(key, static_cast<std::uint32_t>(outcomes_.size())).first->second;
}

}  // namespace steerd::policy::testing
