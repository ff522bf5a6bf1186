// house.md, path of a drill: "a test asks answer() at random moments and must get the same". Every
// kind of route goes through the same bad day; what the one door says is what the timeline offers,
// endpoints, kind and TTL, and as often.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/rng.h"
#include "dns/message.h"
#include "drill/virtual_answers.h"
#include "policy/answer.h"
#include "rehearsal.h"

namespace steerd::drill::testing {
namespace {

using base::Mono;

constexpr std::string_view kEndpoints = R"(
[probes.web]
type = "tcp"
port = 80
interval = "5s"
timeout = "2s"
fast_interval = "1s"
fall = 3
rise = 2
slow_after = "800ms"
[endpoints.a]
region = "tokyo"
addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
probes = ["web"]
[endpoints.b]
region = "virginia"
addresses = ["192.0.2.3", "2001:db8::3"]
probes = ["web"]
[endpoints.c]
region = "virginia"
addresses = ["192.0.2.4"]
probes = ["web"]
[endpoints.sorry]
cname = "sorry.example.net."
probes = ["web"]
)";

constexpr std::string_view kBadDay = R"(
[[events]]
at = "20s"
do = "kill"
target = "a"
[[events]]
at = "50s"
do = "blackhole"
target = "region:virginia"
[[events]]
at = "80s"
do = "recover"
target = "region:virginia"
[[events]]
at = "90s"
do = "recover"
target = "a"
[[events]]
at = "110s"
do = "slow"
target = "b"
delay = "1s"
[[events]]
at = "150s"
do = "drain"
target = "a"
force = true
[[events]]
at = "155s"
do = "gray"
target = "c"
fail = 0.5
[[events]]
at = "200s"
do = "release"
target = "a"
[[events]]
at = "210s"
do = "flap"
target = "a"
period = "23s"
duty = 0.6
[[events]]
at = "300s"
do = "kill"
target = "server"
[[events]]
at = "310s"
do = "recover"
target = "server"
[[events]]
at = "330s"
do = "recover"
target = "a"
)";

struct Way {
    const char* name;
    const char* routes;
    const char* steer;
    const char* type;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

class Timelines : public ::testing::TestWithParam<Way> {};

/// What one answer comes to, by the one door.
struct Got {
    std::vector<policy::EndpointId> endpoints;
    bool negative = false;
    bool servfail = false;
    bool fail_open = false;
    std::uint32_t ttl_s = 0;

