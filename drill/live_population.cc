// Who is sampled, and where time 0 finds them. The loop is in live_population_run.cc.
#include "drill/live_population.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cmath>

#include "drill/cache_client.h"
#include "drill/closed_form.h"
#include "drill/complete.h"

namespace steerd::drill {

using config::index;

namespace {

constexpr std::size_t kLeastOfStrand = 4;
constexpr std::size_t kMostRenewals = 2000;  // of a cache's past before time 0
constexpr double kMostSamples = 2e6;
constexpr double kMostMonitorOfPlace = 50;  // a second
constexpr std::size_t kBatch = 64;
constexpr base::Duration kWarmUpLimit = std::chrono::seconds(15);
constexpr base::Duration kWarmUpRetry = std::chrono::seconds(2);

struct NoSink {
    void run(double, double, std::uint32_t) noexcept {}
};

}  // namespace

LivePopulation::LivePopulation(const Scenario& scenario, const Bound& bound, LiveWorld& world,
                               const Clients& clients, const Timeline& skeleton)
    : scenario_(scenario),
      bound_(bound),
      world_(world),
      clients_(clients),
      demands_(demands_of(scenario)),
      sampler_(skeleton, scenario.population, demands_, scenario.seed),
      asker_(world.client(), world.server()) {
    for (const DemandSpec& demand : demands_) {
        resolvers_ += static_cast<double>(demand.resolvers);
    }
    sample_caches();
    plan_monitor(std::chrono::duration<double>(scenario.duration).count());
}

/// The streams that the virtual drill would lead, thinned out evenly; each stands for more.
void LivePopulation::sample_caches() {
    double demand = 0;
    for (const Strand& strand : sampler_.strands()) {
        demand += strand.qps_each * static_cast<double>(strand.streams);
    }
    const std::uint32_t ttl_s = bound_.plan->steered[index(bound_.steered)].ttl_s;
    double most = std::min(static_cast<double>(kMostLiveCaches), resolvers_);
    while (true) {
        caches_.clear();
        double queries = 0;
        for (std::size_t s = 0; s < sampler_.strands().size(); ++s) {
            const Strand& strand = sampler_.strands()[s];
            const auto streams = static_cast<double>(strand.streams);
            const double share = strand.qps_each * streams / demand;
            const auto count =
                std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::llround(most * share)),
                                          kLeastOfStrand, strand.streams);
            const double stride = streams / static_cast<double>(count);
            base::Rng rng(base::mix64(strand.key + 1));
            for (std::uint64_t i = 0; i < count; ++i) {
                const auto picked =
                    static_cast<std::uint64_t>((static_cast<double>(i) + rng.unit()) * stride);
                const std::uint64_t number = std::min(picked, strand.streams - 1);
                LiveCache cache;
                cache.strand = s;
                cache.sampled = sampler_.at(s, number);
                cache.sampled.stands_for.rate *= stride;
                cache.sampled.stands_for.caches *= stride;
                cache.model = &scenario_.population.classes[strand.resolver_class].model;
                cache.group = clients_.cells[cache.sampled.cell].timeline;
                cache.client = base::Rng(sampler_.key(s, number));
                queries += upstream_rate(renewal_of_cache(*cache.model, ttl_s, cache.sampled.rate));
                caches_.push_back(std::move(cache));
            }
        }
        if (queries <= kMostLiveQueries || most < 1) {
            break;
        }
        most /= 2;
    }
    waiting_.resize(caches_.size());
}

void LivePopulation::plan_monitor(double duration) {
    std::vector<bool> used(clients_.groups.size());
    for (const LiveCache& cache : caches_) {
        used[cache.group] = true;
    }
    for (std::uint32_t group = 0; group < used.size(); ++group) {
        if (used[group]) {
            monitored_.push_back(group);
        }
    }
    const auto groups = static_cast<double>(std::max<std::size_t>(1, monitored_.size()));
    monitor_gap_s_ = std::max(
        {1 / kMostMonitorOfPlace, groups / kMostMonitorQueries, groups * duration / kMostSamples});
}

