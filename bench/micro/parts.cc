// Nanoseconds of the parts that an answer and a probe are made of: names (read, hashed, compared),
// the table of places (an address to its class), the tracker of one check. Inputs are drawn from
// fixed seeds and larger than the first cache where the server's are. Thread rule: one thread.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <vector>

#include "../../tests/speed/scenes.h"
#include "base/rng.h"
#include "dns/name.h"
#include "health/tracker.h"
#include "policy/trie.h"
#include "policy/view.h"

namespace {

using namespace steerd;

constexpr std::size_t kInputs = 4096;  // a power of two

std::vector<dns::Name> names() {
    std::vector<dns::Name> out;
    base::Rng rng(1);
    for (std::size_t i = 0; i < kInputs; ++i) {
        out.push_back(*dns::Name::parse(fmt::format("Host{}.Example.COM.", rng.next() % 1000000)));
    }
    return out;
}

void name_parse_wire(benchmark::State& state) {
    const std::vector<dns::Name> all = names();
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(dns::NameView::parse_wire(all[i++ % kInputs].view().octets()));
    }
}

void name_parse_text(benchmark::State& state) {
    std::vector<std::string> texts;
    for (const dns::Name& name : names()) {
        texts.push_back(name.to_text());
    }
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(dns::Name::parse(texts[i++ % kInputs]));
    }
}

void name_hash(benchmark::State& state) {
    const std::vector<dns::Name> all = names();
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(dns::hash(all[i++ % kInputs], 7));
    }
}

/// Equal but for their case: the longest way.
void name_equal(benchmark::State& state) {
    const std::vector<dns::Name> all = names();
    std::vector<dns::Name> lowered;
    for (const dns::Name& name : all) {
        lowered.push_back(name.lowered());
    }
    std::size_t i = 0;
    for (auto _ : state) {
        const std::size_t at = i++ % kInputs;
        benchmark::DoNotOptimize(all[at] == lowered[at]);
    }
}

void name_order(benchmark::State& state) {
    const std::vector<dns::Name> all = names();
    std::size_t i = 0;
    for (auto _ : state) {
        const std::size_t at = i++ % kInputs;
        benchmark::DoNotOptimize(all[at] < all[(at + 1) % kInputs]);
    }
}

std::vector<base::IpPrefix> clients() {
    std::vector<base::IpPrefix> out;
    base::Rng rng(2);
    for (std::size_t i = 0; i < kInputs * 16; ++i) {
        const auto address = static_cast<std::uint32_t>(1U << 24 | (rng.next() & 0xDFFFFF00));
        out.emplace_back(base::IpAddress::v4(address), 24);
    }
    return out;
}

/// Random /24s in the table of places of a route.
void place_lookup(benchmark::State& state, std::string_view kind) {
    speed::Scenes scenes;
    const policy::Snapshot& snapshot = scenes.snapshot();
    const policy::Outcome outcome = scenes.ask(*scenes.find(kind), 0);
    const policy::Plan& plan = *snapshot.plan;
    const policy::View& view =
        *plan.views[plan.trees[config::index(plan.steered[outcome.steered].tree)].view];
    const std::vector<base::IpPrefix> from = clients();
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(view.lookup(from[i++ % from.size()]));
    }
    state.counters["classes"] = static_cast<double>(view.class_count());
    state.counters["octets"] = static_cast<double>(view.memory_bytes());
}

/// So many runs over the whole of IPv4.
void trie_find(benchmark::State& state) {
    policy::Runs<policy::Key4> runs;
    const auto count = static_cast<std::uint64_t>(state.range(0));
    base::Rng rng(3);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t start = (i << 32) / count;
        runs.add(static_cast<policy::Key4>(start), static_cast<std::uint32_t>(rng.next()));
    }
    const policy::Trie<policy::Key4> trie(std::move(runs));
    for (auto _ : state) {
        benchmark::DoNotOptimize(trie.find(static_cast<policy::Key4>(rng.next())));
    }
    state.counters["octets"] = static_cast<double>(trie.memory_bytes());
}

void tracker_record(benchmark::State& state) {
    std::vector<health::Outcome> outcomes;
    base::Rng rng(4);
    for (std::size_t i = 0; i < kInputs; ++i) {
        outcomes.push_back(rng.next() % 4 == 0 ? health::Outcome::Fail : health::Outcome::Pass);
    }
    health::Tracker tracker(3, 2);
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(tracker.record(outcomes[i++ % kInputs], base::Mono{}));
        benchmark::DoNotOptimize(tracker.outlook());
    }
}

BENCHMARK(name_parse_wire);
BENCHMARK(name_parse_text);
BENCHMARK(name_hash);
BENCHMARK(name_equal);
BENCHMARK(name_order);
BENCHMARK_CAPTURE(place_lookup, geo, "geo");
BENCHMARK_CAPTURE(place_lookup, latency, "latency");
BENCHMARK(trie_find)->ArgName("runs")->RangeMultiplier(16)->Range(16, 1 << 20);
BENCHMARK(tracker_record);

}  // namespace
