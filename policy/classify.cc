// Orders and walks of one client, made canonical. Thread rule: see classify.h.
#include "policy/classify.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"

namespace steerd::policy {

namespace {

using config::Policy;

void write_walk(const ViewShape& shape, const SlotLayout& slot, const geo::Facts& facts,
                const base::IpPrefix* within, std::span<ClassWord> words) {
    const ShapeRoute& route = shape.routes[slot.route];
    const ShapeMember* const members = shape.members.data() + route.first_member;
    WalkIndex::Members matching;
    route.matches.find(facts, within, matching);
    ClassWord count = 0;
    for (const std::uint32_t i : matching) {
        const std::uint32_t first = route.matches.first_of(i);
        const auto end = words.begin() + 2 + count;
        if (std::find(words.begin() + 2, end, first) == end) {
            words[2U + count++] = first;
        }
        if (members[i].fence) {
            // At the root there is nothing else that a fence could keep the client from.
            words[1] = slot.route == 0 ? 0 : 1;
            break;
        }
    }
    words[0] = count;
}

/// Two neighbours in the order that tie with the same regions on both sides can never be told
/// apart, so they stand by index: equal words then mean equal behaviour and the other way round.
///
/// Regions in `dead` can hold no candidate; they stand behind all others, so that where they would
/// stand tells nobody apart.
void write_order(const ShapeRoute& route, std::span<const double> estimates,
                 const std::vector<bool>& dead, std::span<ClassWord> words) {
    const std::size_t regions = route.regions.size();
    const auto count = static_cast<std::size_t>(std::count(dead.begin(), dead.end(), false));
    const auto estimate = [&](ClassWord i) {
        return route.regions[i] == kNone ? std::numeric_limits<double>::quiet_NaN()
                                         : estimates[route.regions[i]];
    };
    std::vector<ClassWord> order(regions);
    std::iota(order.begin(), order.end(), ClassWord{0});
    const auto alive =
        std::stable_partition(order.begin(), order.end(), [&](ClassWord i) { return !dead[i]; });
    std::stable_sort(order.begin(), alive, [&](ClassWord a, ClassWord b) {
        const double left = estimate(a);
        const double right = estimate(b);
        return std::isnan(right) ? !std::isnan(left) : left < right;
    });
    const auto last_equal = words.subspan(regions, regions);
    std::fill(last_equal.begin(), last_equal.end(), static_cast<ClassWord>(regions - 1));
    std::size_t known = count;
    while (known > 0 && std::isnan(estimate(order[known - 1]))) {
        last_equal[--known] = static_cast<ClassWord>(count - 1);
    }
    for (std::size_t i = 0, last = 0; i < known; ++i) {
        last = std::max(last, i);
        while (last + 1 < known &&
               estimate(order[last + 1]) <= estimate(order[i]) + route.tolerance_ms) {
            ++last;
        }
        last_equal[i] = static_cast<ClassWord>(last);
    }
    // A group: same last_equal, and the same first region that ties with it from before.
    for (std::size_t i = 0, first = 0; i < count;) {
        const auto first_tie = [&](std::size_t rank) {
            std::size_t at = first;
            while (last_equal[at] < rank) {
                ++at;
            }
            return at;
        };
        first = first_tie(i);
        std::size_t end = i + 1;
        while (end < count && last_equal[end] == last_equal[i] && first_tie(end) == first) {
            ++end;
        }
        std::sort(order.begin() + static_cast<std::ptrdiff_t>(i),
                  order.begin() + static_cast<std::ptrdiff_t>(end));
        i = end;
    }
    for (std::size_t rank = 0; rank < regions; ++rank) {
        words[order[rank]] = static_cast<ClassWord>(rank);
    }
}

/// An order for a route that the client cannot reach: valid, and the same for all such clients.
void write_nothing(const ShapeRoute& route, std::span<ClassWord> words) {
    std::fill(words.begin(), words.end(), ClassWord{0});
    if (route.policy == Policy::Latency) {
        const std::size_t count = route.regions.size();
        std::iota(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count), ClassWord{0});
        std::fill(words.begin() + static_cast<std::ptrdiff_t>(count), words.end(),
                  static_cast<ClassWord>(count - 1));
    }
}

/// Regions of a latency route whose endpoints all stand before it in this client's walk.
std::vector<bool> dead_regions(const ViewShape& shape, const SlotLayout& slot,
                               std::span<const ClassWord> words) {
    const ShapeRoute& route = shape.routes[slot.route];
    std::vector<bool> dead(route.regions.size());
    if (slot.walk == kNone) {
        return dead;
    }
    const SlotLayout& geo = shape.slots[slot.walk];
    const ShapeMember* const members = shape.members.data() + shape.routes[geo.route].first_member;
    std::vector<bool> out(shape.endpoints.size());
    for (ClassWord step = 0; step < words[geo.offset]; ++step) {
        const ShapeMember& member = members[words[geo.offset + 2U + step]];
        if (member.is_endpoint) {
            out[member.target] = true;
        } else if (member.target == slot.route) {
            break;
        }
    }
    for (std::size_t region = 0; region < dead.size(); ++region) {
        const std::vector<std::uint32_t>& inside = route.region_endpoints[region];
        dead[region] = std::all_of(inside.begin(), inside.end(),
                                   [&](std::uint32_t endpoint) { return out[endpoint]; });
    }
    return dead;
}

void reach(const ViewShape& shape, std::span<const ClassWord> words, std::uint32_t route,
           std::vector<bool>& reached) {
    if (reached[route]) {
        return;
    }
    reached[route] = true;
    const ShapeRoute& r = shape.routes[route];
    const auto visit = [&](std::uint32_t i) {
        const ShapeMember& member = shape.members[r.first_member + i];
        if (!member.is_endpoint) {
            reach(shape, words, member.target, reached);
        }
    };
    if (r.policy == Policy::Geo) {
        const auto walk = words.subspan(shape.slots[r.view_slot].offset);
        for (ClassWord i = 0; i < walk[0]; ++i) {
            visit(walk[2U + i]);
        }
        return;
    }
    for (std::uint32_t i = 0; i < r.member_count; ++i) {
        visit(i);
    }
}

bool latency_may_tie(const ViewShape& shape, const SlotLayout& slot,
                     std::span<const ClassWord> all_words) {
    const ShapeRoute& route = shape.routes[slot.route];
    if (route.region_shared) {
        return true;
    }
    const auto words = all_words.subspan(slot.offset, slot.size);
    const std::vector<bool> dead = dead_regions(shape, slot, all_words);
    const std::size_t count = route.regions.size();
    std::vector<std::uint32_t> member_at(count, kNone);  // by rank; one for each region
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        for (const ClassWord region : route.member_regions[i]) {
            member_at[words[region]] = dead[region] ? kNone : i;
        }
    }
    const ShapeMember* const members = shape.members.data() + route.first_member;
    for (std::size_t rank = 0; rank < count; ++rank) {
        for (std::size_t other = rank + 1; other <= words[count + rank]; ++other) {
            const std::uint32_t a = member_at[rank];
            const std::uint32_t b = member_at[other];
            if (a != b && a != kNone && b != kNone &&
                (members[a].target != members[b].target ||
                 members[a].is_endpoint != members[b].is_endpoint)) {
                return true;
            }
        }
    }
    return false;
}

