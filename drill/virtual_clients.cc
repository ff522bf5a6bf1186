// Address space is sampled at even distances: 4096 addresses of each place, which give the share of
// any class of clients to a fraction of a per cent however the space is cut up.
#include "drill/virtual_clients.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "config/toml_reader.h"
#include "geo/world.h"
#include "policy/view.h"

namespace steerd::drill {

using base::IpAddress;
using base::IpFamily;
using base::IpPrefix;
using config::index;
using config::Match;

namespace {

constexpr std::uint64_t kSamples = 4096;
/// Where a hash of the client's prefix takes part each sample may be a group of its own; fewer
/// then.
constexpr std::size_t kMostHashed = 512;

/// A block of addresses, counted in IPv4 addresses or IPv6 /48s.
struct Block {
    IpAddress first;
    std::uint64_t size = 1;
};

std::uint64_t v6_site(const IpAddress& address) { return address.v6_high() >> 16U; }

Block block_of(const IpAddress& first, const IpAddress& last) {
    return first.is_v4() ? Block{first, std::uint64_t{last.v4_value()} - first.v4_value() + 1}
                         : Block{first, v6_site(last) - v6_site(first) + 1};
}

Block block_of(const IpPrefix& prefix) {
    const unsigned bits = prefix.address().is_v4() ? 32 : 48;
    const unsigned left = bits - std::min(bits, prefix.length());
    return {prefix.address(), std::uint64_t{1} << left};
}

IpAddress address_at(const Block& block, std::uint64_t offset) {
    if (block.first.is_v4()) {
        return IpAddress::v4(static_cast<std::uint32_t>(block.first.v4_value() + offset));
    }
    std::array<std::uint8_t, 16> octets{};
    const auto from = block.first.octets();
    std::copy(from.begin(), from.end(), octets.begin());
    const std::uint64_t site = v6_site(block.first) + offset;
    for (unsigned i = 0; i < 6; ++i) {
        octets.at(i) = static_cast<std::uint8_t>(site >> (40 - 8 * i));
    }
    return IpAddress::v6(octets);
}

bool fits(const Match& match, const geo::Place& place) {
    switch (match.kind) {
        case Match::Kind::Network:
            return false;
        case Match::Kind::Asn:
            return place.asn == match.asn;
        case Match::Kind::Subdivision:
            return place.subdivision && *place.subdivision == match.code;
        case Match::Kind::Country:
            return place.country && *place.country == match.code;
        case Match::Kind::Continent:
            return place.continent && *place.continent == match.code;
        case Match::Kind::Any:
            return place.known();
    }
    return false;
}

std::vector<Block> blocks_of(const geo::World& world, const Match& match, IpFamily family) {
    std::vector<bool> wanted;
    for (std::size_t i = 0; i < world.place_count(); ++i) {
        wanted.push_back(fits(match, world.place(static_cast<geo::PlaceId>(i))));
    }
    std::vector<Block> blocks;
    world.for_each_range(family,
                         [&](const IpAddress& first, const IpAddress& last, geo::PlaceId place) {
                             // 240.0.0.0/4 is reserved; demand at coordinates stands there.
                             const bool reserved = first.is_v4() && first.v4_value() >> 28U == 15;
                             if (wanted[index(place)] && !reserved) {
                                 blocks.push_back(block_of(first, last));
                             }
                         });
    return blocks;
}

std::vector<IpAddress> spread(const std::vector<Block>& blocks, std::uint64_t most) {
    std::vector<std::uint64_t> ends;
    std::uint64_t total = 0;
    for (const Block& block : blocks) {
        ends.push_back(total += block.size);
    }
    const std::uint64_t count = std::min(most, total);
    std::vector<IpAddress> out;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto at =
            static_cast<std::uint64_t>((static_cast<double>(i) + 0.5) * static_cast<double>(total) /
                                       static_cast<double>(count));
        const auto block = std::upper_bound(ends.begin(), ends.end(), std::min(at, total - 1));
        const Block& in = blocks[static_cast<std::size_t>(block - ends.begin())];
        out.push_back(address_at(in, std::min(at, total - 1) - (*block - in.size)));
    }
    return out;
}

IpPrefix whole(const IpAddress& address) { return {address, base::bits_of(address.family())}; }

class Finder {
  public:
    Finder(const Scenario& scenario, policy::SteeredId steered,
           std::span<const std::shared_ptr<const policy::Plan>> plans, base::Problems& problems)
        : scenario_(scenario), steered_(steered), plans_(plans), problems_(problems) {
        for (const auto& endpoint : plans_[0]->model->endpoints) {
            std::optional<std::size_t> region;
            if (endpoint.region) {
                region = plans_[0]->world->region_index(
                    plans_[0]->model->regions[index(*endpoint.region)].name);
            }
            regions_.push_back(region);
        }
    }

