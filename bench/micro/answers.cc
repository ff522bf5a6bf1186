// Nanoseconds of one answer by kind of question, through the one door and without sockets, on the
// very questions whose instructions the guard in tests/speed counts; and of one decision below it.
// A kind that is answered otherwise than it should be gives no figure. Thread rule: one thread.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "../../tests/policy/steering.h"
#include "../../tests/speed/scenes.h"

namespace {

using namespace steerd;

/// Made once for all benchmarks of this file: building it takes longer than any of them.
speed::Scenes& scenes() {
    static speed::Scenes all;
    return all;
}

void answer_kind(benchmark::State& state, const std::string& name) {
    const speed::Kind* const kind = scenes().find(name);
    if (const std::string complaints = scenes().complaints(); !complaints.empty()) {
        state.SkipWithError(complaints.c_str());
        return;
    }
    std::size_t i = 0;
    std::size_t octets = 0;
    for (auto _ : state) {
        octets += scenes().ask(*kind, i++).size;
    }
    state.counters["octets"] =
        benchmark::Counter(static_cast<double>(octets), benchmark::Counter::kAvgIterations);
}

const std::string kFourDeep = R"(
[routes.main]
policy = "failover"
members = ["places", "f"]
[routes.places]
policy = "geo"
members = [{match="country:JP", to="near"}, {match="*", to="near"}]
[routes.near]
policy = "latency"
members = ["canary", "b", "c"]
[routes.canary]
policy = "weighted"
members = [{to="a", weight=95}, {to="d", weight=5}]
sticky = true
)";

/// 0: all up; 1: one down; 2: and two changes under way, which the TTL counts down to.
void decide_four_deep(benchmark::State& state) {
    policy::testing::Steering steering(kFourDeep, "ttl = \"60s\", ttl_min = \"5s\"");
    if (state.range(0) >= 1) {
        steering.set("d", health::Health::Down);
    }
    if (state.range(0) >= 2) {
        steering.pending("a", health::Health::Down, 20).pending("b", health::Health::Down, 21);
    }
    steering.publish();
    std::uint64_t draw = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            policy::decide(steering.input(policy::Ask::A, base::mix64(draw++))));
    }
}

BENCHMARK(decide_four_deep)->ArgName("trouble")->DenseRange(0, 2);

/// What one publication costs control: names over routes of two, all up or all about to change.
void publish(benchmark::State& state) {
    const std::int64_t names = state.range(0);
    std::string config = policy::testing::kEndpoints;
    std::string steer = "[zones.\"example.com\"]\nfile = \"zone\"\n[zones.\"example.com\".steer]\n";
    for (std::int64_t i = 0; i < names; ++i) {
        config += fmt::format(
            "[endpoints.e{0}]\naddresses = [\"10.{1}.{2}.1\"]\nprobes = [\"web\"]\n"
            "[routes.r{0}]\npolicy = \"failover\"\nmembers = [\"e{0}\", \"e{3}\"]\n",
            i, i / 256, i % 256, (i + 1) % names);
        steer += fmt::format("n{0} = {{ route = \"r{0}\", ttl = \"60s\", ttl_min = \"5s\" }}\n", i);
    }
    const policy::testing::Built built = policy::testing::build(config + steer);
    policy::HealthFacts facts = policy::all_up(*built.plan);
    if (state.range(1) != 0) {
        for (policy::SlotFacts& slot : facts.slots) {
            slot.next = health::Health::Down;
            slot.earliest = policy::testing::at(5);
        }
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(policy::compile_health(*built.plan, facts));
    }
}

BENCHMARK(publish)
    ->ArgNames({"names", "pending"})
    ->ArgsProduct({{1000, 10000}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

/// Registers one benchmark for each kind before main() runs.
const bool kRegistered = [] {
    for (const char* const kind :
         {"static", "edns", "wildcard", "geo", "latency", "weighted", "failover", "nested",
          "multivalue", "nxdomain", "nodata", "cname-chain", "delegation", "truncated", "members-1",
          "members-10", "members-100", "members-1000"}) {
        benchmark::RegisterBenchmark(
            fmt::format("answer/{}", kind).c_str(),
            [name = std::string(kind)](benchmark::State& state) { answer_kind(state, name); });
    }
    return true;
}();

}  // namespace
