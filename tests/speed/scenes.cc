#include "scenes.h"

#include <fmt/format.h>

#include "../policy/support.h"
#include "base/rng.h"
#include "dns/message.h"
#include "policy/health_state.h"

namespace steerd::speed {
namespace {

using policy::AnswerKind;

constexpr std::size_t kQueries = 512;  // of each kind
constexpr std::size_t kNames = 10000;  // static ones in the zone
constexpr std::size_t kSteered = 100;  // of each policy
constexpr std::array<std::size_t, 4> kMembers = {1, 10, 100, 1000};

const std::string kHead = R"(
[server]
listen = ["127.0.0.1:5300"]
state_dir = "state"
[regions.tokyo]
location = [35.68, 139.69]
[regions.frankfurt]
location = [50.11, 8.68]
[regions.virginia]
location = [38.95, -77.45]
[probes.web]
type = "tcp"
port = 80
)";

const std::string kRoutes = R"(
[routes.places]
policy = "geo"
members = [{match="continent:EU", to="e1"}, {match="continent:AS", to="e0"},
           {match="country:US", to="e2"}, {match="*", to="e5"}]
[routes.near]
policy = "latency"
members = ["e0", "e1", "e2", "e3", "e4", "e5"]
[routes.drawn]
policy = "weighted"
members = [{to="e0", weight=10}, {to="e1", weight=20}, {to="e2", weight=30}, {to="e3", weight=40}]
[routes.first]
policy = "failover"
members = ["e0", "e1", "e2"]
[routes.ring]
policy = "multivalue"
members = ["e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9", "e10", "e11"]
max_answers = 8
[routes.tokyo-pair]
policy = "failover"
members = ["e0", "e3"]
[routes.frankfurt-pair]
policy = "failover"
members = ["e1", "e4"]
[routes.nearest-pair]
policy = "latency"
members = ["tokyo-pair", "frankfurt-pair", "e2"]
[routes.deep]
policy = "failover"
members = ["nearest-pair", "e11"]
)";

struct Steer {
    std::string_view prefix;
    std::string_view route;
};

constexpr std::array<Steer, 6> kSteers = {{{"geo", "places"},
                                           {"near", "near"},
                                           {"drawn", "drawn"},
                                           {"first", "first"},
                                           {"ring", "ring"},
                                           {"deep", "deep"}}};

std::string configuration() {
    std::string text = kHead;
    for (std::size_t i = 0; i < 12; ++i) {
        constexpr std::array<std::string_view, 3> kRegions = {"tokyo", "frankfurt", "virginia"};
        text += fmt::format(
            "[endpoints.e{0}]\nregion = \"{1}\"\nprobes = [\"web\"]\n"
            "addresses = [\"192.0.2.{2}\", \"2001:db8::{2}\"]\n",
            i, kRegions[i % 3], i + 1);
    }
    for (std::size_t i = 0; i < kMembers.back(); ++i) {
        text += fmt::format("[endpoints.m{}]\nprobes = [\"web\"]\naddresses = [\"10.0.{}.{}\"]\n",
                            i, i / 256, i % 256);
    }
    text += kRoutes;
    std::string steer;
    for (const std::size_t count : kMembers) {
        std::string members;
        for (std::size_t i = 0; i < count; ++i) {
            members += fmt::format("\"m{}\",", i);
        }
        text +=
            fmt::format("[routes.of-{}]\npolicy = \"weighted\"\nmembers = [{}]\n", count, members);
        steer += fmt::format("members-{0} = {{ route = \"of-{0}\", ttl = \"60s\" }}\n", count);
    }
    for (const Steer& each : kSteers) {
        for (std::size_t i = 0; i < kSteered; ++i) {
            steer += fmt::format("{}{} = {{ route = \"{}\", ttl = \"60s\", ttl_min = \"5s\" }}\n",
                                 each.prefix, i, each.route);
        }
    }
    return text + "[zones.\"example.com\"]\nfile = \"zone\"\n[zones.\"example.com\".steer]\n" +
           steer;
}

std::string zone_lines() {
    std::string text =
        "*.wild A 192.0.2.200\nsub NS ns1.sub\nns1.sub A 192.0.2.210\n"
        "chain0 CNAME chain1\nchain1 CNAME chain2\nchain2 CNAME chain3\nchain3 A 192.0.2.220\n";
    for (int i = 0; i < 8; ++i) {
        text += fmt::format("large TXT \"{}\"\n", std::string(200, static_cast<char>('a' + i)));
    }
    for (std::size_t i = 0; i < kNames; ++i) {
        text += fmt::format("h{} A 10.1.{}.{}\n", i, i / 256, i % 256);
    }
    return text;
}

/// Countries over the whole of IPv4 in pieces of a /18, neighbours mostly different.
policy::testing::WorldText world() {
    constexpr std::array<std::string_view, 12> kCountries = {"US", "JP", "DE", "FR", "BR", "CN",
                                                             "ZA", "AU", "IN", "GB", "KR", "CA"};
    policy::testing::WorldText world;
    base::Rng rng(11);
    for (std::uint32_t at = 1U << 24; at < 224U << 24; at += 1U << 14) {
        world.geoip += fmt::format("{},{},{}\n", at, at + (1U << 14) - 1,
                                   kCountries[rng.next() % kCountries.size()]);
    }
    return world;
}

class Asker {
  public:
    explicit Asker(std::vector<Kind>& kinds) : kinds_(&kinds) {}

