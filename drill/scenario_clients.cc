// [[resolvers]] and [[demand]]: who asks, through which caches.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "base/text.h"
#include "config/words.h"
#include "drill/scenario_reader.h"

namespace steerd::drill {

using config::TomlNode;
using config::TomlTable;

namespace {

constexpr base::Duration kLeast = std::chrono::milliseconds(1);
constexpr base::Duration kZero{};
/// Shares written with two or three digits add up to 1 only so far.
constexpr double kShareSlack = 1e-6;
constexpr std::int64_t kMostResolvers = 100'000'000;
constexpr std::int64_t kMostPool = 10'000;
constexpr double kMostQps = 1e9;
/// What a resolver that sends client subnets is taken to have, as in the preset "mixed".
constexpr std::uint32_t kEcsPrefixes = 16;
constexpr std::uint32_t kFirstLocationNetwork = 0xF0000000;  // 240.0.0.0/4: nobody's
constexpr std::size_t kMostDemands = 4096;                   // of which each has a /16 there

constexpr std::array<std::string_view, 3> kLifetimeWords{"exact", "floor", "floor+1"};
constexpr std::array<std::string_view, 2> kStaleWords{"error", "always"};

double to_s(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

void read_prefetch(TomlTable& table, CacheModel& model) {
    const auto* node = table.any("prefetch");
    if (node == nullptr) {
        return;
    }
    if (node->kind != TomlNode::Kind::Table) {
        if (const auto share = read_share(table, "prefetch")) {
            model.prefetch.share = *share;
        }
        return;
    }
    TomlTable inner(*node, "prefetch", table.source(), table.problems());
    const auto below = inner.duration("below", kLeast);
    if (below) {
        model.prefetch.below_s = to_s(*below);
    } else if (!inner.has("below")) {
        inner.error(inner.at(), "below is missing");
    }
    if (const auto least = inner.duration("of_at_least", kZero)) {
        model.prefetch.of_at_least_s = to_s(*least);
    }
    inner.finish();
}

void read_stale(TomlTable& table, CacheModel& model) {
    const auto* node = table.table("serve_stale");
    if (node == nullptr) {
        return;
    }
    TomlTable inner(*node, "serve_stale", table.source(), table.problems());
    model.stale.when = ServeStale::OnError;
    if (const auto when = inner.word("when", kStaleWords)) {
        model.stale.when = *when == 0 ? ServeStale::OnError : ServeStale::Always;
    } else if (!inner.has("when")) {
        inner.error(inner.at(), "when is missing: \"error\" or \"always\"");
    }
    if (const auto length = inner.duration("for", kLeast)) {
        model.stale.for_s = to_s(*length);
    }
    if (const auto ttl = inner.duration("reply_ttl", kZero)) {
        model.stale.reply_ttl_s = to_s(*ttl);
    }
    inner.finish();
}

void read_ecs(TomlTable& table, CacheModel& model) {
    const auto ecs = table.text("ecs");
    const auto prefixes = table.integer("ecs_prefixes", {1, kMostPool});
    if (!ecs) {
        if (prefixes) {
            table.error("ecs_prefixes", "ecs_prefixes belongs to ecs");
        }
        return;
    }
    unsigned bits = 0;
    const char* end = ecs->data() + ecs->size();
    const auto read = std::from_chars(ecs->data() + 1, end, bits);
    if (ecs->front() != '/' || read.ec != std::errc{} || read.ptr != end || bits < 1 ||
        bits > 128) {
        table.error("ecs",
                    fmt::format("ecs must be like \"/24\", got {}", config::in_quotes(*ecs)));
        return;
    }
    model.ecs_prefixes = prefixes ? static_cast<std::uint32_t>(*prefixes) : kEcsPrefixes;
}

CacheModel read_model(TomlTable& table) {
    CacheModel model;
    if (const auto lifetime = table.word("lifetime", kLifetimeWords)) {
        model.rounding = static_cast<Rounding>(*lifetime);
    }
    const auto min = table.duration("min_ttl", kZero);
    const auto max = table.duration("max_ttl", kZero);
    model.min_ttl_s = min ? to_s(*min) : 0;
    model.max_ttl_s = max ? to_s(*max) : std::max(model.max_ttl_s, model.min_ttl_s);
    if (model.min_ttl_s > model.max_ttl_s) {
        table.error("min_ttl", "min_ttl must not be above max_ttl");
    }
    if (const auto hold = table.duration("hold", kLeast)) {
        model.hold_s = to_s(*hold);
    }
    if (const auto pool = table.integer("pool", {1, kMostPool})) {
        model.pool = static_cast<std::uint32_t>(*pool);
    }
    read_ecs(table, model);
    read_prefetch(table, model);
    read_stale(table, model);
    if (const auto hold = table.duration("client_hold", kLeast)) {
        model.client = ClientModel::fixed(to_s(*hold));
    }
    return model;
}

void check_shares(const TomlTable& root, const TomlNode& first, double sum) {
    if (std::abs(sum - 1) > kShareSlack) {
        root.error(root.at(first),
                   fmt::format("shares of [[resolvers]] must add up to 1, they make {:g}", sum));
    }
}

void read_place(TomlTable& table, ScenarioDemand& demand) {
    const auto place = table.text("place");
    const auto network = table.text("network");
    if (network && place) {
        table.error("network", "place and network exclude each other");
    }
    if (place || network) {
        const std::string_view key = place ? "place" : "network";
        auto match = config::parse_match(place ? *place : *network);
        if (!match) {
            table.error(
                key, fmt::format("{} is {}: {}", key, config::in_quotes(place ? *place : *network),
                                 match.error()));
        } else if (!place && match->kind != config::Match::Kind::Network) {
            table.error("network", "network must be a prefix like \"203.0.113.0/24\"");
        } else {
            demand.label = match->code.empty() ? match->text() : match->code;
            demand.place = std::move(*match);
        }
    }
}

void read_location(TomlTable& table, ScenarioDemand& demand) {
    const auto* node = table.array("location");
    if (node == nullptr) {
        return;
    }
    std::array<double, 2> degrees{1000, 1000};
    if (node->items.size() == 2) {
        for (std::size_t i = 0; i < 2; ++i) {
            const TomlNode& item = node->items[i];
            degrees.at(i) = item.kind == TomlNode::Kind::Integer ? static_cast<double>(item.integer)
                            : item.kind == TomlNode::Kind::Float ? item.real
                                                                 : 1000;
        }
    }
    const geo::Location location{degrees[0], degrees[1]};
    if (!location.valid()) {
        table.error("location", "location must be [latitude, longitude] in degrees");
        return;
    }
    demand.location = location;
    using Kind = config::Match::Kind;
    if (demand.place && (demand.place->kind == Kind::Network || demand.place->kind == Kind::Any)) {
        table.error("location",
                    "beside location, place may name an AS, a subdivision, a country "
                    "or a continent");
    }
    const std::string point = fmt::format("{:.2f} {:.2f}", location.latitude, location.longitude);
    demand.label = demand.label.empty() ? point : demand.label + " " + point;
}

ScenarioDemand read_demand(TomlTable& table) {
    ScenarioDemand demand;
    demand.pos = table.at();
    read_place(table, demand);
    read_location(table, demand);
    if (!table.has("place") && !table.has("network") && !table.has("location")) {
        table.error(table.at(), "who asks is missing: place, location or network");
    }
    const auto resolvers = table.integer("resolvers", {1, kMostResolvers});
    demand.spec.resolvers = resolvers ? static_cast<std::uint64_t>(*resolvers) : 1;
    if (!resolvers && !table.has("resolvers")) {
        table.error(table.at(), "resolvers is missing: how many of them ask");
    }
    const auto qps = table.number("queries_per_second");
    if (qps && !(*qps > 0 && *qps <= kMostQps)) {
        table.error(
            "queries_per_second",
            fmt::format("queries_per_second must be above 0 and at most 1e9, got {:g}", *qps));
    } else if (!qps && !table.has("queries_per_second")) {
        table.error(table.at(), "queries_per_second is missing");
    }
    demand.spec.qps = qps && *qps > 0 ? *qps : 1;
    if (const auto zipf = table.number("zipf")) {
        if (!(*zipf >= 0 && *zipf <= 10)) {
            table.error("zipf", fmt::format("zipf must be 0..10, got {:g}", *zipf));
        } else {
            demand.spec.zipf = *zipf;
        }
    }
    table.finish();
    return demand;
}

}  // namespace

void read_resolvers(TomlTable& root, Scenario& scenario) {
    const auto tables = tables_of(root, "resolvers");
    if (tables.empty()) {
        if (scenario.population.classes.empty()) {
            scenario.population_name = "ideal";
            scenario.population = *preset_population("ideal");
        }
        return;
    }
    double sum = 0;
    bool good = true;
    Population listed;
    std::set<std::string> names;
    for (const TomlNode* node : tables) {
        const std::string number = fmt::format("class {}", listed.classes.size() + 1);
        TomlTable table(*node, "[[resolvers]] " + number, root.source(), root.problems());
        ResolverClass made;
        made.name = table.text("name").value_or(number);
        if (!names.insert(made.name).second) {
            table.error("name", fmt::format("{} is there already", config::in_quotes(made.name)));
        }
        const auto share = read_share(table, "share");
        if (!share && !table.has("share")) {
            table.error(table.at(), "share is missing");
        }
        good = good && share;
        made.share = share.value_or(0);
        sum += made.share;
        made.model = read_model(table);
        table.finish();
        listed.classes.push_back(std::move(made));
    }
    if (good) {
        check_shares(root, *tables.front(), sum);
    }
    for (ResolverClass& made : listed.classes) {
        made.share /= sum > 0 ? sum : 1;
    }
    if (std::any_of(listed.classes.begin(), listed.classes.end(),
                    [](const ResolverClass& one) { return one.model.ecs_prefixes > 1; })) {
        listed.assumptions.push_back(
            fmt::format("Assumed: a resolver with ecs has {} client prefixes unless ecs_prefixes "
                        "says otherwise.",
                        kEcsPrefixes));
    }
    scenario.population = std::move(listed);
}

void read_demands(TomlTable& root, Scenario& scenario) {
    for (const TomlNode* node : tables_of(root, "demand")) {
        TomlTable table(*node, "[[demand]]", root.source(), root.problems());
        scenario.demands.push_back(read_demand(table));
    }
    if (scenario.demands.size() > kMostDemands) {
        root.error("demand", fmt::format("at most {} [[demand]] tables", kMostDemands));
    }
    if (scenario.demands.empty() && !root.has("demand")) {
        root.error(root.at(), "[[demand]] is missing: who asks");
    }
}

base::IpPrefix location_prefix(std::size_t demand) {
    const auto number = static_cast<std::uint32_t>(demand);
    return {base::IpAddress::v4(kFirstLocationNetwork + (number << 16U)), 16};
}

std::vector<config::NetworkConfig> location_networks(const Scenario& scenario) {
    using Kind = config::Match::Kind;
    std::vector<config::NetworkConfig> out;
    for (std::size_t i = 0; i < scenario.demands.size(); ++i) {
        const ScenarioDemand& demand = scenario.demands[i];
        if (!demand.location) {
            continue;
        }
        config::NetworkConfig row;
        row.prefix = location_prefix(i);
        row.location = demand.location;
        row.at = demand.pos;
        if (demand.place && demand.place->kind == Kind::Country) {
            row.country = demand.place->code;
        } else if (demand.place && demand.place->kind == Kind::Continent) {
            row.continent = demand.place->code;
        } else if (demand.place && demand.place->kind == Kind::Subdivision) {
            row.subdivision = demand.place->code;
        } else if (demand.place && demand.place->kind == Kind::Asn) {
            row.asn = demand.place->asn;
        }
        out.push_back(std::move(row));
    }
    return out;
}

}  // namespace steerd::drill
