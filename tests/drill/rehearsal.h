// What the tests of scenarios and virtual drills share: a scenario and a configuration in text, run
// without a file on disk.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drill/scenario.h"
#include "drill/virtual.h"
#include "tests/policy/support.h"

namespace steerd::drill::testing {

/// Two places, each nearest to a region of its own, and a third between networks.
inline constexpr std::string_view kGeo = R"(
[server]
listen = ["127.0.0.1:5300"]
state_dir = "state"
[[geo.networks]]
prefix = "10.1.0.0/16"
country = "JP"
location = [35.7, 139.7]
[[geo.networks]]
prefix = "10.2.0.0/16"
country = "US"
location = [39.0, -77.5]
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
)";

/// The timings of product.md's example.
inline constexpr std::string_view kSites = R"(
[probes.web]
type = "tcp"
port = 80
interval = "5s"
timeout = "2s"
fast_interval = "1s"
fall = 3
rise = 2
slow_after = "800ms"
[endpoints.tokyo]
region = "tokyo"
addresses = ["192.0.2.10"]
probes = ["web"]
[endpoints.virginia]
region = "virginia"
addresses = ["198.51.100.10"]
probes = ["web"]
[routes.www]
policy = "latency"
members = ["tokyo", "virginia"]
)";

inline constexpr std::string_view kZone = R"(
[zones."example.com"]
file = "z"
[zones."example.com".steer]
www = { route = "www", ttl = "30s" }
)";

inline std::string two_sites() {
    return std::string(kGeo) + std::string(kSites) + std::string(kZone);
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// A scenario of `www.example.com` with demand from both places and these events.
inline std::string scenario_text(std::string_view duration, std::string_view events,
                                 unsigned seed = 7) {
    return "[drill]\nconfig = \"c\"\nname = \"www.example.com\"\nduration = \"" +
           std::string(duration) + "\"\nseed = " + std::to_string(seed) +
           "\n[[demand]]\nplace = \"country:JP\"\nresolvers = 100\nqueries_per_second = 1000\n"
           "[[demand]]\nplace = \"country:US\"\nresolvers = 100\nqueries_per_second = 1000\n" +
           std::string(events);
}

inline std::string event(std::string_view at, std::string_view what, std::string_view target,
                         std::string_view more = "") {
    return "[[events]]\nat = \"" + std::string(at) + "\"\ndo = \"" + std::string(what) +
           "\"\ntarget = \"" + std::string(target) + "\"\n" + std::string(more) + "\n";
}

/// A scenario bound to a plan and run.
struct Rehearsed {
    Scenario scenario;
    Bound bound;
    VirtualRun run;

    [[nodiscard]] const EventTimes& at(std::size_t i) const { return run.timeline.events.at(i); }

    /// Seconds from the event; negative for never.
    [[nodiscard]] double after(std::size_t i, base::Mono moment) const {
        return moment == base::kNever ? -1
                                      : std::chrono::duration<double>(moment - at(i).at).count();
    }

    [[nodiscard]] double detected(std::size_t i) const { return after(i, at(i).detected); }

    [[nodiscard]] double switched(std::size_t i) const { return after(i, at(i).switched); }

    /// The names of the endpoints that demand number `demand` is sent to at a moment, each once.
    [[nodiscard]] std::vector<std::string> answered(std::size_t demand, double t_s) const {
        std::vector<std::string> out;
        const base::Mono t{std::chrono::nanoseconds(static_cast<std::int64_t>(t_s * 1e9))};
        for (const DemandCell& cell : run.timeline.cells) {
            if (cell.demand != demand) {
                continue;
            }
            const Piece* now = nullptr;
            for (const Piece& piece : run.timeline.classes[cell.timeline].pieces) {
                now = piece.from <= t ? &piece : now;
            }
            for (const Offer& offer : now->offers) {
                for (const auto id : run.timeline.answers[offer.answer].endpoints) {
                    out.push_back(bound.plan->endpoints[config::index(id)].name);
                }
            }
        }
        std::sort(out.begin(), out.end());
        out.erase(std::unique(out.begin(), out.end()), out.end());
        return out;
    }
};

inline Rehearsed rehearsed(const std::string& config, const std::string& scenario,
                           const Onlookers& onlookers = {}) {
    Rehearsed out;
    auto read = read_scenario_text(scenario, "s.toml");
    EXPECT_FALSE(read.problems.has_errors()) << read.problems.text();
    out.scenario = std::move(read.scenario);
    base::Problems problems;
    auto bound = bind_scenario(out.scenario, policy::testing::build(config).plan, problems);
    if (!bound) {
        throw std::runtime_error(problems.text());
    }
    out.bound = std::move(*bound);
    out.run = run_virtual(out.scenario, out.bound, problems, onlookers);
    EXPECT_FALSE(problems.has_errors()) << problems.text();
    return out;
}

}  // namespace steerd::drill::testing
