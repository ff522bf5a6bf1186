// The presets. Numbers from measurements are cited; what had to be assumed to make a simulation of
// them says so in a sentence that every report prints.
#include "drill/population.h"

#include <array>
#include <cmath>

namespace steerd::drill {

namespace {

CacheModel honest(Rounding rounding) {
    CacheModel model;
    model.rounding = rounding;
    if (rounding == Rounding::FloorPlusOne) {
        model.retry = RetryRule{8, 120};  // Unbound: up to a minute until it asks again
    }
    return model;
}

CacheModel clamped(double min_ttl_s) {
    CacheModel model = honest(Rounding::Floor);
    model.min_ttl_s = min_ttl_s;
    model.max_ttl_s = std::max(model.max_ttl_s, min_ttl_s);
    return model;
}

Population ideal() {
    Population population;
    population.classes.push_back(ResolverClass{"honest", 1, honest(Rounding::Floor)});
    population.assumptions = {
        "Assumed: every resolver honours the TTL, counts whole seconds, and no client keeps an "
        "answer longer."};
    return population;
}

/// The residual share of Flavel et al.: S(t) = 0.10 (t / 60 s)^-0.594 from 60 s on, which goes
/// through both numbers they give (90 % moved after 60 s, 2 % left after 15 min). Caches found at
/// an even age leave exactly that behind if holds beyond x have the share 0.10 * 1.594 * (x / 60
/// s)^-0.594.
Population flavel() {
    constexpr double kExponent = 0.594;
    constexpr double kTail = 0.10 * (1 + kExponent);
    constexpr double kFirst = 60;
    constexpr double kLast = 7 * 86400.0;
    constexpr int kStrata = 32;
    Population population;
    population.classes.push_back(ResolverClass{"honest", 1 - kTail, honest(Rounding::Floor)});
    const double ratio = std::pow(kLast / kFirst, 1.0 / kStrata);
    double low = kFirst;
    for (int k = 0; k <= kStrata; ++k) {
        const double high = low * ratio;
        const double mass_low = std::pow(low / kFirst, -kExponent);
        const double mass_high = k < kStrata ? std::pow(high / kFirst, -kExponent) : 0;
        // One hold for the stratum: the one whose caches let go at the same pace.
        const double pace = kExponent / (kExponent + 1) * (mass_low / low - mass_high / high) /
                            (mass_low - mass_high);
        const double hold = k < kStrata ? 1 / pace : kLast;
        const char* name = hold < 300     ? "held 1 to 5 min"
                           : hold < 900   ? "held 5 to 15 min"
                           : hold < 3600  ? "held 15 min to 1 h"
                           : hold < 86400 ? "held 1 h to 1 d"
                                          : "held over 1 d";
        population.classes.push_back(
            ResolverClass{name, kTail * (mass_low - mass_high), clamped(hold)});
        low = high;
    }
    population.citation =
        "Flavel, Mani, Maltz: Re-evaluating the responsiveness of DNS-based network control, "
        "LANMAN 2014: with a TTL of 20 s, 90 % of requests moved within 60 s, 2 % had not after "
        "15 min.";
    population.assumptions = {
        "Assumed: between and beyond the two published numbers the share left is a power law, "
        "S(t) = 0.10 (t / 60 s)^-0.594, cut off at 7 days; those who hold longer than the TTL do "
        "so whatever the TTL."};
    return population;
}

Population bhowmick() {
    constexpr double kExtending = 0.0874;
    constexpr int kStrata = 24;
    Population population;
    population.classes.push_back(ResolverClass{"honest", 1 - kExtending, honest(Rounding::Floor)});
    for (int k = 0; k < kStrata; ++k) {
        CacheModel model = honest(Rounding::Floor);
        model.extend_s = 60 * std::pow(86400.0 / 60, (k + 0.5) / kStrata);
        model.max_ttl_s = 7 * 86400.0;
        const char* name = model.extend_s < 600    ? "extended by 1 to 10 min"
                           : model.extend_s < 3600 ? "extended by 10 min to 1 h"
                                                   : "extended by 1 h to 1 d";
        population.classes.push_back(ResolverClass{name, kExtending / kStrata, model});
    }
    population.citation =
        "Bhowmick et al.: TTL Violation of DNS Resolvers in the Wild, PAM 2023: 8.74 % of "
        "resolvers extend the TTL.";
    population.assumptions = {
        "Assumed: the resolvers that extend the TTL serve 8.74 % of the demand and add between 60 "
        "s "
        "and 1 day, evenly on a logarithmic scale; the others are honest."};
    return population;
}

/// One tier of the mixed population. `longest`: it outlasts whatever stands in the other tier.
struct Tier {
    std::string name;
    double share = 0;
    CacheModel model;
    bool longest = false;
};

std::vector<Tier> mixed_resolvers() {
    CacheModel bind = honest(Rounding::Floor);
    bind.prefetch.below_s = 2;
    bind.prefetch.of_at_least_s = 9;
    CacheModel knot = clamped(5);
    knot.rounding = Rounding::FloorPlusOne;
    CacheModel stale_hour = honest(Rounding::Floor);
    stale_hour.stale = StaleRule{ServeStale::Always, 3600, 1};
    CacheModel stale_day = honest(Rounding::FloorPlusOne);
    stale_day.stale = StaleRule{ServeStale::Always, 86400, 30};
    CacheModel pooled = honest(Rounding::Floor);
    pooled.pool = 8;
    CacheModel ecs = honest(Rounding::Floor);
    ecs.ecs_prefixes = 16;
    return {{"honest", 0.468, honest(Rounding::Floor)},
            {"honest, prefetching", 0.052, bind},
            {"honest, one second more", 0.14, honest(Rounding::FloorPlusOne)},
            {"at least 5 s", 0.06, knot},
            {"at least 30 s", 0.06, clamped(30)},
            {"at least 60 s", 0.06, clamped(60)},
            {"at least 300 s", 0.02, clamped(300), true},
            {"stale for 1 h", 0.02, stale_hour, true},
            {"stale for 1 d", 0.02, stale_day, true},
            {"pool of 8", 0.07, pooled},
            {"split by client subnet", 0.03, ecs}};
}

struct ClientTier {
    std::string name;  // empty: adds nothing
    double share = 0;
    ClientModel model;
};

std::vector<ClientTier> mixed_clients() {
    ClientModel apple;
    apple.factor = 1.25;
    apple.add_s = 2;
    apple.least_s = 15;
    apple.most_s = 4502;
    ClientModel firefox = ClientModel::fixed(60);
    firefox.grace_s = 60;
    ClientModel once;
    once.restart_s = 86400;
    return {{"", 0.30, ClientModel{}},
            {"Chrome 60 s", 0.40, ClientModel::fixed(60)},
            {"Apple 1.25 TTL + 2 s", 0.20, apple},
            {"Firefox 60 s + 60 s", 0.03, firefox},
            {"JVM 30 s", 0.05, ClientModel::fixed(30)},
            {"proxies 5 s", 0.01, ClientModel::fixed(5)},
            {"resolved once", 0.01, once}};
}

Population mixed() {
    Population population;
    for (const Tier& resolver : mixed_resolvers()) {
        for (const ClientTier& client : mixed_clients()) {
            ResolverClass made{resolver.name, resolver.share * client.share, resolver.model};
            made.model.client = client.model;
            // Named after the tier that keeps its clients longest.
            if (client.model.restart_s > 0 || (!resolver.longest && client.model.present())) {
                made.name = client.name;
            }
            population.classes.push_back(std::move(made));
        }
    }
    population.citation =
        "Chromium (hosts kept for 60 s at least), mDNSResponder (1.25 TTL + 2 s, 15 s at least), "
        "Firefox (60 s and as much grace), OpenJDK (30 s), HAProxy and Envoy (seconds, whatever "
        "the TTL), nginx (names resolved at its start): their sources and manuals. Lifetimes, "
        "prefetching and stale answers of Unbound 1.17, BIND 9.18, Knot Resolver 5.6, PowerDNS "
        "Recursor 4.8 and dnsmasq 2.90: measured. Stale answers and failures: RFC 8767, RFC 9520.";
    population.assumptions = {
        "Assumed, not measured: the shares of resolver and client types in the population 'mixed' "
        "are estimates.",
        "Assumed: resolver and client types are independent; a resolver that sends client subnets "
        "has 16 of them; a class is named after the tier that keeps its clients longest.",
        "Assumed: processes that resolve once restart once a day in the mean."};
    return population;
}

using Maker = Population (*)();
constexpr std::array<Maker, 4> kMakers{ideal, flavel, bhowmick, mixed};
constexpr std::array<std::string_view, 4> kNames{"ideal", "flavel2014", "bhowmick2023", "mixed"};

}  // namespace

std::optional<Population> preset_population(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) {
            return kMakers[i]();
        }
    }
    return std::nullopt;
}

std::span<const std::string_view> preset_names() noexcept { return kNames; }

}  // namespace steerd::drill
