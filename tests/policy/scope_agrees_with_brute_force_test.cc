// The scope held against brute force over random configurations: a naive classifier without
// canonical orders, merging or tables, and enumerate() as the judge of who decides alike. Every
// address inside the scope decides alike under every health; one bit wider would not, but where a
// hash of the prefix takes part. STEERD_SCOPE_CONFIGS and STEERD_SCOPE_SEED choose how many and
// which.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "base/rng.h"
#include "naive_judge.h"
#include "policy/trie.h"
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
        const RandomConfig config = random_config(rng.next());
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
