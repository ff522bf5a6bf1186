// Streams in chunks of fixed size, taken by whichever thread is free. Integer sums make the order
// of chunks and the number of threads invisible.
#include "drill/engine.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "drill/cache_client.h"
#include "drill/cache_stream.h"
#include "drill/closed_form.h"
#include "drill/engine_sample.h"
#include "drill/measure.h"

namespace steerd::drill {

namespace {

constexpr std::uint64_t kChunk = 4096;

struct Chunk {
    std::size_t strand = 0;
    std::uint64_t first = 0, last = 0;
};

/// Fetches by the formula, kept while neighbours have the same rate and TTL.
struct LastFormula {
    double ttl_s = 0, rate = -1, fetches = 0;

    double fetches_of(const CacheModel& model, double ttl, double queries) {
        if (ttl != ttl_s || queries != rate) {
            ttl_s = ttl;
            rate = queries;
            fetches = upstream_rate(renewal_of_cache(model, ttl, queries));
        }
        return fetches;
    }
};

class Engine {
  public:
    Engine(const Timeline& timeline, const Population& population,
           std::span<const DemandSpec> demands, const EngineOptions& options)
        : timeline_(timeline),
          options_(options),
          population_(population),
          sampler_(timeline, population, demands, options.seed),
          flat_(flatten(timeline)),
          plan_(plan_measure(timeline, sampler_.class_names(), options)) {
        for (std::size_t s = 0; s < sampler_.strands().size(); ++s) {
            const std::uint64_t streams = sampler_.strands()[s].streams;
            for (std::uint64_t first = 0; first < streams; first += kChunk) {
                chunks_.push_back(Chunk{s, first, std::min(first + kChunk, streams)});
            }
        }
    }

    Results run() {
        std::vector<Measure> counts;
        const std::size_t threads = std::max(1U, options_.threads);
        counts.reserve(threads);  // each thread keeps a reference
        for (std::size_t i = 0; i < threads; ++i) {
            counts.emplace_back(plan_);
        }
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < threads; ++i) {
            others.emplace_back([this, &counts, i] { work(counts[i]); });
        }
        work(counts[0]);
        for (std::thread& other : others) {
            other.join();
        }
        for (std::size_t i = 1; i < threads; ++i) {
            counts[0].merge(counts[i]);
        }
        return results_of(timeline_, plan_, counts[0], options_);
    }

  private:
    void work(Measure& counts) {
        while (true) {
            const std::size_t number = next_.fetch_add(1, std::memory_order_relaxed);
            if (number >= chunks_.size()) {
                return;
            }
            const Chunk& chunk = chunks_[number];
            if (model_of(chunk).client.present()) {
                stream<StubClient<Measure>>(chunk, counts);
            } else {
                stream<DirectClient<Measure>>(chunk, counts);
            }
            if (options_.progress) {
                const std::lock_guard lock(progress_);
                ++done_;
                options_.progress(static_cast<double>(done_) / static_cast<double>(chunks_.size()));
            }
        }
    }

    [[nodiscard]] const CacheModel& model_of(const Chunk& chunk) const {
        return population_.classes[sampler_.strands()[chunk.strand].resolver_class].model;
    }

    template <class Client>
    void stream(const Chunk& chunk, Measure& counts) const {
        const CacheModel& model = model_of(chunk);
        Client client(flat_, model, counts);
        CacheStream<Client, Measure> cache(flat_, model, client, counts);
        LastFormula formula;
        const bool alike = sampler_.alike(chunk.strand);
        Sampled sampled;
        for (std::uint64_t index = chunk.first; index < chunk.last; ++index) {
            if (alike && index > chunk.first) {
                counts.stand_for_another();
            } else {
                sampled = sampler_.at(chunk.strand, index);
                counts.stand_for(sampled.stands_for);
            }
            const FlatClass& flat =
                flat_.classes.data()[timeline_.cells.data()[sampled.cell].timeline];
            typename CacheStream<Client, Measure>::Start start;
            start.rng = base::Rng(sampler_.key(chunk.strand, index));
            start.rate = sampled.rate;
            if (!options_.authority_load) {
                start.settle = true;
                start.at = flat.still_until;
                counts.expect_fetches(formula.fetches_of(
                    model, flat.pieces.front().offers[0].ttl_at(0), sampled.rate));
            }
            start.at = client.begin(flat, start.rng, start.at);
            cache.run(flat, start);
            client.finish(flat_.duration);
        }
    }

    const Timeline& timeline_;
    const EngineOptions& options_;
    const Population& population_;
    Sampler sampler_;
    FlatTimeline flat_;
    MeasurePlan plan_;
    std::vector<Chunk> chunks_;
    std::atomic<std::size_t> next_{0};
    std::mutex progress_;
    std::size_t done_ = 0;
};

}  // namespace

Results run_engine(const Timeline& timeline, const Population& population,
                   std::span<const DemandSpec> demands, const EngineOptions& options) {
    Engine engine(timeline, population, demands, options);
    Results results = engine.run();
    results.assumptions = population.assumptions;
    if (!population.citation.empty()) {
        results.notes.push_back("Population: " + population.citation);
    }
    results.assumptions.emplace_back(
        "Queries reach each cache at random moments (Poisson); caches start in their stationary "
        "state; a lookup takes no time.");
    results.assumptions.emplace_back(
        "Each question stands for one request; a client uses what its cache holds at that moment.");
    const auto& classes = population.classes;
    if (std::any_of(classes.begin(), classes.end(),
                    [](const ResolverClass& one) { return one.model.client.present(); })) {
        results.assumptions.emplace_back(
            "Clients with a cache of their own are busy: they ask again as soon as it ends, and "
            "their resolver is asked as often as any other.");
    }
    if (std::any_of(classes.begin(), classes.end(),
                    [](const ResolverClass& one) { return one.model.ecs_prefixes > 1; })) {
        results.assumptions.emplace_back(
            "Resolvers that send client subnets keep one entry for each client prefix, as if "
            "every answer were scoped to it.");
    }
    return results;
}

}  // namespace steerd::drill