    Clients run() {
        for (std::size_t i = 0; i < scenario_.demands.size(); ++i) {
            const std::vector<Block> blocks = space_of(i);
            auto groups = grouped(spread(blocks, kSamples));
            if (groups.size() > kMostHashed) {
                groups = grouped(spread(blocks, kMostHashed));
            }
            double samples = 0;
            for (const auto& [key, members] : groups) {
                samples += static_cast<double>(members.size());
            }
            for (const auto& [key, members] : groups) {
                DemandCell cell;
                cell.demand = static_cast<std::uint32_t>(i);
                cell.timeline = group(key, members.front());
                cell.share = static_cast<double>(members.size()) / samples;
                cell.place = scenario_.demands[i].label;
                out_.cells.push_back(std::move(cell));
                out_.rtt_ms.push_back(rtts(members));
            }
        }
        return std::move(out_);
    }

  private:
    /// For each plan: class, and the hash key where a hash takes part.
    using Key = std::vector<std::pair<std::uint32_t, std::uint64_t>>;
    using Groups = std::map<Key, std::vector<IpAddress>>;

    std::vector<Block> space_of(std::size_t i) {
        const ScenarioDemand& demand = scenario_.demands[i];
        if (demand.location) {
            return {block_of(location_prefix(i))};
        }
        if (!demand.place) {
            return {Block{}};
        }
        if (demand.place->kind == Match::Kind::Network) {
            return {block_of(demand.place->prefix)};
        }
        const auto& world = *plans_[0]->world;
        const auto family = scenario_.type == AskedType::A ? IpFamily::V4 : IpFamily::V6;
        auto blocks = blocks_of(world, *demand.place, family);
        if (blocks.empty() && family == IpFamily::V6) {
            blocks = blocks_of(world, *demand.place, IpFamily::V4);
        }
        if (blocks.empty()) {
            const auto& plan = *plans_[0];
            if (plan.trees[index(plan.steered[index(steered_)].tree)].view != policy::kNone) {
                problems_.error(demand.pos,
                                fmt::format("the geo data knows no addresses of {}; say a network "
                                            "or a location",
                                            demand.place->text()));
            }
            return {Block{}};
        }
        return blocks;
    }

    Groups grouped(const std::vector<IpAddress>& addresses) const {
        Groups groups;
        for (const IpAddress& address : addresses) {
            Key key;
            for (const auto& plan : plans_) {
                const auto who = client_of(*plan, steered_, whole(address));
                const auto view = plan->trees[index(plan->steered[index(steered_)].tree)].view;
                const bool hashed = view != policy::kNone && plan->views[view]->hashed(who.cls);
                key.emplace_back(index(who.cls), hashed ? who.hash_key : 0);
            }
            groups[key].push_back(address);
        }
        return groups;
    }

    std::uint32_t group(const Key& key, const IpAddress& member) {
        const auto [known, added] =
            numbers_.emplace(key, static_cast<std::uint32_t>(out_.groups.size()));
        if (added) {
            ClientGroup made;
            made.client = whole(member);
            for (const auto& plan : plans_) {
                made.who.push_back(client_of(*plan, steered_, made.client));
            }
            out_.groups.push_back(std::move(made));
        }
        return known->second;
    }

    std::vector<double> rtts(const std::vector<IpAddress>& members) const {
        const auto& world = *plans_[0]->world;
        std::map<geo::PlaceId, double> places;
        for (const IpAddress& member : members) {
            places[world.locate(base::normalised(whole(member)).prefix)] += 1;
        }
        std::vector<double> out;
        for (const auto& region : regions_) {
            double sum = 0;
            double known = 0;
            for (const auto& [place, weight] : places) {
                const auto estimate = region ? world.estimate(place, *region) : geo::Estimate{};
                sum += estimate.known() ? estimate.rtt_ms * weight : 0;
                known += estimate.known() ? weight : 0;
            }
            out.push_back(known > 0 ? sum / known : -1);
        }
        return out;
    }

    const Scenario& scenario_;
    policy::SteeredId steered_;
    std::span<const std::shared_ptr<const policy::Plan>> plans_;
    base::Problems& problems_;
    std::vector<std::optional<std::size_t>> regions_;  // by EndpointId, in the world
    std::map<Key, std::uint32_t> numbers_;
    Clients out_;
};

}  // namespace

policy::Client client_of(const policy::Plan& plan, policy::SteeredId steered,
                         const base::IpPrefix& prefix) {
    const auto view = plan.trees[index(plan.steered[index(steered)].tree)].view;
    if (view == policy::kNone) {
        return {};
    }
    return {plan.views[view]->lookup_given(prefix).id, policy::hash_key(prefix)};
}

Clients find_clients(const Scenario& scenario, policy::SteeredId steered,
                     std::span<const std::shared_ptr<const policy::Plan>> plans,
                     base::Problems& problems) {
    return Finder(scenario, steered, plans, problems).run();
}

}  // namespace steerd::drill