std::optional<std::string> LivePopulation::warm_up(const std::function<bool()>& cancelled) {
    if (!asker_.good()) {
        return "no socket for the clients of the drill";
    }
    const base::Mono began = clock_.now().mono;
    base::Mono again = began;
    std::vector<std::optional<LiveReply>> replies(caches_.size());
    std::size_t left = caches_.size();
    while (left > 0) {
        const base::Mono at = clock_.now().mono;
        if (at - began > kWarmUpLimit) {
            return fmt::format("the server did not answer {} of {} first questions", left,
                               caches_.size());
        }
        if (cancelled && cancelled()) {
            return "interrupted";
        }
        const auto receive = [&] {
            asker_.receive([&](std::uint32_t who, const LiveReply& reply) {
                if (who < replies.size() && !replies[who]) {
                    replies[who] = reply;
                    --left;
                }
            });
        };
        for (std::uint32_t i = 0; at >= again && i < caches_.size(); ++i) {
            if (!replies[i]) {
                asker_.ask(i, bound_.name, clients_.groups[caches_[i].group].client);
            }
            if (i % kBatch == kBatch - 1) {
                receive();
            }
        }
        again = at >= again ? at + kWarmUpRetry : again;
        pollfd polled{asker_.fd(), POLLIN, 0};
        ::poll(&polled, 1, 5);
        receive();
        world_.tick();
    }
    Timeline first;
    first.duration = scenario_.duration;
    for (const ClientGroup& group : clients_.groups) {
        (void)group;
        first.classes.push_back({{Piece{base::Mono{}, {Offer{}}}}});
    }
    for (std::uint32_t i = 0; i < caches_.size(); ++i) {
        LiveRecord& record = caches_[i].record;
        record.answer = replies[i]->failed ? kLookupFailed : answer_id(*replies[i]);
        first.classes[caches_[i].group].pieces[0].offers[0].ttl_s = replies[i]->ttl_s;
        first.answers = answers_;
        record.life = replies[i]->failed ? Lifetime{}
                                         : lifetime_of(*caches_[i].model, replies[i]->ttl_s,
                                                       answers_[record.answer].negative);
        record.fetches.push_back({0, record.answer, replies[i]->ttl_s});  // the kind of its past
    }
    first_ = flatten(first);
    for (std::uint32_t i = 0; i < caches_.size(); ++i) {
        settle(caches_[i], waiting_[i], i);
    }
    return std::nullopt;
}

/// Stationary when its record begins, renewed from there to time 0 with the one answer there was.
void LivePopulation::settle(LiveCache& cache, Waiting& waiting, std::uint32_t number) {
    const LiveFetch past = cache.record.fetches.front();
    cache.record.fetches.clear();
    LiveRecord& record = cache.record;
    const double gap_s = 1 / cache.sampled.rate;
    waiting.rng = base::Rng(base::mix64(sampler_.key(cache.strand, number) + 1));
    if (record.life.base_s <= 0) {
        plan(number, exponential(waiting.rng.next()) * gap_s);
        return;
    }
    if (cache.model->client.present()) {
        NoSink sink;
        StubClient<NoSink> client(first_, *cache.model, sink);
        base::Rng rng = cache.client;
        record.start = client.begin(first_.classes[cache.group], rng, 0);
    }
    record.start = std::max(record.start, -record.life.base_s * double{kMostRenewals});
    const Stationary state = StationaryLaw(record.life, gap_s).at(record.start, waiting.rng);
    record.held = state.held;
    double next = state.next_query;
    Held held = state.held;
    while (next < 0) {
        record.fetches.push_back({next, past.answer, past.ttl_s});
        held = hold_from(record.life, next, std::min(held.second, next));
        next = held.fresh_until + exponential(waiting.rng.next()) * gap_s;
    }
    plan(number, next);
}

std::uint32_t LivePopulation::answer_id(const LiveReply& reply) {
    Answer answer;
    for (const auto& address : reply.addresses) {
        const auto known = owners_.find(address);
        const auto owner = known != owners_.end() ? known->second : [&] {
            const auto found = world_.endpoint_at(address);
            return found ? owners_.emplace(address, *found).first->second
                         : static_cast<policy::EndpointId>(policy::kNone);
        }();
        if (index(owner) != policy::kNone) {
            answer.endpoints.push_back(owner);
        }
    }
    auto& endpoints = answer.endpoints;
    std::sort(endpoints.begin(), endpoints.end());
    endpoints.erase(std::unique(endpoints.begin(), endpoints.end()), endpoints.end());
    answer.negative = endpoints.empty();
    const auto id = static_cast<std::uint32_t>(answers_.size());
    const auto [known, added] = answer_ids_.emplace(std::pair{endpoints, answer.negative}, id);
    if (added) {
        answers_.push_back(std::move(answer));
    }
    return known->second;
}

}  // namespace steerd::drill