/// A hash chooses among those with a weight, or, when none of these is left, among those without.
bool draw_may_choose(const ViewShape& shape, const ShapeRoute& route) {
    std::uint32_t count[2] = {0, 0};
    for (std::uint32_t i = 0; i < route.member_count; ++i) {
        ++count[shape.members[route.first_member + i].weight == 0 ? 1 : 0];
    }
    return count[0] > 1 || count[1] > 1;
}

}  // namespace

Estimates::Estimates(const geo::World& world)
    : estimator_(world), places_(world.place_count()), regions_(world.regions().size()) {}

std::span<const double> Estimates::row(geo::PlaceId place) {
    if (known_.empty()) {
        figures_.resize(places_ * regions_);
        known_.resize(places_);
    }
    const auto index = static_cast<std::size_t>(place);
    const std::span<double> row = std::span(figures_).subspan(index * regions_, regions_);
    if (!known_[index]) {
        known_[index] = true;
        estimator_.estimate(place, row);
    }
    return row;
}

void classify(const ViewShape& shape, Estimates& estimates, const geo::World& world,
              geo::PlaceId place, const base::IpPrefix* within, std::span<ClassWord> words) {
    CHECK(words.size() == shape.words);
    std::fill(words.begin(), words.end(), ClassWord{0});
    for (const SlotLayout& slot : shape.slots) {
        if (shape.routes[slot.route].policy == Policy::Geo) {
            const auto own = words.subspan(slot.offset, slot.size);
            write_walk(shape, slot, world.place(place), within, own);
        }
    }
    const std::vector<bool> reached = reachable_routes(shape, words);
    for (const SlotLayout& slot : shape.slots) {
        const ShapeRoute& route = shape.routes[slot.route];
        const auto own = words.subspan(slot.offset, slot.size);
        if (!reached[slot.route]) {
            write_nothing(route, own);
        } else if (route.policy == Policy::Latency) {
            write_order(route, estimates.row(place), dead_regions(shape, slot, words), own);
        }
    }
}

std::vector<bool> reachable_routes(const ViewShape& shape, std::span<const ClassWord> words) {
    std::vector<bool> reached(shape.routes.size());
    reach(shape, words, 0, reached);
    return reached;
}

bool may_hash(const ViewShape& shape, std::span<const ClassWord> words) {
    const std::vector<bool> reached = reachable_routes(shape, words);
    for (std::size_t i = 0; i < shape.routes.size(); ++i) {
        const ShapeRoute& route = shape.routes[i];
        if (!reached[i]) {
            continue;
        }
        if (route.policy == Policy::Weighted && route.sticky && draw_may_choose(shape, route)) {
            return true;
        }
        if (route.policy == Policy::Latency &&
            latency_may_tie(shape, shape.slots[route.view_slot], words)) {
            return true;
        }
    }
    return false;
}

}  // namespace steerd::policy