    friend auto operator<=>(const Got&, const Got&) = default;
};

Got ask(const policy::Snapshot& snapshot, const Rehearsed& drill, std::size_t cls, Mono at,
        std::uint64_t draw) {
    const bool v4 = drill.scenario.type == AskedType::A;
    const auto query =
        dns::compose_query(drill.bound.name, v4 ? dns::RrType::A : dns::RrType::AAAA);
    policy::Request request;
    request.query = query;
    request.client = drill.run.clients[cls].address();
    request.transport = policy::Transport::Tcp;
    request.now.mono = at;
    request.draw = draw;
    std::vector<std::uint8_t> out(policy::kMaxTcpAnswer);
    const auto outcome = policy::answer(snapshot, request, out);
    const auto message = dns::parse_message(std::span(out).first(outcome.size));
    Got got;
    const auto& decision = outcome.decision;
    got.fail_open = decision.fail_open;
    got.servfail = outcome.rcode == dns::Rcode::ServFail;
    const auto answers = message->section(dns::Section::Answer);
    got.negative = !got.servfail && answers.empty();
    if (!answers.empty()) {
        got.ttl_s = answers.front().ttl.seconds();
        got.endpoints = {decision.endpoints.begin(),
                         decision.endpoints.begin() + decision.endpoint_count};
        std::sort(got.endpoints.begin(), got.endpoints.end());
    } else if (got.negative) {
        got.ttl_s = message->section(dns::Section::Authority).front().ttl.seconds();
    }
    return got;
}

std::map<Got, double> offered(const Timeline& timeline, std::size_t cls, Mono at) {
    const Piece* now = nullptr;
    for (const Piece& piece : timeline.classes[cls].pieces) {
        now = piece.from <= at ? &piece : now;
    }
    std::map<Got, double> out;
    double before = 0;
    for (const Offer& offer : now->offers) {
        const Answer& answer = timeline.answers[offer.answer];
        Got got{answer.endpoints, answer.negative, answer.servfail, answer.fail_open,
                answer.servfail ? 0 : ttl_at(offer, at)};
        out[got] += offer.cumulative - before;
        before = offer.cumulative;
    }
    return out;
}

bool answering(const Timeline& timeline, Mono at) {
    auto state = Authority::Up;
    for (const AuthorityState& one : timeline.authority) {
        state = one.from <= at ? one.state : state;
    }
    return state == Authority::Up;
}

TEST_P(Timelines, OfferWhatAnswerGives) {
    const Way& way = GetParam();
    const std::string config = std::string(kGeo) + std::string(kEndpoints) + way.routes +
                               "[zones.\"example.com\"]\nfile = \"z\"\n"
                               "[zones.\"example.com\".steer]\nwww = { route = \"www\", " +
                               way.steer + " }\n";
    const std::string text = replaced(scenario_text("6m", kBadDay), "[drill]\n",
                                      std::string("[drill]\ntype = \"") + way.type + "\"\n");
    std::vector<std::shared_ptr<const policy::Snapshot>> published;
    Onlookers onlookers;
    onlookers.published = [&](std::shared_ptr<const policy::Snapshot> snapshot) {
        published.push_back(std::move(snapshot));
    };
    const auto drill = rehearsed(config, text, onlookers);
    const auto& timeline = drill.run.timeline;
    ASSERT_FALSE(timeline.classes.empty());
    base::Rng rng(99);
    std::set<Got> met;
    for (int round = 0; round < 200; ++round) {
        const Mono at{base::Duration(static_cast<std::int64_t>(rng.below(360'000'000'000)))};
        if (!answering(timeline, at)) {
            continue;
        }
        const policy::Snapshot* snapshot = nullptr;
        for (const auto& one : published) {
            snapshot = one->published.mono <= at ? one.get() : snapshot;
        }
        const std::size_t cls = rng.below(timeline.classes.size());
        const auto expected = offered(timeline, cls, at);
        const int draws = round % 20 == 0 ? 1000 : 20;
        std::map<Got, int> counted;
        for (int i = 0; i < draws; ++i) {
            const Got got = ask(*snapshot, drill, cls, at, rng.next());
            ++counted[got];
            ASSERT_TRUE(expected.contains(got))
                << "ttl " << got.ttl_s << " endpoints " << got.endpoints.size() << " at "
                << at.time_since_epoch().count();
            met.insert(got);
        }
        for (const auto& [got, share] : expected) {
            // Splits of one answer by TTL are sampled by 1024 draws.
            const double slack = 5 * std::sqrt(share * (1 - share) * (1.0 / draws + 1.0 / 1024));
            EXPECT_NEAR(counted[got] / static_cast<double>(draws), share, slack + 1e-9);
        }
    }
    EXPECT_GE(met.size(), 3U) << "the day was not bad enough to tell";
}

constexpr const char* kLatency = "[routes.www]\npolicy = \"latency\"\nmembers = [\"a\", \"b\"]\n";
constexpr const char* kWeighted =
    "[routes.www]\npolicy = \"weighted\"\nmembers = [{ to = \"a\", weight = 3 }, { to = \"b\", "
    "weight = 2 }, { to = \"c\", weight = 1 }]\n";
constexpr const char* kSticky =
    "[routes.www]\npolicy = \"weighted\"\nsticky = true\nmembers = [{ to = \"a\", weight = 3 }, { "
    "to = \"b\", weight = 2 }, { to = \"c\", weight = 1 }]\n";
constexpr const char* kFailover =
    "[routes.www]\npolicy = \"failover\"\nfailback = \"30s\"\nmembers = [\"a\", \"b\", \"sorry\"]"
    "\n";
constexpr const char* kGeoRoute =
    "[routes.us]\npolicy = \"weighted\"\nmembers = [\"b\", \"c\"]\n[routes.www]\npolicy = \"geo\"\n"
    "members = [{ match = \"country:JP\", to = \"a\" }, { match = \"10.2.128.0/17\", to = \"c\", "
    "fence = true }, { match = \"*\", to = \"us\" }]\n";
constexpr const char* kMulti =
    "[routes.www]\npolicy = \"multivalue\"\nmembers = [\"a\", \"b\", \"c\"]\nmax_answers = 2\n";

INSTANTIATE_TEST_SUITE_P(
    Routes, Timelines,
    ::testing::Values(
        Way{"latency", kLatency, "ttl = \"30s\"", "A"},
        Way{"latency, countdown", kLatency, "ttl = \"60s\", ttl_min = \"1s\"", "A"},
        Way{"latency, countdown, AAAA", kLatency, "ttl = \"60s\", ttl_min = \"2s\"", "AAAA"},
        Way{"weighted", kWeighted, "ttl = \"20s\", ttl_min = \"3s\"", "A"},
        Way{"sticky", kSticky, "ttl = \"20s\", ttl_min = \"3s\"", "A"},
        Way{"failover", kFailover, "ttl = \"60s\", ttl_min = \"5s\"", "A"},
        Way{"geo", kGeoRoute, "ttl = \"60s\", ttl_min = \"5s\", when_all_down = \"nodata\"", "A"},
        Way{"geo, servfail", kGeoRoute, "ttl = \"60s\", when_all_down = \"servfail\"", "A"},
        Way{"multivalue", kMulti, "ttl = \"60s\", ttl_min = \"5s\"", "A"}));

}  // namespace
}  // namespace steerd::drill::testing