    template <typename NameOf>
    Kind& add(std::string_view name, AnswerKind expected, const NameOf& name_of,
              dns::RrType type = dns::RrType::A) {
        return add_with(name, expected, name_of, type, {});
    }

    /// With a subnet: each query carries another random /24.
    template <typename NameOf>
    Kind& add_edns(std::string_view name, AnswerKind expected, const NameOf& name_of, bool subnet) {
        dns::QueryOptions options;
        options.edns.emplace();
        subnet_ = subnet;
        Kind& kind = add_with(name, expected, name_of, dns::RrType::A, options);
        subnet_ = false;
        return kind;
    }

  private:
    template <typename NameOf>
    Kind& add_with(std::string_view name, AnswerKind expected, const NameOf& name_of,
                   dns::RrType type, dns::QueryOptions options) {
        Kind& kind = kinds_->emplace_back();
        kind.name = name;
        kind.expected = expected;
        for (std::size_t i = 0; i < kQueries; ++i) {
            const std::string label = name_of(rng_.next());
            options.id = static_cast<std::uint16_t>(rng_.next());
            if (subnet_) {
                const auto first = static_cast<std::uint32_t>(1 + rng_.next() % 223);
                const auto rest = static_cast<std::uint32_t>(rng_.next() & 0xFFFF00U);
                options.edns->subnet = base::IpPrefix(base::IpAddress::v4(first << 24 | rest), 24);
            }
            kind.queries.push_back(
                dns::compose_query(*dns::Name::parse(label + ".example.com."), type, options));
        }
        return kind;
    }

    std::vector<Kind>* kinds_;
    base::Rng rng_{7};
    bool subnet_ = false;
};

auto numbered(std::string_view prefix, std::size_t count) {
    return
        [prefix, count](std::uint64_t draw) { return fmt::format("{}{}", prefix, draw % count); };
}

auto always(std::string_view name) {
    return [name](std::uint64_t) { return std::string(name); };
}

std::vector<Kind> all_kinds() {
    std::vector<Kind> kinds;
    Asker asker(kinds);
    asker.add("static", AnswerKind::Static, numbered("h", kNames));
    asker.add_edns("edns", AnswerKind::Static, numbered("h", kNames), false);
    asker.add("wildcard", AnswerKind::Static,
              [](std::uint64_t draw) { return fmt::format("x{}.wild", draw % 100000); });
    asker.add_edns("geo", AnswerKind::Steered, numbered("geo", kSteered), true);
    asker.add_edns("latency", AnswerKind::Steered, numbered("near", kSteered), true);
    asker.add_edns("weighted", AnswerKind::Steered, numbered("drawn", kSteered), false);
    asker.add_edns("failover", AnswerKind::Steered, numbered("first", kSteered), false);
    asker.add_edns("nested", AnswerKind::Steered, numbered("deep", kSteered), true);
    asker.add_edns("multivalue", AnswerKind::Steered, numbered("ring", kSteered), false);
    asker.add("nxdomain", AnswerKind::NxDomain, numbered("nothing", 100000));
    asker.add("nodata", AnswerKind::NoData, numbered("h", kNames), dns::RrType::MX);
    asker.add("cname-chain", AnswerKind::Static, always("chain0"));
    asker.add("delegation", AnswerKind::Referral,
              [](std::uint64_t draw) { return fmt::format("x{}.sub", draw % 100000); });
    asker.add("truncated", AnswerKind::Static, always("large"), dns::RrType::TXT).truncated = true;
    for (const std::size_t count : kMembers) {
        asker.add_edns(
            fmt::format("members-{}", count), AnswerKind::Steered,
            [count](std::uint64_t) { return fmt::format("members-{}", count); }, false);
    }
    return kinds;
}

}  // namespace

Scenes::Scenes() : kinds_(all_kinds()) {
    const auto built = policy::testing::build(configuration(), zone_lines(), world());
    snapshot_.plan = built.plan;
    snapshot_.health = policy::compile_health(*built.plan, policy::all_up(*built.plan));
}

const Kind* Scenes::find(std::string_view name) const noexcept {
    for (const Kind& kind : kinds_) {
        if (kind.name == name) {
            return &kind;
        }
    }
    return nullptr;
}

policy::Outcome Scenes::ask(const Kind& kind, std::size_t i) noexcept {
    policy::Request request;
    request.query = kind.queries[i % kind.queries.size()];
    request.client = base::IpAddress::v4(0xC6336407);
    request.draw = base::mix64(i);
    return policy::answer(snapshot_, request, out_);
}

policy::Ahead Scenes::read_ahead(const Kind& kind, std::size_t i) const noexcept {
    std::array<policy::Request, kBatch> batch;
    for (std::size_t n = 0; n < kBatch; ++n) {
        batch[n].query = kind.queries[(i + n) % kind.queries.size()];
    }
    return policy::read_ahead(snapshot_, batch);
}

std::string Scenes::complaints() {
    std::string text;
    for (const Kind& kind : kinds_) {
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < kind.queries.size(); ++i) {
            const policy::Outcome outcome = ask(kind, i);
            const bool right = outcome.kind == kind.expected && outcome.size > 12 &&
                               outcome.truncated == kind.truncated;
            wrong += right ? 0 : 1;
        }
        if (wrong > 0) {
            text += fmt::format("{}: {} of {} answers are not what they should be\n", kind.name,
                                wrong, kind.queries.size());
        }
    }
    return text;
}

}  // namespace steerd::speed
