// The curve of an event by formula alone: each cell of demand is on the target until its answer
// changes, and then as its caches let go. Only where the formula holds; else nothing is returned.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "drill/closed_form.h"

namespace steerd::drill {

namespace {

constexpr std::size_t kRateSteps = 64;

double to_s(base::Mono at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

/// Query rates of one demand's resolvers, each standing for the same share of it.
std::vector<double> rates_of(const DemandSpec& demand) {
    if (demand.zipf == 0) {
        return {demand.qps / static_cast<double>(demand.resolvers)};
    }
    std::vector<double> cumulative;
    double sum = 0;
    for (std::uint64_t rank = 1; rank <= demand.resolvers; ++rank) {
        sum += std::pow(static_cast<double>(rank), -demand.zipf);
        cumulative.push_back(sum);
    }
    std::vector<double> rates;
    for (std::size_t k = 0; k < kRateSteps; ++k) {
        const double wanted = sum * (static_cast<double>(k) + 0.5) / double{kRateSteps};
        const auto rank = std::lower_bound(cumulative.begin(), cumulative.end(), wanted);
        const auto number = static_cast<double>(rank - cumulative.begin() + 1);
        rates.push_back(demand.qps * std::pow(number, -demand.zipf) / sum);
    }
    return rates;
}

struct PieceView {
    double on = 0;  // the share of its clients that go to the target
    double ttl_s = 0;
    bool plain = true;  // one TTL, no countdown
};

PieceView view_of(const Timeline& timeline, const Piece& piece,
                  const std::set<policy::EndpointId>& targets) {
    PieceView view;
    view.ttl_s = piece.offers.front().ttl_s;
    double before = 0;
    for (const Offer& offer : piece.offers) {
        const Answer& answer = timeline.answers[offer.answer];
        const double share = offer.cumulative - before;
        before = offer.cumulative;
        const auto hit = std::count_if(answer.endpoints.begin(), answer.endpoints.end(),
                                       [&](policy::EndpointId id) { return targets.contains(id); });
        if (hit > 0) {
            view.on +=
                share * static_cast<double>(hit) / static_cast<double>(answer.endpoints.size());
        }
        view.plain = view.plain && offer.ttl_s == piece.offers.front().ttl_s &&
                     offer.countdown_until == base::kNever && !answer.negative && !answer.servfail;
    }
    return view;
}

/// What happens to one cell: on the target with this share until it leaves, holding this TTL.
struct Leaving {
    double on = 0;
    double at_s = 0;
    double ttl_s = 0;
};

std::optional<Leaving> leaving_of(const Timeline& timeline, const ClassTimeline& line,
                                  const EventTimes& event) {
    const std::set<policy::EndpointId> targets(event.endpoints.begin(), event.endpoints.end());
    const base::Mono end = std::min(event.ends, base::Mono{timeline.duration});
    Leaving leaving;
    leaving.at_s = to_s(end);
    bool left = false;
    for (std::size_t i = 0; i < line.pieces.size() && line.pieces[i].from < end; ++i) {
        const PieceView view = view_of(timeline, line.pieces[i], targets);
        if (i == 0) {
            leaving.on = view.on;
            leaving.ttl_s = view.ttl_s;
            left = view.on <= 0;
        }
        if (!left && view.on <= 0 && line.pieces[i].from >= event.at) {
            left = true;
            leaving.at_s = to_s(line.pieces[i].from);
        }
        const bool same = view.plain && view.ttl_s == leaving.ttl_s;
        if (left ? view.on > 0 : (!same || std::abs(view.on - leaving.on) > 1e-9)) {
            return std::nullopt;
        }
    }
    return leaving;
}

double class_old_share(const CacheModel& model, double ttl_s, double rate, double t_s) {
    const Renewal cache = renewal_of(model, ttl_s, rate);
    return model.client.present() ? stub_old_share(cache, model.client.add_s, t_s)
                                  : old_share(cache, t_s);
}

bool formula_knows(const Population& population) {
    return std::all_of(
        population.classes.begin(), population.classes.end(), [](const ResolverClass& one) {
            const ClientModel& client = one.model.client;
            return !client.present() || (client.factor == 0 && client.add_s >= client.least_s &&
                                         client.grace_s == 0 && client.restart_s == 0);
        });
}

}  // namespace

std::vector<CurvePoint> closed_form_curve(const Timeline& timeline, const Population& population,
                                          std::span<const DemandSpec> demands,
                                          const EventTimes& event,
                                          std::span<const double> times_s) {
    if (!event.takes_out || event.endpoints.empty() || !timeline.authority.empty() ||
        event.switched == base::kNever || !formula_knows(population)) {
        return {};
    }
    double all = 0;
    for (const DemandSpec& demand : demands) {
        all += demand.qps;
    }
    // Cells that leave together with the same TTL are one: shares by demand, moment and TTL.
    std::map<std::tuple<std::uint32_t, double, double>, double> groups;
    for (const DemandCell& cell : timeline.cells) {
        const auto leaving = leaving_of(timeline, timeline.classes[cell.timeline], event);
        if (!leaving) {
            return {};
        }
        if (leaving->on > 0) {
            groups[{cell.demand, leaving->at_s, leaving->ttl_s}] +=
                leaving->on * cell.share * demands[cell.demand].qps / all;
        }
    }
    const double from = to_s(event.at);
    const double until = to_s(std::min(event.ends, base::Mono{timeline.duration}));
    std::vector<CurvePoint> curve;
    for (const double t : times_s) {
        if (t >= from && t < until) {
            curve.emplace_back().t_s = t;
        }
    }
    for (const auto& [key, share] : groups) {
        const auto& [demand, left_at, ttl_s] = key;
        const std::vector<double> rates = rates_of(demands[demand]);
        for (CurvePoint& point : curve) {
            if (point.t_s < left_at) {
                point.clients_on_dead += share;
                continue;
            }
            double still = 0;
            for (const ResolverClass& one : population.classes) {
                for (const double rate : rates) {
                    still += one.share *
                             class_old_share(one.model, ttl_s, rate, point.t_s - left_at) /
                             static_cast<double>(rates.size());
                }
            }
            point.clients_on_dead += share * still;
        }
    }
    return curve;
}

}  // namespace steerd::drill
