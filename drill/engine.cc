// Streams in chunks of fixed size, taken by whichever thread is free. Integer sums make the order
// of chunks and the number of threads invisible.
#include "drill/engine.h"

#include <algorithm>
#include <atomic>
#include <cmath>
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
    /// The formula's fetches of the cache before, since neighbours often have the same rate.
    struct LastFormula {
        std::size_t strand = 0;
        double rate = -1, ttl_s = 0, fetches = 0;
    };

    void work(Measure& counts) {
        LastFormula formula;
        while (true) {
            const std::size_t number = next_.fetch_add(1, std::memory_order_relaxed);
            if (number >= chunks_.size()) {
                return;
            }
            for (std::uint64_t i = chunks_[number].first; i < chunks_[number].last; ++i) {
                stream(chunks_[number].strand, i, counts, formula);
            }
            if (options_.progress) {
                const std::lock_guard lock(progress_);
                ++done_;
                options_.progress(static_cast<double>(done_) / static_cast<double>(chunks_.size()));
            }
        }
    }

    void stream(std::size_t strand, std::uint64_t index, Measure& counts,
                LastFormula& formula) const {
        const Sampled sampled = sampler_.at(strand, index);
        const CacheModel& model =
            population_.classes[sampler_.strands()[strand].resolver_class].model;
        const FlatClass& flat = flat_.classes[timeline_.cells[sampled.cell].timeline];
        base::Rng rng(sampler_.key(strand, index));
        counts.stand_for(sampled.stands_for);
        double start = 0;
        const double ttl = flat.pieces.front().offers[0].ttl_at(0);
        if (!options_.authority_load) {
            // Just before anything changes: what holds then has held since the beginning.
            start =
                std::nextafter(std::min({flat.first_change, flat_.duration, first_outage()}), 0);
            if (formula.strand != strand || formula.rate != sampled.rate || formula.ttl_s != ttl) {
                const double fetches = upstream_rate(renewal_of_cache(model, ttl, sampled.rate));
                formula = LastFormula{strand, sampled.rate, ttl, fetches};
            }
            counts.expect_fetches(formula.fetches);
        }
        const bool settle = !options_.authority_load;
        if (model.client.present()) {
            StubClient<Measure> client(flat_, flat, model, counts, base::Rng(rng.next()));
            start -= client.warm_up_s(model, ttl);
            client.begin(start, ttl);
            CacheStream(flat_, flat, model, client, counts).run(rng, sampled.rate, start, settle);
            client.finish(flat_.duration);
            return;
        }
        DirectClient<Measure> client(flat_, flat, counts);
        CacheStream(flat_, flat, model, client, counts).run(rng, sampled.rate, start, settle);
        client.finish(flat_.duration);
    }

    [[nodiscard]] double first_outage() const noexcept {
        return flat_.authority.front().up ? flat_.authority[1].from : 0;
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
