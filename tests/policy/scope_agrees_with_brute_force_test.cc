// The scope held against brute force over random configurations: a naive classifier without
// canonical orders, merging or tables, and enumerate() as the judge of who decides alike. Every
// address inside the scope decides alike under every health; one bit wider would not, but where a
// hash of the prefix takes part. STEERD_SCOPE_CONFIGS and STEERD_SCOPE_SEED choose how many and
// which.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "policy/decide.h"
#include "policy/view_impl.h"
#include "random_configs.h"

namespace steerd::policy::testing {
namespace {

/// Prefixes tried for what a hash chooses: a few tell nearly always; where they leave a doubt,
/// many.
constexpr std::size_t kFewKeys = 8;
constexpr std::size_t kManyKeys = 300;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Addresses of both families in the space of IPv6, IPv4 as the client would be seen
/// (::ffff:0:0/96) and again in 6to4, so that one list of ranges says all.
constexpr Key6 kMapped = static_cast<Key6>(0xFFFF) << 32;
constexpr Key6 k6to4 = static_cast<Key6>(0x2002) << 112;

/// The classes of the naive judge: one for each distinct client, with plain orders.
class NaiveView {
  public:
    NaiveView(const Built& built) : built_(built), tree_(built.plan->trees.at(0)) {
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

    std::uint32_t class_of(const base::IpPrefix& client) {
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

    /// A plan that decides by these classes; no more can be added.
    Plan plan() {
        Plan plan = *built_.plan;
        plan.views.at(tree_.view) = std::make_shared<const View>(std::move(impl_));
        return plan;
    }

    [[nodiscard]] std::size_t size() const { return ids_.size(); }

  private:
    void order(const TreeRoute& route, geo::PlaceId place, std::vector<std::uint16_t>& words) {
        std::vector<std::pair<double, std::uint16_t>> list;
        for (std::uint16_t i = 0; i < route.regions.size(); ++i) {
            const std::string& name =
                built_.input.model->regions[config::index(route.regions[i])].name;
            const auto estimate =
                built_.input.world->estimate(place, *built_.input.world->region_index(name));
            list.emplace_back(estimate.known() ? estimate.rtt_ms : HUGE_VAL, i);
        }
        std::sort(list.begin(), list.end());
        const double tolerance = std::chrono::duration<double, std::milli>(
                                     built_.input.model->route(route.route).tolerance)
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

    void walk(const TreeRoute& route, geo::PlaceId id, const base::IpPrefix& client,
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
            } else if (place.continent &&
                       text == "continent:" + std::string(place.continent->view())) {
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

    const Built& built_;
    const Tree& tree_;
    std::unique_ptr<View::Impl> impl_;
    std::map<std::vector<std::uint16_t>, std::uint32_t> ids_;
};

/// All health that there is: each endpoint up, degraded or down, each hold on each member.
class AllHealth {
  public:
    explicit AllHealth(const Plan& plan) : plan_(plan) { add(0, all_up(plan)); }

    std::vector<std::shared_ptr<const HealthState>> states;

  private:
    void add(std::size_t endpoint, const HealthFacts& facts) {
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

    void add_holds(std::size_t at, const HealthFacts& facts) {
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

    const Plan& plan_;
};

/// How a class decides: one number for each distinct conduct under all health and hashes.
class Conduct {
  public:
    Conduct(const AllHealth& health, std::size_t keys) : health_(health), keys_(keys) {}

    struct Answer {
        std::uint32_t id = 0;
        bool hashed = false;
    };

    Answer of(const Plan& plan, std::uint32_t cls) {
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

  private:
    std::uint32_t outcome(const DecideInput& input) {
        std::map<std::tuple<DecisionKind, std::vector<SlotId>, bool>, double> shares;
        for (const Possible& p : enumerate(input)) {
            shares[{p.kind, p.slots, p.fail_open}] += p.share;
        }
        std::vector<std::tuple<DecisionKind, std::vector<SlotId>, bool, long>> key;
        for (const auto& [what, share] : shares) {
            const long rounded = std::lround(share * 1e6);
            if (rounded != 0) {
                key.emplace_back(std::get<0>(what), std::get<1>(what), std::get<2>(what), rounded);
            }
        }
        return outcomes_.try_emplace(key, static_cast<std::uint32_t>(outcomes_.size()))
            .first->second;
    }

    const AllHealth& health_;
    std::size_t keys_;
    std::map<std::vector<std::tuple<DecisionKind, std::vector<SlotId>, bool, long>>, std::uint32_t>
        outcomes_;
    std::map<std::vector<std::uint32_t>, std::uint32_t> conducts_;
};

/// Ranges of one space, each with a class of the naive view.
struct Ranges {
    std::map<Key6, std::uint32_t> starts;

    [[nodiscard]] std::uint32_t at(Key6 key) const {
        return std::prev(starts.upper_bound(key))->second;
    }
};

struct Spaces {
    Ranges v4;  // keys are IPv4 addresses
    Ranges v6;  // with IPv4 inside at its two places
};

base::IpAddress address_of(Key6 key, bool v4) {
    if (v4) {
        return base::IpAddress::v4(static_cast<std::uint32_t>(key));
    }
    std::array<std::uint8_t, 16> octets{};
    for (std::size_t i = 0; i < 16; ++i) {
        octets[i] = static_cast<std::uint8_t>(key >> (120 - 8 * i));
    }
    return base::IpAddress::v6(octets);
}

Key6 key_of_any(const base::IpAddress& address) {
    return address.is_v4() ? key_of<Key4>(address) : key_of<Key6>(address);
}

Ranges ranges_of(const Built& built, NaiveView& naive, bool v4) {
    const unsigned bits = v4 ? 32 : 128;
    const auto family = v4 ? base::IpFamily::V4 : base::IpFamily::V6;
    std::set<Key6> borders;
    built.input.world->for_each_range(
        family, [&](const base::IpAddress& first, const base::IpAddress&, geo::PlaceId) {
            borders.insert(key_of_any(first));
        });
    for (const config::RouteConfig& route : built.input.model->routes) {
        for (const config::MemberConfig& member : route.members) {
            const base::IpPrefix& prefix = member.match.prefix;
            if (member.match.kind != config::Match::Kind::Network ||
                prefix.address().family() != family || prefix.length() == 0) {
                continue;
            }
            const Key6 first = key_of_any(prefix.address());
            borders.insert(first);
            const Key6 behind = first + (static_cast<Key6>(1) << (bits - prefix.length()));
            if (behind != (v4 ? static_cast<Key6>(1) << 32 : 0)) {
                borders.insert(behind);
            }
        }
    }
    Ranges out;
    for (const Key6 border : borders) {
        out.starts[border] = naive.class_of(base::IpPrefix(address_of(border, v4), bits));
    }
    return out;
}

void embed(const Ranges& v4, Key6 base, unsigned shift, Ranges& v6) {
    const Key6 behind = base + (static_cast<Key6>(1) << (32 + shift));
    const std::uint32_t after = v6.at(behind);
    v6.starts.erase(v6.starts.lower_bound(base), v6.starts.lower_bound(behind));
    for (const auto& [start, value] : v4.starts) {
        v6.starts[base + (start << shift)] = value;
    }
    v6.starts.try_emplace(behind, after);
}

/// Length of the widest prefix around `key` whose addresses all conduct themselves alike.
unsigned depth_of(const Ranges& ranges, const std::vector<Conduct::Answer>& conduct, Key6 key,
                  unsigned bits) {
    const std::uint32_t own = conduct[ranges.at(key)].id;
    for (unsigned depth = 0; depth < bits; ++depth) {
        const unsigned host = bits - depth;
        const Key6 mask = host == 128 ? ~Key6{0} : (static_cast<Key6>(1) << host) - 1;
        const Key6 first = key & ~mask;
        bool same = conduct[ranges.at(first)].id == own;
        for (auto at = ranges.starts.upper_bound(first);
             same && at != ranges.starts.end() && at->first <= (first | mask); ++at) {
            same = conduct[at->second].id == own;
        }
        if (same) {
            return depth;
        }
    }
    return bits;
}

/// Clients that sit at and around every border, with lengths of all kinds.
std::vector<base::IpPrefix> clients_for(const Spaces& spaces, base::Rng& rng) {
    std::vector<base::IpPrefix> out;
    const auto add = [&](const Ranges& ranges, bool v4) {
        std::vector<Key6> keys;
        for (const auto& [start, value] : ranges.starts) {
            keys.push_back(start);
            keys.push_back(start == 0 ? 0 : start - 1);
        }
        for (int i = 0; i < 14; ++i) {
            Key6 key = keys[rng.below(keys.size())];
            key ^= rng.below(4) == 0 ? static_cast<Key6>(rng.next() & 0xFFFF) : 0;
            const unsigned bits = v4 ? 32 : 128;
            const auto length =
                rng.below(3) == 0 ? bits : static_cast<unsigned>(rng.below(bits + 1));
            out.emplace_back(address_of(key, v4), length);
        }
    };
    add(spaces.v4, true);
    add(spaces.v6, false);
    return out;
}

class OneConfig {
  public:
    OneConfig(const Built& built, base::Rng rng, std::size_t keys)
        : built_(built),
          naive_(built),
          health_(*built.plan),
          conduct_(health_, takes_hashes() ? keys : 1) {
        spaces_.v4 = ranges_of(built, naive_, true);
        spaces_.v6 = ranges_of(built, naive_, false);
        embed(spaces_.v4, kMapped, 0, spaces_.v6);
        embed(spaces_.v4, k6to4, 80, spaces_.v6);
        clients_ = clients_for(spaces_, rng);
        for (const base::IpPrefix& client : clients_) {
            short_class_.push_back(naive_.class_of(base::normalised(client).prefix));
        }
        const std::size_t classes = naive_.size();
        const Plan naive_plan = naive_.plan();
        for (std::uint32_t i = 0; i < classes; ++i) {
            naive_conduct_.push_back(conduct_.of(naive_plan, i));
        }
    }

    /// What is wrong; empty when nothing is.
    std::string check() {
        const View& view = built_.view();
        std::vector<std::optional<Conduct::Answer>> real(view.class_count());
        std::string wrong;
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            const ClassHit hit = view.lookup_given(clients_[i]);
            auto& own = real.at(config::index(hit.id));
            if (!own) {
                own = conduct_.of(*built_.plan, static_cast<std::uint32_t>(hit.id));
                if (view.hashed(hit.id) != own->hashed) {
                    wrong += clients_[i].text() + ": a hash of the prefix takes part " +
                             (own->hashed ? "unnoticed\n" : "nowhere\n");
                }
            }
            wrong += check_client(i, hit, *own);
        }
        return wrong;
    }

  private:
    [[nodiscard]] bool takes_hashes() const {
        const Tree& tree = built_.plan->trees.at(0);
        return std::any_of(tree.routes.begin(), tree.routes.end(), [](const TreeRoute& route) {
            return route.policy == config::Policy::Latency || route.sticky;
        });
    }

    [[nodiscard]] std::string check_client(std::size_t i, const ClassHit& hit,
                                           const Conduct::Answer& own) const {
        const base::IpPrefix& client = clients_[i];
        const bool v4 = client.address().is_v4();
        const Ranges& ranges = v4 ? spaces_.v4 : spaces_.v6;
        const Key6 key = key_of_any(client.address());
        const unsigned depth = depth_of(ranges, naive_conduct_, key, v4 ? 32 : 128);
        const Conduct::Answer& expected =
            naive_conduct_[depth <= client.length() ? ranges.at(key) : short_class_[i]];
        const base::NormalisedPrefix inner = base::normalised(client);
        const unsigned least = (inner.prefix.address().is_v4() ? 24U : 56U) + inner.offset;
        const unsigned scope = expected.hashed ? std::max(depth, least) : depth;
        std::string wrong;
        if (own.id != expected.id) {
            wrong += client.text() + " decides otherwise\n";
        }
        if (hit.scope != scope) {
            wrong += client.text() + ": scope " + std::to_string(hit.scope) + ", not " +
                     std::to_string(scope) + "\n";
        }
        return wrong;
    }

    const Built& built_;
    NaiveView naive_;
    AllHealth health_;
    Conduct conduct_;
    Spaces spaces_;
    std::vector<base::IpPrefix> clients_;
    std::vector<std::uint32_t> short_class_;
    std::vector<Conduct::Answer> naive_conduct_;
};

std::optional<Built> load(const RandomConfig& config) {
    const config::Loaded loaded = config::load_text(config.toml, "steerd.toml");
    if (!loaded.model || loaded.problems.has_errors()) {
        return std::nullopt;  // broke a rule of §3
    }
    Built built = prepare(config.toml, "", config.world);
    built.compile();
    return built;
}

TEST(Scope, IsTheWidestPrefixThatDecidesAlikeUnderEveryHealth) {
    const std::uint64_t wanted = from_environment("STEERD_SCOPE_CONFIGS", 1000);
    const std::uint64_t seed = from_environment("STEERD_SCOPE_SEED", 1);
    std::uint64_t checked = 0;
    std::uint64_t with_classes = 0;
    for (std::uint64_t i = 0; checked < wanted; ++i) {
        base::Rng rng(seed * 1'000'003 + i);
        const RandomConfig config = ConfigMaker(rng.next()).make();
        const std::optional<Built> built = load(config);
        if (!built || built->plan->trees.at(0).view == kNone) {
            continue;
        }
        ++checked;
        with_classes += built->view().class_count() > 1 ? 1 : 0;
        if (OneConfig(*built, rng, kFewKeys).check().empty()) {
            continue;
        }
        const std::string wrong = OneConfig(*built, rng, kManyKeys).check();
        ASSERT_EQ(wrong, "") << "configuration " << i << ":\n"
                             << config.toml << "latency:\n"
                             << config.world.latency << "geoip:\n"
                             << config.world.geoip << config.world.geoip6;
    }
    EXPECT_GT(with_classes, wanted / 2);
}

}  // namespace
}  // namespace steerd::policy::testing
