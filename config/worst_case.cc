#include "config/worst_case.h"

#include <algorithm>
#include <map>

#include "config/load.h"

namespace steerd::config {

namespace {

/// Each probe under a route, once.
std::vector<ProbeId> probes_under(const Model& model, RouteId route) {
    std::vector<ProbeId> probes;
    for (const auto id : endpoints_under(model, route)) {
        const auto& own = model.endpoint(id).probes;
        probes.insert(probes.end(), own.begin(), own.end());
    }
    std::sort(probes.begin(), probes.end());
    probes.erase(std::unique(probes.begin(), probes.end()), probes.end());
    return probes;
}

/// With `ttl_min` the TTL counts down from the first failed check on, as far as that.
WorstCase with_probe(const SteerConfig& steer, const health::ProbeSpec& spec) {
    WorstCase worst;
    worst.detect = spec.worst_detection();
    worst.ttl = std::chrono::seconds(steer.ttl_s);
    if (steer.ttl_min_s) {
        const base::Duration least = std::chrono::seconds(*steer.ttl_min_s);
        worst.ttl = std::max(least, worst.ttl - (spec.fall - 1) * spec.longest_step());
    }
    return worst;
}

std::optional<WorstCase> worst_of(const Model& model, const SteerConfig& steer,
                                  const std::vector<ProbeId>& probes) {
    std::optional<WorstCase> worst;
    for (const auto id : probes) {
        const auto one = with_probe(steer, *model.probes[index(id)].spec);
        if (!worst || one.total() > worst->total() ||
            (one.total() == worst->total() && one.detect > worst->detect)) {
            worst = one;
        }
    }
    return worst;
}

}  // namespace

std::optional<WorstCase> worst_case(const Model& model, const SteerConfig& steer) {
    return worst_of(model, steer, probes_under(model, steer.route));
}

std::vector<NamedWorstCase> worst_cases(const Model& model) {
    std::vector<NamedWorstCase> out;
    std::map<std::size_t, std::vector<ProbeId>> known;  // many names share a route
    for (const auto& zone : model.zones) {
        for (const auto& steer : zone.steer) {
            const auto [at, added] = known.try_emplace(index(steer.route));
            if (added) {
                at->second = probes_under(model, steer.route);
            }
            out.push_back({steer.owner, worst_of(model, steer, at->second)});
        }
    }
    return out;
}

}  // namespace steerd::config
