// What one answer costs: nanoseconds for each kind of question through answer(), on one core,
// without sockets. Plain loops over a steady clock; the best of five rounds, since anything else
// that runs on the machine only adds. Builds its zone, routes and world from text.
//   answer_bench [ROUNDS]
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <functional>

#include "../tests/policy/asking.h"

namespace steerd::policy::testing {
namespace {

const std::string kBenchRoutes = R"(
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

constexpr int kRounds = 200;

double best_ns(std::size_t count, const std::function<void(std::size_t)>& one) {
    double best = 1e18;
    for (int round = 0; round < kRounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < count; ++i) {
            one(i);
        }
        const std::chrono::duration<double, std::nano> took =
            std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count() / static_cast<double>(count));
    }
    return best;
}

void bench_answers(std::size_t count) {
    Asking s;
    for (const char* const question :
         {"mail.example.com A", "nothing.example.com A", "www.example.com A", "geo.example.com A",
          "hashed.example.com A", "ring.example.com A", "chain1.example.com A",
          "sub.example.com A"}) {
        for (const bool ecs : {false, true}) {
            const std::string_view text = question;
            const auto name = dns::Name::parse(text.substr(0, text.find(' ')));
            dns::QueryOptions options;
            options.edns.emplace();
            if (ecs) {
                options.edns->subnet = net("203.0.113.0/24");
            }
            const auto packet = dns::compose_query(*name, dns::RrType::A, options);
            Request request;
            request.query = packet;
            request.client = *base::IpAddress::parse("203.0.113.9");
            std::size_t octets = 0;
            const double ns = best_ns(count, [&](std::size_t i) {
                request.draw = base::mix64(i);
                octets += answer(s.snapshot, request, s.out).size;
            });
            fmt::print("{:28} {:4} {:7.1f} ns  {} octets\n", question, ecs ? "ecs" : "", ns,
                       octets / count / kRounds);
        }
    }
}

void bench_decisions(std::size_t count) {
    Steering s(kBenchRoutes, "ttl = \"60s\", ttl_min = \"5s\"");
    const auto run = [&](const char* what) {
        s.publish();
        std::uint64_t sum = 0;
        const double ns = best_ns(
            count, [&](std::size_t i) { sum += decide(s.input(Ask::A, base::mix64(i))).ttl_s; });
        fmt::print("{:33} {:7.1f} ns  ttl {}\n", what, ns, sum / count / kRounds);
    };
    run("decide, four policies deep");
    s.set("d", Health::Down);
    run("decide, one of them down");
    s.pending("a", Health::Down, 20).pending("b", Health::Down, 21);
    run("decide, four changes pending");
}

void bench_publish() {
    std::string config = kEndpoints;
    std::string steer = "[zones.\"example.com\"]\nfile = \"zone\"\n[zones.\"example.com\".steer]\n";
    for (int i = 0; i < 10000; ++i) {
        config +=
            fmt::format("[endpoints.e{0}]\naddresses = [\"10.{1}.{2}.1\"]\nprobes = [\"web\"]\n", i,
                        i / 256, i % 256);
        config +=
            fmt::format("[routes.r{0}]\npolicy = \"failover\"\nmembers = [\"e{0}\", \"e{1}\"]\n", i,
                        (i + 1) % 10000);
        steer += fmt::format("n{0} = {{ route = \"r{0}\", ttl = \"60s\", ttl_min = \"5s\" }}\n", i);
    }
    const Built built = build(config + steer);
    HealthFacts facts = all_up(*built.plan);
    const auto run = [&](const char* what) {
        const double ns =
            best_ns(1, [&](std::size_t) { (void)compile_health(*built.plan, facts); });
        fmt::print("{:33} {:7.2f} ms\n", what, ns / 1e6);
    };
    run("publish 10,000 names, all up");
    for (SlotFacts& slot : facts.slots) {
        slot.next = Health::Down;
        slot.earliest = at(5);
    }
    run("publish 10,000 names, all pending");
}

}  // namespace
}  // namespace steerd::policy::testing

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2000;
    steerd::policy::testing::bench_answers(count);
    steerd::policy::testing::bench_decisions(count);
    steerd::policy::testing::bench_publish();
    return 0;
}
